// pause and unpause: the freezer of the container's cgroup.

import { errnoOf, fail, HoistError } from '../../base/errors.ts';
import { groupOf } from '../../plan/cgroup.ts';
import { freeze, isFrozen, thaw } from '../../sys/cgroup.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { groupPath, isAlive, saveQuietly } from './record.ts';
import { tell } from './tell.ts';

function freezerOf({ deps }: ContainerPool, { record }: Live): [directory: string, version: 1 | 2] {
  return [groupOf(groupPath(record), 'freezer', deps.facts), deps.facts.cgroup.version];
}

/** `held`: for a moment, which an engine that is killed in it must not make last. */
export function pauseContainer(pool: ContainerPool, live: Live, held = false): Promise<void> {
  return inTurn(live, async () => {
    const { id, state } = live.record;
    if (state.status === 'paused') fail('conflict', 'container.paused', `Container ${id} is already paused`);
    if (state.status === 'restarting')
      fail('conflict', 'container.restarting', `Container ${id} is restarting, wait until the container is running`);
    if (!live.link) fail('conflict', 'container.not_running', `container ${id} is not running`);
    if (freezerOf(pool, live)[0] === '')
      fail('unsupported', 'container.pause', `cannot pause container ${id}: it has no cgroup that could be frozen`, {
        hint: 'without root that needs cgroup v2, and a systemd session that delegates to its user',
      });
    const { held: _, ...record } = live.record;
    live.record = held ? { ...record, held } : record;
    if (held) saveQuietly(pool, live.record);
    try {
      await freeze(...freezerOf(pool, live));
    } catch (error) {
      // its group goes a moment before we hear of the end
      if (!live.link || ['ENOENT', 'ENODEV'].includes(errnoOf(error) ?? ''))
        fail('conflict', 'container.not_running', `container ${id} is not running`);
      const why = error instanceof Error ? error.message : error;
      throw new HoistError('system', 'container.pause', `cannot pause container ${id}: ${why}`, { cause: error });
    }
    if (!isAlive(live.record.state)) return; // it ended while it froze
    setStatus(pool, live, 'paused');
  });
}

export function unpauseContainer(pool: ContainerPool, live: Live): Promise<void> {
  return inTurn(live, async () => {
    if (live.record.state.status !== 'paused')
      fail('conflict', 'container.not_paused', `Container ${live.record.id} is not paused`);
    thawFor(pool, live);
  });
}

/** Nothing, where it is not paused. `dies`: it has no time to go on. */
export function thawFor(pool: ContainerPool, live: Live, dies = false): void {
  if (live.record.state.status !== 'paused') return;
  try {
    thaw(...freezerOf(pool, live));
  } catch (error) {
    if (live.link) pool.deps.warn(`cannot thaw ${live.record.id}: ${error}`);
  }
  if (!dies) setStatus(pool, live, 'running');
}

function setStatus(pool: ContainerPool, live: Live, status: 'running' | 'paused'): void {
  const { held, ...record } = live.record;
  live.record = { ...record, ...(held && status === 'paused' ? { held } : {}), state: { ...record.state, status } };
  saveQuietly(pool, live.record);
  tell(pool, live.record, status === 'paused' ? 'pause' : 'unpause');
  pool.supervisor?.watchHealth(live);
}

/** What an engine finds: the last one may have ended between the deed and its note. */
export function foundStatus(pool: ContainerPool, live: Live): 'running' | 'paused' {
  return isFrozen(...freezerOf(pool, live)) ? 'paused' : 'running';
}
