// container prune: every container that does not run, by Docker's filters.

import { fail } from '../../base/errors.ts';
import type { Filters } from '../engine.ts';
import { hasLabel } from '../filters.ts';
import { parseMoment } from '../images/filters.ts';
import { type ContainerPool, inTurn } from './deps.ts';
import { sizesOf } from './list.ts';
import { type ContainerRecord, isUp } from './record.ts';
import { removeNow } from './remove.ts';

export async function pruneContainers(
  pool: ContainerPool,
  filters: Filters,
): Promise<{ readonly ContainersDeleted: readonly string[]; readonly SpaceReclaimed: number }> {
  const test = testOf(filters);
  const ContainersDeleted: string[] = [];
  let SpaceReclaimed = 0;
  for (const live of [...pool.live.values()]) {
    if (isUp(live.record.state) || !test(live.record)) continue;
    await inTurn(live, async () => {
      const { id, state } = live.record;
      if (isUp(state) || pool.live.get(id) !== live) return; // started or removed meanwhile
      const { SizeRw } = await sizesOf(pool, id);
      await removeNow(pool, live);
      ContainersDeleted.push(id);
      SpaceReclaimed += SizeRw;
    });
  }
  pool.deps.events.emit('container', 'prune', '', { reclaimed: String(SpaceReclaimed) });
  return { ContainersDeleted, SpaceReclaimed };
}

function testOf(filters: Filters): (record: ContainerRecord) => boolean {
  for (const key of Object.keys(filters))
    if (!['label', 'label!', 'until'].includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  const until = (filters['until'] ?? []).map((value) => parseMoment(value, new Date()));
  return ({ config, created }) =>
    (filters['label'] ?? []).every((value) => hasLabel(config.Labels, value)) &&
    !(filters['label!'] ?? []).some((value) => hasLabel(config.Labels, value)) &&
    until.every((time) => Date.parse(created) <= time);
}
