// start: address and ports, files, plan, launch; and what happens when the process ends.

import { readJson } from '../../base/files.ts';
import { explainPortFailure } from '../../network/bridge.ts';
import { cgroupOps } from '../../plan/cgroup.ts';
import { containerPlan } from '../../plan/container.ts';
import type { Op } from '../../plan/ops.ts';
import type { KeeperEnd, KeeperLink } from '../../runtime/keeper.ts';
import { launch } from '../../runtime/launch.ts';
import type { StartOptions } from '../engine.ts';
import { letJoin, refuseAll } from './attach.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { prepare } from './prepare.ts';
import { type ContainerRecord, never, pathsOf, type RunState, saveRecord } from './record.ts';
import { removeNow } from './remove.ts';

export function startContainer(pool: ContainerPool, live: Live, options: StartOptions = {}): Promise<void> {
  return inTurn(live, () => startNow(pool, live, options));
}

async function startNow(pool: ContainerPool, live: Live, options: StartOptions): Promise<void> {
  if (live.record.state.status === 'running') return;
  const { deps } = pool;
  const { record } = live;
  const ownNetwork = record.hostConfig.NetworkMode === 'bridge' || record.hostConfig.NetworkMode === 'default';
  const network = ownNetwork ? await deps.network.attach(record) : undefined;
  try {
    const attached = options.onAttachable !== undefined;
    rememberState(pool, live, record, network?.endpoint);
    const expected = (attached ? 2 : 1) + live.attaching.size;
    const { input } = await prepare(pool, live.record, network, expected);
    const { socket } = input.keeper;
    const launched = await launch(deps.executor(), containerPlan(input), {
      socket,
      onAttachable: () => {
        const point = { socket, tty: record.config.Tty, stdin: record.config.OpenStdin };
        options.onAttachable?.(point);
        letJoin(live, point);
      },
      explain: explainPortFailure,
    });
    live.link = launched.link;
    const state: RunState = {
      status: 'running',
      pid: launched.pid,
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAt: now(),
      finishedAt: record.state.finishedAt,
    };
    live.record = { ...live.record, state };
    setTimeout(() => noteRunning(pool, live), noteDelayMs);
    follow(pool, live, launched.link);
  } catch (error) {
    deps.network.release(record.id);
    refuseAll(live, error);
    const { endpoint: _, ...rest } = live.record;
    const message = error instanceof Error ? error.message : String(error);
    live.record = {
      ...rest,
      state: {
        ...record.state,
        status: record.state.startedAt === never ? 'created' : 'exited',
        error: message,
        exitCode: exitCodeOf(error),
        finishedAt: record.state.finishedAt,
      },
    };
    saveQuietly(pool, live.record);
    throw error;
  }
}

/** Nobody waits for it: an engine that finds no note asks the keeper. What has ended by then needs none. */
function noteRunning(pool: ContainerPool, live: Live): void {
  if (live.link && pool.live.get(live.record.id) === live) saveQuietly(pool, live.record);
}
const noteDelayMs = 10;

/** What a crash between now and `running` must find: the address and ports that are held. */
function rememberState(
  pool: ContainerPool,
  live: Live,
  record: ContainerRecord,
  endpoint: ContainerRecord['endpoint'],
): void {
  live.record = { ...record, ...(endpoint ? { endpoint } : {}) };
  if (endpoint) saveRecord(pool.deps.paths, live.record);
}

function exitCodeOf(error: unknown): number {
  const kind = error instanceof Error && 'kind' in error ? error.kind : '';
  return kind === 'command_not_found' ? 127 : kind === 'not_executable' ? 126 : 128;
}

/** A full disk must not keep the engine from knowing, in memory, what is. */
function saveQuietly({ deps }: ContainerPool, record: ContainerRecord): void {
  try {
    saveRecord(deps.paths, record);
  } catch (error) {
    deps.warn(`cannot note the state of ${record.id}: ${error}`);
  }
}

export function now(): string {
  const nanos = String(process.hrtime.bigint() % 1000000n).padStart(6, '0');
  return new Date().toISOString().replace('Z', `${nanos}Z`);
}

/** Waits for the end of a process, in the background. Also used for the keepers that an engine finds at its start. */
export function follow(pool: ContainerPool, live: Live, link: KeeperLink): void {
  live.ended = link.ended.then((end) => (pool.closing ? undefined : finish(pool, live, end)));
}

/** Notes how the process ended: what the keeper said, or its exit record, or (the keeper was killed) that it was killed. */
export async function finish(pool: ContainerPool, live: Live, told: KeeperEnd | undefined): Promise<void> {
  const { deps } = pool;
  const { record } = live;
  live.link?.close();
  live.link = undefined;
  live.ended = undefined;
  const written =
    told && record.hostConfig.AutoRemove ? undefined : await readExit(pathsOf(deps.paths, record.id).exit);
  if (!told && !written) await cleanUpAfterKeeper(pool, record);
  const state: RunState = {
    ...record.state,
    status: 'exited',
    pid: 0,
    exitCode: told?.exitCode ?? written?.exitCode ?? 137,
    oomKilled: told?.oomKilled ?? written?.oomKilled ?? false,
    error: told || written ? '' : 'its keeper was killed',
    finishedAt: written?.finishedAt ?? now(),
  };
  deps.network.release(record.id);
  const { endpoint: _, ...rest } = record;
  live.record = { ...rest, state };
  if (!record.hostConfig.AutoRemove) saveQuietly(pool, live.record);
  for (const listener of live.exited) listener(state);
  live.exited.clear();
  if (record.hostConfig.AutoRemove)
    await removeNow(pool, live).catch((error) => deps.warn(`cannot remove ${record.id}: ${error}`));
}

interface ExitRecord extends KeeperEnd {
  readonly finishedAt: string;
}

/** exit.json as native/keeper.c writes it. */
export async function readExit(file: string): Promise<ExitRecord | undefined> {
  const document = await readJson(file).catch(() => undefined);
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
    ...(record.endpoint ? await deps.network.cleanup(record, record.endpoint) : []),
    ...cgroupOps(`/hoist/${record.id}`, { devices: [], cpu: { cpus: '0' } }, deps.facts).cleanup,
  ];
  await deps
    .executor()
    .run({ setup: [], child: [], cleanup }, 'fork')
    .catch((error) => deps.warn(`cannot clean up after ${record.id}: ${error}`));
}
