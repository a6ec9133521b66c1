// What a resident engine does for its containers while nobody asks: starts again those whose policy says so, and probes
// the health of those that run. Neither holds up commands: few restarts are under way at one time.

import type { ContainerPool, Live, Supervisor } from './deps.ts';
import { superviseHealth } from './health.ts';
import { isUp, never, saveQuietly } from './record.ts';
import { restartDelay } from './restart-policy.ts';
import { startAgain } from './start.ts';

/** Automatic restarts under way at one time: many that fail at once must not take the engine from its users. */
const atOnce = 4;

/** From now on `pool` is looked after, from what the last engine left behind on. `afterIdle`: it left by itself. */
export function supervise(pool: ContainerPool, { afterIdle }: { readonly afterIdle: boolean }): void {
  const restarts = superviseRestarts(pool);
  const health = superviseHealth(pool);
  pool.supervisor = {
    restartLater: restarts.later,
    watchHealth: health.watch,
    stop() {
      restarts.stop();
      health.stop();
    },
  };
  for (const live of pool.live.values()) {
    if (!afterIdle || !live.record.manuallyStopped) comeBack(pool, live);
    pool.supervisor.watchHealth(live);
  }
}

/** At the start of an engine `always` comes back even after a stop, as with Docker; who was stopped did not fail. */
function comeBack(pool: ContainerPool, live: Live): void {
  const { hostConfig, state, restartCount = 0, manuallyStopped = false } = live.record;
  if (state.status === 'restarting') pool.supervisor?.restartLater(live);
  if (isUp(state) || state.startedAt === never) return;
  if (manuallyStopped && hostConfig.RestartPolicy.Name === 'on-failure') return;
  const run = { exitCode: state.exitCode, restartCount, manuallyStopped, ranMs: 0, lastDelay: 0 };
  if (restartDelay(hostConfig.RestartPolicy, run) === undefined) return;
  live.endWanted = false;
  const { manuallyStopped: _, ...record } = live.record;
  live.record = { ...record, restartCount: restartCount + 1, state: { ...state, status: 'restarting' } };
  saveQuietly(pool, live.record);
  pool.supervisor?.restartLater(live);
}

function superviseRestarts(pool: ContainerPool): { later: Supervisor['restartLater']; stop(): void } {
  const due = new Map<Live, NodeJS.Timeout>();
  const ready: Live[] = [];
  let busy = 0;
  const pump = (): void => {
    for (; busy < atOnce; busy++) {
      const live = ready.shift();
      if (live === undefined || pool.closing) return;
      void again(pool, live).finally(() => {
        busy--;
        pump();
      });
    }
  };
  return {
    later(live) {
      clearTimeout(due.get(live));
      const timer = setTimeout(() => {
        due.delete(live);
        ready.push(live);
        pump();
      }, live.backoff);
      due.set(live, timer.unref());
    },
    stop() {
      for (const timer of due.values()) clearTimeout(timer);
      due.clear();
    },
  };
}

/** A start that fails is not tried again: what was asked for cannot be had (the same as with Docker). */
async function again(pool: ContainerPool, live: Live): Promise<void> {
  try {
    await startAgain(pool, live);
  } catch (error) {
    pool.deps.warn(`cannot start ${live.record.id} again: ${error instanceof Error ? error.message : error}`);
    for (const listener of live.exited) listener(live.record.state, true);
    live.exited.clear();
  }
}
