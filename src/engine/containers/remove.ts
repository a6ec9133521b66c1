// rm: the container's directories, its name, its place in memory.

import { fail } from '../../base/errors.ts';
import { carryOutRemoval } from '../removal.ts';
import { dropVolumes } from '../volumes/use.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { isUp, removalOps } from './record.ts';
import { cancelRestart, killAndWait } from './stop.ts';
import { tell } from './tell.ts';

export interface RemoveOptions {
  readonly force: boolean;
  /** Volumes that nobody named go with it. */
  readonly volumes: boolean;
}

export function removeContainer(pool: ContainerPool, live: Live, { force, volumes }: RemoveOptions): Promise<void> {
  return inTurn(live, async () => {
    const { name, state } = live.record;
    if (isUp(state)) {
      if (!force) {
        const what = `cannot remove container "${name}": container is ${state.status}`;
        if (state.status === 'paused') fail('conflict', 'container.paused', `${what} and must be unpaused first`);
        fail('conflict', 'container.running', `${what}: stop the container before removing or force remove`);
      }
      live.comesBack = false;
      if (state.status === 'restarting') cancelRestart(pool, live);
      else await killAndWait(pool, live);
    }
    await removeNow(pool, live, volumes);
  });
}

/** Removes one that does not run. What was removed already (--rm and rm at once) is no error. */
export async function removeNow(pool: ContainerPool, live: Live, volumes = false): Promise<void> {
  const { record } = live;
  if (pool.live.get(record.id) !== live) return;
  live.record = { ...record, state: { ...record.state, status: 'removing' } };
  pool.live.delete(record.id);
  if (pool.names.get(record.name) === record.id) pool.names.delete(record.name);
  pool.gone.set(record.id, record.state.exitCode);
  const oldest = pool.gone.size > 1000 ? pool.gone.keys().next().value : undefined;
  if (oldest !== undefined) pool.gone.delete(oldest);
  // Nobody waits for the files: a directory that a crash leaves behind has no document, the next engine removes it.
  void removeFiles(pool, record.id);
  pool.deps.logging.drop(record.id);
  if (volumes) dropVolumes(pool, record, (_, anonymous) => anonymous);
  tell(pool, record, 'destroy');
  for (const listener of live.removed) listener(record.state.exitCode);
  live.removed.clear();
}

export function removeFiles(pool: ContainerPool, id: string): Promise<void> {
  return carryOutRemoval(pool, removalOps(pool.deps.paths, id), `the files of ${id}`);
}
