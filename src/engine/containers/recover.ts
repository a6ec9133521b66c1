// What an engine does first: learns from disk and keepers what there is, and what ended while no engine was there.

import { joinKeeper, type KeeperLink } from '../../runtime/keeper.ts';
import type { ContainerPool, ContainersDeps } from './deps.ts';
import { newLive } from './deps.ts';
import { type ContainerRecord, loadRecords, pathsOf } from './record.ts';
import { finish, follow, now, readExit } from './start.ts';

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
    const { state } = record;
    const startedAt = state.status === 'running' ? state.startedAt : now();
    live.record = { ...record, state: { ...state, status: 'running', pid: await pidOf(link, state.pid), startedAt } };
    follow(pool, live, link);
    return;
  }
  if (await endedMeanwhile(pool, record)) await finish(pool, live, undefined);
  else if (record.state.status === 'exited' && record.hostConfig.AutoRemove)
    await finish(pool, live, { exitCode: record.state.exitCode, oomKilled: false });
}

/** What the keeper says; what was noted, where it says nothing: it is stopped, or of a version that did not tell. */
async function pidOf(link: KeeperLink, noted: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<number>((resolve) => {
    timer = setTimeout(() => resolve(noted), 1000);
  });
  try {
    return await Promise.race([link.pid, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the record speaks of a process that is no more: it ran, or was about to, or has left an exit record since. */
async function endedMeanwhile({ deps }: ContainerPool, { id, state, endpoint }: ContainerRecord): Promise<boolean> {
  if (state.status === 'running' || endpoint !== undefined) return true;
  const written = await readExit(pathsOf(deps.paths, id).exit);
  return written !== undefined && written.finishedAt !== state.finishedAt;
}

/** Lets go of every container; they go on. */
export function closePool(pool: ContainerPool): void {
  pool.closing = true;
  for (const live of pool.live.values()) live.link?.close();
}
