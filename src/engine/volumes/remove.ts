// volume rm and volume prune.

import { fail } from '../../base/errors.ts';
import { op } from '../../plan/ops.ts';
import { anonymousLabel } from '../../volumes/names.ts';
import type { ContainerPool } from '../containers/deps.ts';
import { type Filters, hasLabel } from '../filters.ts';
import { carryOutRemoval } from '../removal.ts';
import { boolean, findVolume, usersOf } from './list.ts';
import { contentSize } from './size.ts';

/** Fails with `volume.in_use`, `volume.not_found`; `force` does not mind what is not there. */
export function removeVolume(pool: ContainerPool, name: string, force: boolean): void {
  if (force && !pool.deps.volumes.store.volumes.has(name)) return;
  const { name: found } = findVolume(pool, name);
  const users = usersOf(pool, found);
  if (users.length > 0) fail('conflict', 'volume.in_use', `remove ${found}: volume is in use - [${users.join(', ')}]`);
  takeAway(pool, found);
}

/** Gone at once; its content goes in the background. */
export function takeAway(pool: ContainerPool, name: string): void {
  const { deps } = pool;
  void removeFiles(pool, deps.volumes.store.remove(name));
  deps.events.emit('volume', 'destroy', name, { driver: 'local' });
}

/** Never crosses into another file system: a volume that is one is let alone, whatever is mounted where. */
export function removeFiles(pool: ContainerPool, directory: string): Promise<void> {
  const setup = [
    op('nice', { increment: 19 }, 'nobody waits for it'),
    op('removeTree', { path: directory }, 'a volume that was removed'),
  ];
  return carryOutRemoval(pool, setup, directory);
}

/** Volumes that no container has; without the filter `all` only those that nobody named. */
export async function pruneVolumes(
  pool: ContainerPool,
  filters: Filters,
): Promise<{ readonly VolumesDeleted: readonly string[]; readonly SpaceReclaimed: number }> {
  const { deps } = pool;
  for (const key of Object.keys(filters))
    if (!['all', 'label', 'label!'].includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  const all = (filters['all']?.length ?? 0) > 0 && boolean('all', filters['all'] ?? []);
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const { name, labels, options } of [...deps.volumes.store.volumes.values()]) {
    const given = labels ?? {};
    if (!all && !Object.hasOwn(given, anonymousLabel)) continue;
    if (!(filters['label'] ?? []).every((label) => hasLabel(given, label))) continue;
    if ((filters['label!'] ?? []).some((label) => hasLabel(given, label))) continue;
    if (usersOf(pool, name).length > 0) continue;
    const size = options === null ? await contentSize(deps.volumes.store.paths(name).data) : 0;
    // somebody may have taken or removed it while it was measured
    if (usersOf(pool, name).length > 0 || !deps.volumes.store.volumes.has(name)) continue;
    takeAway(pool, name);
    deleted.push(name);
    reclaimed += size;
  }
  deps.events.emit('volume', 'prune', '', { reclaimed: String(reclaimed) });
  return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
}
