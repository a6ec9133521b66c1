// Trying again: exponential back-off with jitter, the peer's Retry-After honoured within bounds.

import { setTimeout as sleep } from 'node:timers/promises';
import { HoistError } from '../../base/errors.ts';
import { Transient } from './failure.ts';

export interface RetryPolicy {
  /** Attempts in all. */
  readonly attempts: number;
  /** The first wait; each further one is twice as long. */
  readonly backoffMs: number;
  /** A peer that asks for more than this is not waited for. */
  readonly maxWaitMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 5, backoffMs: 500, maxWaitMs: 60_000 };

/** Runs `attempt` until it succeeds, fails for good, or the attempts are used up. */
export async function withRetries<T>(policy: RetryPolicy, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      await pauseBeforeRetry(error, failures, policy, signal);
    }
  }
}

/** Waits before attempt `failures + 1`; throws what the user shall read when there is none. */
export async function pauseBeforeRetry(
  error: unknown,
  failures: number,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<void> {
  throwIfCancelled(signal);
  if (!(error instanceof Transient)) throw error;
  const wait = error.afterMs ?? policy.backoffMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2);
  if (failures >= policy.attempts || error.stalled || wait > policy.maxWaitMs) throw error.final;
  try {
    await sleep(wait, undefined, { signal });
  } catch {
    throwIfCancelled(signal);
  }
}

/** Turns an abort into the one error that every door understands. */
export function throwIfCancelled(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof HoistError) throw signal.reason;
  throw new HoistError('cancelled', 'cancelled', 'cancelled', { cause: signal.reason });
}
