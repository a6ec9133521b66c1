// volume ls, volume inspect, and what `system df` says of volumes.

import { fail } from '../../base/errors.ts';
import type { Volume } from '../../spec/docker/volume.ts';
import type { VolumeDocument } from '../../volumes/store.ts';
import type { ContainerPool } from '../containers/deps.ts';
import { type Filters, hasLabel } from '../filters.ts';
import { contentSize } from './size.ts';

export function listVolumes(pool: ContainerPool, filters: Filters): readonly Volume[] {
  const test = testOf(pool, filters);
  return sorted(pool)
    .filter(test)
    .map((document) => describeVolume(pool, document));
}

function sorted({ deps }: ContainerPool): readonly VolumeDocument[] {
  return [...deps.volumes.store.volumes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function describeVolume({ deps }: ContainerPool, document: VolumeDocument): Volume {
  const { name, driver, createdAt, labels, options } = document;
  const Mountpoint = deps.volumes.store.paths(name).data;
  return {
    CreatedAt: createdAt,
    Driver: driver,
    Labels: labels,
    Mountpoint,
    Name: name,
    Options: options,
    Scope: 'local',
  };
}

/** Fails with `volume.not_found`. */
export function findVolume({ deps }: ContainerPool, name: string): VolumeDocument {
  return deps.volumes.store.volumes.get(name) ?? fail('not_found', 'volume.not_found', `get ${name}: no such volume`);
}

/** Ids of the containers, running or not, that have it. */
export function usersOf(pool: ContainerPool, name: string): readonly string[] {
  return [...pool.live.values()]
    .filter(({ record }) => record.mounts.some((mount) => mount.Type === 'volume' && mount.Name === name))
    .map(({ record }) => record.id);
}

/** Every volume with its size and how many containers have it. */
export async function volumeUsage(pool: ContainerPool): Promise<readonly Volume[]> {
  const all: Volume[] = [];
  for (const document of sorted(pool)) {
    const Size = await contentSize(pool.deps.volumes.store.paths(document.name).data);
    all.push({ ...describeVolume(pool, document), UsageData: { RefCount: usersOf(pool, document.name).length, Size } });
  }
  return all;
}

function testOf(pool: ContainerPool, filters: Filters): (document: VolumeDocument) => boolean {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]): ((document: VolumeDocument) => boolean) => {
      if (key === 'name') return ({ name }) => values.some((value) => name.includes(value));
      if (key === 'driver') return ({ driver }) => values.includes(driver);
      if (key === 'label') return ({ labels }) => values.every((value) => hasLabel(labels ?? {}, value));
      if (key === 'dangling') {
        const wanted = boolean(key, values);
        const used = new Set(
          [...pool.live.values()].flatMap(({ record }) => record.mounts.map(({ Name }) => Name ?? '')),
        );
        return ({ name }) => used.has(name) !== wanted;
      }
      return fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
    });
  return (document) => tests.every((test) => test(document));
}

/** One of Docker's two values; both at once are as wrong as any other. */
export function boolean(key: string, values: readonly string[]): boolean {
  if (values.every((value) => /^(1|t|true)$/i.test(value))) return true;
  if (values.every((value) => /^(0|f|false)$/i.test(value))) return false;
  return fail('invalid', 'filter.invalid', `invalid filter '${key}=[${values.join(' ')}]'`);
}
