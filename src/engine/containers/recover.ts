// What an engine does first: learns from disk and keepers what there is, and what ended while no engine was there.

import { existsSync } from 'node:fs';
import { joinKeeper, type KeeperLink } from '../../runtime/keeper.ts';
import type { ContainerPool, ContainersDeps, Live } from './deps.ts';
import { newLive } from './deps.ts';
import { finish, readExit } from './end.ts';
import { foundStatus, thawFor } from './pause.ts';
import { type ContainerRecord, isAlive, now, pathsOf } from './record.ts';
import { loadRecords } from './records.ts';
import { follow } from './start.ts';

export async function openPool(deps: ContainersDeps): Promise<ContainerPool> {
  const pool: ContainerPool = {
    deps,
    live: new Map(),
    names: new Map(),
    execs: new Map(),
    gone: new Map(),
    rows: new WeakMap(),
    canonical: new Map(),
    closing: false,
    supervisor: undefined,
  };
  for (const record of loadRecords(deps.paths)) {
    pool.live.set(record.id, newLive(record));
    pool.names.set(record.name, record.id);
    deps.logging.resume(record);
  }
  // most have no process and nothing to be done: those cost no promise
  await Promise.all([...pool.live.values()].map((live) => recoverOne(pool, live)));
  for (const { record } of pool.live.values()) if (!isAlive(record.state)) void deps.logging.end(record);
  return pool;
}

function recoverOne(pool: ContainerPool, live: Live): Promise<void> | undefined {
  const { record } = live;
  if (existsSync(pathsOf(pool.deps.paths, record.id).socket)) return adopt(pool, live);
  return settle(pool, live);
}

/** A keeper's socket is there. It may be one that was killed. */
async function adopt(pool: ContainerPool, live: Live): Promise<void> {
  const { record } = live;
  const link = await joinKeeper(pathsOf(pool.deps.paths, record.id).socket).catch(() => undefined);
  if (!link) return settle(pool, live);
  // A keeper whose start the last engine did not live to see: it runs all the same.
  live.link = link;
  const { state } = record;
  const startedAt = state.status === 'running' || state.status === 'paused' ? state.startedAt : now();
  const pid = await pidOf(link, state.pid);
  live.record = { ...record, state: { ...state, status: foundStatus(pool, live), pid, startedAt } };
  live.record = { ...live.record, connections: pool.deps.network.adopt(live.record) };
  if (record.held) thawFor(pool, live);
  follow(pool, live, link);
}

/** Nobody keeps it: notes an end that no engine saw. */
function settle(pool: ContainerPool, live: Live): Promise<void> | undefined {
  const { record } = live;
  if (endedMeanwhile(pool, record)) {
    live.endWanted = record.manuallyStopped === true;
    return finish(pool, live, undefined);
  }
  if (record.state.status === 'exited' && record.hostConfig.AutoRemove)
    return finish(pool, live, { exitCode: record.state.exitCode, oomKilled: false });
  return undefined;
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
function endedMeanwhile({ deps }: ContainerPool, { id, state, connections }: ContainerRecord): boolean {
  const held = connections.some(({ endpoint }) => endpoint !== undefined);
  if (state.status === 'running' || state.status === 'paused' || held) return true;
  const written = readExit(pathsOf(deps.paths, id).exit);
  return written !== undefined && written.finishedAt !== state.finishedAt;
}

/** Lets go of every container; they go on. */
export function closePool(pool: ContainerPool): void {
  pool.closing = true;
  pool.supervisor?.stop();
  pool.deps.logging.close();
  for (const live of pool.live.values()) live.link?.close();
}
