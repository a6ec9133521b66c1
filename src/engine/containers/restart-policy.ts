// Whether, and after how long, a container whose process ended is started again: Docker's rules. Pure.

import type { HostConfig } from '../../spec/docker/container.ts';

const firstDelay = 100;
const longestDelay = 60_000;
/** Who ran that long did not fail at once: its next delay is the first again. */
const steadyMs = 10_000;

export interface EndedRun {
  readonly exitCode: number;
  /** Automatic restarts so far. */
  readonly restartCount: number;
  readonly manuallyStopped: boolean;
  readonly ranMs: number;
  /** What the last restart waited; 0: none did. */
  readonly lastDelay: number;
}

/** Milliseconds to wait; undefined: it stays as it is. */
export function restartDelay(policy: HostConfig['RestartPolicy'], run: EndedRun): number | undefined {
  if (!wantsRestart(policy, run)) return undefined;
  if (run.lastDelay === 0 || run.ranMs >= steadyMs) return firstDelay;
  return Math.min(run.lastDelay * 2, longestDelay);
}

function wantsRestart({ Name, MaximumRetryCount }: HostConfig['RestartPolicy'], run: EndedRun): boolean {
  switch (Name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !run.manuallyStopped;
    case 'on-failure':
      return run.exitCode !== 0 && (MaximumRetryCount === 0 || run.restartCount < MaximumRetryCount);
    default:
      return false;
  }
}
