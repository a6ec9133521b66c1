// The end of a container's process: what is noted, told and given back, and whether another one follows.

import { rmdirSync } from 'node:fs';
import { readJsonNow } from '../../base/files.ts';
import { cgroupOps, groupOf } from '../../plan/cgroup.ts';
import type { Op } from '../../plan/ops.ts';
import type { KeeperEnd } from '../../runtime/keeper.ts';
import { isForwarded } from '../logging/options.ts';
import { releaseVolumes, tellUnmounted } from '../volumes/use.ts';
import type { ContainerPool, Live } from './deps.ts';
import { unhealthyWhileAway } from './health-state.ts';
import {
  type ContainerRecord,
  groupPath,
  now,
  pathsOf,
  type RunState,
  saveQuietly,
  withoutEndpoints,
} from './record.ts';
import { removeNow } from './remove.ts';
import { restartDelay } from './restart-policy.ts';
import { tell } from './tell.ts';

/** Notes how the process ended: what the keeper said, or its exit record, or (the keeper was killed) that it was killed. */
export async function finish(pool: ContainerPool, live: Live, told: KeeperEnd | undefined): Promise<void> {
  const { deps } = pool;
  live.link?.close();
  live.link = undefined;
  live.execs.clear();
  const written =
    told && live.record.hostConfig.AutoRemove ? undefined : readExit(pathsOf(deps.paths, live.record.id).exit);
  if (!told && !written) await cleanUpAfterKeeper(pool, live.record);
  if (live.record.volumes ?? live.record.images) await releaseVolumes(pool, live.record);
  if (isForwarded(live.record.hostConfig.LogConfig)) await deps.logging.end(live.record);
  const { record } = live; // not before: a rename or an update may have come in between
  live.ended = undefined;
  dropLateCpuset(pool, record);
  const finishedAt = written?.finishedAt ?? now();
  const exitCode = told?.exitCode ?? written?.exitCode ?? 137;
  const delay = delayOf(live, exitCode, finishedAt);
  const state: RunState = {
    ...record.state,
    status: delay === undefined ? 'exited' : 'restarting',
    pid: 0,
    exitCode,
    oomKilled: told?.oomKilled ?? written?.oomKilled ?? false,
    error: told || written ? '' : 'its keeper was killed',
    ...beganBefore(finishedAt, record.state),
    finishedAt,
    ...unhealthyWhileAway(record.state.health),
  };
  deps.network.release(record.id);
  tellUnmounted(pool, record);
  live.record = {
    ...record,
    connections: withoutEndpoints(record.connections),
    state,
    ...(delay === undefined ? {} : { restartCount: (record.restartCount ?? 0) + 1 }),
  };
  live.backoff = delay ?? 0;
  pool.supervisor?.watchHealth(live);
  const goes = record.hostConfig.AutoRemove && !live.comesBack;
  if (!record.hostConfig.AutoRemove) saveQuietly(pool, live.record);
  tellEnd(pool, live);
  for (const listener of live.exited) listener(state);
  live.exited.clear();
  if (goes) await removeNow(pool, live, true).catch((error) => deps.warn(`cannot remove ${record.id}: ${error}`));
  else if (delay !== undefined) pool.supervisor?.restartLater(live);
}

/** The process may have ended before its engine had the processor to note its start. */
function beganBefore(finishedAt: string, { startedAt }: RunState): Partial<RunState> {
  return startedAt > finishedAt ? { startedAt: finishedAt } : {};
}

function delayOf(live: Live, exitCode: number, finishedAt: string): number | undefined {
  const { hostConfig, state, restartCount = 0, manuallyStopped = false } = live.record;
  if (live.endWanted) return undefined;
  const ranMs = Date.parse(finishedAt) - Date.parse(state.startedAt);
  return restartDelay(hostConfig.RestartPolicy, {
    exitCode,
    restartCount,
    manuallyStopped,
    ranMs,
    lastDelay: live.backoff,
  });
}

function tellEnd(pool: ContainerPool, live: Live): void {
  const { record } = live;
  const { exitCode, oomKilled, startedAt, finishedAt } = record.state;
  const seconds = Math.max(0, Math.floor((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000));
  if (oomKilled) tell(pool, record, 'oom');
  if (live.stopWanted) tell(pool, record, 'stop'); // before `die`, as dockerd tells it
  live.stopWanted = false;
  tell(pool, record, 'die', { exitCode: String(exitCode), execDuration: String(seconds) });
}

interface ExitRecord extends KeeperEnd {
  readonly finishedAt: string;
}

/** exit.json as native/keeper.c writes it. */
export function readExit(file: string): ExitRecord | undefined {
  let document: unknown;
  try {
    document = readJsonNow(file);
  } catch {
    return undefined;
  }
  if (
    typeof document !== 'object' ||
    document === null ||
    !('exitCode' in document) ||
    typeof document.exitCode !== 'number'
  )
    return undefined;
  return {
    exitCode: document.exitCode,
    oomKilled: 'oomKilled' in document && document.oomKilled === true,
    finishedAt: 'finishedAt' in document && typeof document.finishedAt === 'string' ? document.finishedAt : now(),
  };
}

/** A keeper that was killed could not clean up: its container dies with it (PR_SET_PDEATHSIG), its traces go here. */
async function cleanUpAfterKeeper({ deps }: ContainerPool, record: ContainerRecord): Promise<void> {
  const cleanup: Op[] = [
    ...(await deps.network.cleanup(record)),
    ...cgroupOps(groupPath(record), { devices: [], cpu: { cpus: '0' } }, deps.facts, true).cleanup,
  ];
  await deps
    .executor()
    .run({ setup: [], child: [], cleanup }, 'fork')
    .catch((error) => deps.warn(`cannot clean up after ${record.id}: ${error}`));
}

/** v1: `update` may have given it a cpuset that its plan did not know of. */
function dropLateCpuset({ deps }: ContainerPool, record: ContainerRecord): void {
  const { hostConfig } = record;
  if (deps.facts.cgroup.version !== 1 || (hostConfig.CpusetCpus === '' && hostConfig.CpusetMems === '')) return;
  try {
    rmdirSync(groupOf(groupPath(record), 'cpuset', deps.facts));
  } catch {} // the plan's own cleanup has done it
}
