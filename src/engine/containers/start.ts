// start: address and ports, files, plan, launch; then the process is followed to its end (end.ts).

import { fail } from '../../base/errors.ts';
import { explainPortFailure } from '../../network/publish.ts';
import { containerPlan } from '../../plan/container.ts';
import type { KeeperLink } from '../../runtime/keeper.ts';
import { launch } from '../../runtime/launch.ts';
import type { StartOptions } from '../engine.ts';
import { isForwarded } from '../logging/options.ts';
import { mountVolumes, releaseVolumes, tellMounted, tellUnmounted } from '../volumes/use.ts';
import { attachPoint, letJoin, refuseAll } from './attach.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { finish } from './end.ts';
import { startingHealth } from './health-state.ts';
import { prepare } from './prepare.ts';
import {
  type Connection,
  isUp,
  never,
  now,
  type RunState,
  saveQuietly,
  saveRecord,
  withoutEndpoints,
} from './record.ts';
import { removeNow } from './remove.ts';
import { tell } from './tell.ts';

export function startContainer(pool: ContainerPool, live: Live, options: StartOptions = {}): Promise<void> {
  return inTurn(live, async () => {
    const { status } = live.record.state;
    if (status === 'paused')
      fail('conflict', 'container.paused', 'cannot start a paused container, try unpause instead');
    if (status === 'removing' || status === 'dead')
      fail('conflict', 'container.removing', 'container is marked for removal and cannot be started');
    if (isUp(live.record.state)) return;
    const { manuallyStopped: _, restartCount: __, ...record } = live.record;
    live.record = record;
    live.endWanted = false;
    live.backoff = 0;
    await startNow(pool, live, options);
  });
}

/** The start that a restart policy asked for; nothing, where somebody stopped or removed it meanwhile. */
export function startAgain(pool: ContainerPool, live: Live): Promise<void> {
  return inTurn(live, async () => {
    if (live.record.state.status === 'restarting' && !live.endWanted) await startNow(pool, live, {});
  });
}

async function startNow(pool: ContainerPool, live: Live, options: StartOptions): Promise<void> {
  const { deps } = pool;
  const { record } = live;
  let mounted = false;
  try {
    if (record.volumes ?? record.images) await mountVolumes(pool, live);
    mounted = true;
    tellMounted(pool, record);
    const network = await deps.network.attach(record);
    if (isForwarded(record.hostConfig.LogConfig)) await deps.logging.begin(record);
    const attached = options.onAttachable !== undefined;
    rememberState(pool, live, network.connections);
    const expected = (attached ? 2 : 1) + live.attaching.size;
    const { input } = await prepare(pool, live.record, network, expected);
    const { socket } = input.keeper;
    const launched = await launch(deps.executor(), containerPlan(input), {
      socket,
      onAttachable: () => {
        if (options.onAttachable) tell(pool, record, 'attach');
        const point = attachPoint(pool, live, socket);
        options.onAttachable?.(point);
        letJoin(live, point);
      },
      explain: explainPortFailure,
      ...(options.onStep ? { onStep: options.onStep } : {}),
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
      ...startingHealth(record.config.Healthcheck, record.state.health),
    };
    live.record = { ...live.record, state };
    setTimeout(() => noteRunning(pool, live), noteDelayMs);
    tell(pool, live.record, 'start');
    deps.logging.started(record);
    follow(pool, live, launched.link);
    if (state.health) pool.supervisor?.watchHealth(live);
  } catch (error) {
    deps.network.distrust(record.id);
    deps.network.release(record.id);
    if (record.volumes ?? record.images) await releaseVolumes(pool, record);
    if (mounted) tellUnmounted(pool, record);
    await deps.logging.end(record);
    refuseAll(live, error);
    const message = error instanceof Error ? error.message : String(error);
    live.record = {
      ...live.record,
      connections: withoutEndpoints(live.record.connections),
      state: {
        ...record.state,
        status: record.state.startedAt === never ? 'created' : 'exited',
        error: message,
        exitCode: exitCodeOf(error),
        finishedAt: record.state.finishedAt,
      },
    };
    saveQuietly(pool, live.record);
    if (record.hostConfig.AutoRemove) await removeNow(pool, live, true);
    throw error;
  }
}

/** Nobody waits for it: an engine that finds no note asks the keeper. What has ended by then needs none. */
function noteRunning(pool: ContainerPool, live: Live): void {
  if (live.link && pool.live.get(live.record.id) === live) saveQuietly(pool, live.record);
}
const noteDelayMs = 10;

/** What a crash between now and `running` must find: the addresses and ports that are held. */
function rememberState(pool: ContainerPool, live: Live, connections: readonly Connection[]): void {
  live.record = { ...live.record, connections };
  if (connections.some(({ endpoint }) => endpoint?.address)) saveRecord(pool.deps.paths, live.record);
}

function exitCodeOf(error: unknown): number {
  const kind = error instanceof Error && 'kind' in error ? error.kind : '';
  return kind === 'command_not_found' ? 127 : kind === 'not_executable' ? 126 : 128;
}

/** Waits for the end of a process, in the background. Also used for the keepers that an engine finds at its start. */
export function follow(pool: ContainerPool, live: Live, link: KeeperLink): void {
  live.ended = link.ended.then((end) => (pool.closing ? undefined : finish(pool, live, end)));
}
