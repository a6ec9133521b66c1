// wait: until a container does not run, ends once more, or is gone.

import { fail } from '../../base/errors.ts';
import type { WaitCondition } from '../engine.ts';
import type { ContainerPool, Live } from './deps.ts';
import { findContainer } from './find.ts';

export async function waitContainer(
  pool: ContainerPool,
  ref: string,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<number> {
  const gone = pool.gone.get(ref);
  if (gone !== undefined) return gone;
  const live = findContainer(pool, ref);
  if (condition === 'not-running' && live.record.state.status !== 'running') return live.record.state.exitCode;
  return untilTold(live, condition, signal);
}

function untilTold(live: Live, condition: WaitCondition, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const done = (code: number): void => {
      stop();
      resolve(code);
    };
    const exited = ({ exitCode }: { exitCode: number }): void => done(exitCode);
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
    if (condition === 'removed') live.removed.add(done);
    else live.exited.add(exited);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
}
