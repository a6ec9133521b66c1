// Devices of the host for a container: --device, and all of them for --privileged.

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail } from '../../base/errors.ts';
import type { DeviceMapping } from '../../spec/docker/container.ts';
import type { OciDevice, OciDeviceRule } from '../../spec/oci/runtime.ts';

interface Found {
  readonly devices: readonly OciDevice[];
  readonly rules: readonly OciDeviceRule[];
}

/** Linux dev_t as stat gives it: glibc's gnu_dev_major, gnu_dev_minor. */
export function numbersOf(rdev: number): { major: number; minor: number } {
  const value = BigInt(rdev);
  return {
    major: Number(((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xfffff000n)),
    minor: Number((value & 0xffn) | ((value >> 12n) & 0xffffff00n)),
  };
}

export function deviceAt(source: string, target: string, stats: Stats): OciDevice | undefined {
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined;
  if (type === undefined) return undefined;
  return {
    path: target,
    source,
    type,
    ...numbersOf(stats.rdev),
    fileMode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** --device host:container:rwm; a directory stands for every device in it. Fails with `device.not_found`, `device.invalid`. */
export async function mappedDevices(mappings: readonly DeviceMapping[]): Promise<Found> {
  const devices: OciDevice[] = [];
  const rules: OciDeviceRule[] = [];
  for (const { PathOnHost: host, PathInContainer: target, CgroupPermissions: access } of mappings) {
    const found = await walk(host, target || host).catch((error: unknown) =>
      errnoOf(error) === 'ENOENT'
        ? fail(
            'not_found',
            'device.not_found',
            `error gathering device information while adding custom device "${host}": no such file or directory`,
          )
        : Promise.reject(error),
    );
    if (found.length === 0)
      fail(
        'invalid',
        'device.invalid',
        `error gathering device information while adding custom device "${host}": not a device node`,
      );
    devices.push(...found);
    rules.push(
      ...found.map(({ type, major, minor }) => ({
        allow: true,
        type: type as 'b' | 'c',
        major,
        minor,
        access: access || 'rwm',
      })),
    );
  }
  return { devices, rules };
}

async function walk(host: string, target: string): Promise<OciDevice[]> {
  const stats = await stat(host);
  if (!stats.isDirectory()) {
    const device = deviceAt(host, target, stats);
    return device ? [device] : [];
  }
  const nested = await Promise.all(
    (await readdir(host)).map((name) => walk(path.join(host, name), path.join(target, name)).catch(() => [])),
  );
  return nested.flat();
}

/** Terminals, message queues and shared memory are the container's own; consoles stay the host's. */
const notGiven = new Set([
  'pts',
  'shm',
  'fd',
  'mqueue',
  'console',
  'ptmx',
  'lxc',
  'lxd-fuse',
  '.lxc',
  '.udev',
  '.lxd-mounts',
]);

/** Every device below /dev, for --privileged. */
export function hostDevices(): readonly OciDevice[] {
  const found: OciDevice[] = [];
  const visit = (dir: string): void => {
    for (const name of readdirSync(dir)) {
      if (notGiven.has(name)) continue;
      const full = path.join(dir, name);
      const stats = lstatSync(full);
      if (stats.isDirectory()) visit(full);
      const device = deviceAt(full, full, stats);
      if (device) found.push(device);
    }
  };
  visit('/dev');
  return found;
}
