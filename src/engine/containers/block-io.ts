// Limits of block devices: the paths that the user named as the numbers that the kernel knows them by.

import { statSync } from 'node:fs';
import { errnoOf, fail } from '../../base/errors.ts';
import type { Resources } from '../../spec/docker/container.ts';
import type { OciBlockIO, OciThrottleDevice } from '../../spec/oci/resources.ts';
import { numbersOf } from './devices.ts';

/** Fails with `device.not_found`, `device.invalid`. */
export function blockIoOf(asked: Partial<Resources>): { readonly blockIO?: OciBlockIO } {
  const throttle = (list: Resources['BlkioDeviceReadBps']): readonly OciThrottleDevice[] | undefined =>
    list?.length ? list.map(({ Path, Rate }) => ({ ...numbers(Path), rate: Rate })) : undefined;
  const weights = asked.BlkioWeightDevice?.map(({ Path, Weight }) => ({ ...numbers(Path), weight: Weight })) ?? [];
  const all = {
    weight: asked.BlkioWeight || undefined,
    weightDevice: weights.length > 0 ? weights : undefined,
    throttleReadBpsDevice: throttle(asked.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(asked.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(asked.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(asked.BlkioDeviceWriteIOps),
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return given.length > 0 ? { blockIO: Object.fromEntries(given) } : {};
}

function numbers(file: string): { major: number; minor: number } {
  try {
    const stats = statSync(file);
    if (!stats.isBlockDevice()) fail('invalid', 'device.invalid', `${file} is not a block device`);
    return numbersOf(stats.rdev);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return fail('not_found', 'device.not_found', `stat ${file}: no such file or directory`, { cause: error });
  }
}
