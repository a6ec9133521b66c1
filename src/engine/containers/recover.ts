// What an engine does first: learns from disk and keepers what there is, and what ended while no engine was there.

import { joinKeeper } from '../../runtime/keeper.ts';
import type { ContainerPool, ContainersDeps } from './deps.ts';
import { newLive } from './deps.ts';
import { loadRecords, pathsOf } from './record.ts';
import { finish, follow } from './start.ts';

export async function openPool(deps: ContainersDeps): Promise<ContainerPool> {
  const pool: ContainerPool = { deps, live: new Map(), names: new Map(), gone: new Map(), closing: false };
  for (const record of await loadRecords(deps.paths)) {
    pool.live.set(record.id, newLive(record));
    pool.names.set(record.name, record.id);
  }
  await Promise.all([...pool.live.keys()].map((id) => recoverOne(pool, id)));
  return pool;
}

async function recoverOne(pool: ContainerPool, id: string): Promise<void> {
  const live = pool.live.get(id);
  if (!live) return;
  const { record } = live;
  const link = await joinKeeper(pathsOf(pool.deps.paths, id).socket).catch(() => undefined);
  if (link) {
    // A keeper whose start the last engine did not live to see: it runs all the same.
    pool.deps.network.adopt(record);
    live.link = link;
    live.record = { ...record, state: { ...record.state, status: 'running' } };
    follow(pool, live, link);
    return;
  }
  if (record.state.status === 'running' || (record.endpoint && record.state.status === 'created'))
    await finish(pool, live, undefined);
  else if (record.state.status === 'exited' && record.hostConfig.AutoRemove)
    await finish(pool, live, { exitCode: record.state.exitCode, oomKilled: false });
}

/** Lets go of every container; they go on. */
export function closePool(pool: ContainerPool): void {
  pool.closing = true;
  for (const live of pool.live.values()) live.link?.close();
}
