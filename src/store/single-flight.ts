// Two requests for one thing at once are one piece of work. When the first fails for a reason of its own (its peer, its
// signal), the next one does it by its own means.

import { abortable } from '../base/streams.ts';

export interface Attempt<T> {
  /** What is here already; undefined: it must be made. */
  readonly known: () => Promise<T | undefined>;
  readonly work: () => Promise<T>;
}

export type SingleFlight<T> = (key: string, signal: AbortSignal, attempt: Attempt<T>) => Promise<T>;

export function singleFlight<T>(): SingleFlight<T> {
  const inFlight = new Map<string, Promise<T>>();
  return async (key, signal, attempt) => {
    for (let other = inFlight.get(key); other !== undefined; other = inFlight.get(key)) {
      await abortable(other, signal).catch(() => signal.throwIfAborted());
    }
    const mine = attempt.known().then((known) => known ?? attempt.work());
    inFlight.set(key, mine);
    try {
      return await mine;
    } finally {
      inFlight.delete(key);
    }
  };
}
