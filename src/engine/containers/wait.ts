// wait: until a container does not run, ends once more, or is gone.

import { fail } from '../../base/errors.ts';
import type { WaitCondition } from '../engine.ts';
import type { ContainerPool, Live } from './deps.ts';
import { findContainer } from './find.ts';
import { isUp, type RunState } from './record.ts';

export interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string };
}

export async function waitContainer(
  pool: ContainerPool,
  ref: string,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<WaitAnswer> {
  const gone = pool.gone.get(ref);
  if (gone !== undefined) return { StatusCode: gone };
  const live = findContainer(pool, ref);
  const { state } = live.record;
  if (condition === 'not-running' && !isUp(state)) return { StatusCode: state.exitCode };
  return untilTold(live, condition, signal);
}

function untilTold(live: Live, condition: WaitCondition, signal: AbortSignal): Promise<WaitAnswer> {
  return new Promise((resolve, reject) => {
    const done = (StatusCode: number): void => {
      stop();
      resolve({ StatusCode });
    };
    const exited = ({ exitCode, error }: RunState, startFailed = false): void => {
      stop();
      resolve({ StatusCode: exitCode, ...(startFailed ? { Error: { Message: error } } : {}) });
    };
    const aborted = (): void => {
      stop();
      try {
        fail('cancelled', 'wait.cancelled', `stopped waiting for container ${live.record.name}`);
      } catch (error) {
        reject(error);
      }
    };
    const stop = (): void => {
      live.exited.delete(exited);
      live.removed.delete(done);
      signal.removeEventListener('abort', aborted);
    };
    live.removed.add(done); // also for the other conditions: who is gone does not end once more
    if (condition !== 'removed') live.exited.add(exited);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
}
