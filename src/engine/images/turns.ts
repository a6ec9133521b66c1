// Who may work at once: a limit on how many, and one at a time per key. Both give up waiting when the signal aborts.

import { setMaxListeners } from 'node:events';
import { throwIfCancelled } from '../../registry/client/retry.ts';

/** Runs at most `count` pieces of work at once, first come first served. `onWait` is called by those that must wait. */
export type Limiter = <T>(signal: AbortSignal, work: () => Promise<T>, onWait?: () => void) => Promise<T>;

export function createLimiter(count: number): Limiter {
  let free = count;
  const waiting = new Set<() => void>();
  return async (signal, work, onWait) => {
    throwIfCancelled(signal);
    while (free === 0) {
      onWait?.();
      await new Promise<void>((resolve) => {
        const go = () => {
          waiting.delete(go);
          signal.removeEventListener('abort', go);
          resolve();
        };
        waiting.add(go);
        signal.addEventListener('abort', go, { once: true });
      });
      throwIfCancelled(signal);
    }
    free--;
    try {
      return await work();
    } finally {
      free++;
      const [next] = waiting;
      next?.();
    }
  };
}

/** One piece of work at a time for each key: the second pull of a layer waits for the first, and finds it done. */
export type KeyedLock = <T>(key: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

export function createKeyedLock(): KeyedLock {
  const limiters = new Map<string, { readonly run: Limiter; users: number }>();
  return async (key, signal, work) => {
    const entry = limiters.get(key) ?? { run: createLimiter(1), users: 0 };
    limiters.set(key, entry);
    entry.users++;
    try {
      return await entry.run(signal, work);
    } finally {
      entry.users--;
      if (entry.users === 0) limiters.delete(key);
    }
  };
}

/** Runs all at once; the first failure aborts the others, is waited out, and is what is thrown. */
export async function allOrNothing<T>(
  signal: AbortSignal,
  start: (signal: AbortSignal) => readonly Promise<T>[],
): Promise<readonly T[]> {
  const inner = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const either = AbortSignal.any([signal, inner.signal]);
  // Every task and each of its requests listens: Node's warning about a leak at eleven would be wrong.
  setMaxListeners(0, either);
  const tasks = start(either).map((task) =>
    task.catch((error: unknown) => {
      failure ??= { error };
      inner.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(tasks);
  throwIfCancelled(signal);
  if (failure !== undefined) throw failure.error;
  return results.map((result) => (result as PromiseFulfilledResult<T>).value);
}
