// volume create: one that is there already is what was asked for, whatever its labels and options are (Docker's rule).

import type { VolumeCreate } from '../../spec/docker/volume.ts';
import { anonymousLabel, anonymousName, checkDriver, checkVolumeName } from '../../volumes/names.ts';
import { checkOptions } from '../../volumes/options.ts';
import { nowInSeconds, type VolumeDocument, volumeSchema } from '../../volumes/store.ts';
import type { ContainerPool } from '../containers/deps.ts';
import { volumeTurn } from './deps.ts';

/** Fails with `volume.name_invalid`, `volume.driver`, `volume.option`. */
export function checkVolumeRequest({ Name = '', Driver, DriverOpts }: VolumeCreate): void {
  if (Name !== '') checkVolumeName(Name);
  checkDriver(Name, Driver ?? '');
  checkOptions(Name, DriverOpts ?? {});
}

export function createVolume({ deps }: ContainerPool, request: VolumeCreate): Promise<VolumeDocument> {
  const anonymous = (request.Name ?? '') === '';
  const name = request.Name || anonymousName();
  return volumeTurn(deps.volumes, name, async () => {
    const known = deps.volumes.store.volumes.get(name);
    if (known) {
      checkDriver(known.name, request.Driver ?? '');
      return known;
    }
    checkVolumeRequest({ ...request, Name: name });
    return makeVolume(deps, { ...request, Name: name }, anonymous);
  });
}

/** Within the volume's turn. `anonymous` ones are not waited for on their way to the disk: they are as new as their container. */
export async function makeVolume(
  { volumes, events }: ContainerPool['deps'],
  { Name: name = '', Labels, DriverOpts }: VolumeCreate,
  anonymous: boolean,
): Promise<VolumeDocument> {
  const labels = { ...Labels, ...(anonymous ? { [anonymousLabel]: '' } : {}) };
  const document: VolumeDocument = {
    schema: volumeSchema,
    name,
    driver: 'local',
    createdAt: nowInSeconds(),
    labels: Object.keys(labels).length > 0 || Labels ? labels : null,
    options: DriverOpts && Object.keys(DriverOpts).length > 0 ? DriverOpts : null,
  };
  await volumes.store.create(document, { sync: !anonymous });
  events.emit('volume', 'create', name, { driver: 'local' });
  return volumes.store.volumes.get(name) ?? document;
}
