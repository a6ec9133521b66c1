// Work that goes through many files at once stops now and then, so that the engine can answer others meanwhile.

import { setImmediate } from 'node:timers/promises';

const sliceMs = 8;

export interface Pacer {
  /** It is time to let others have their turn. */
  due(): boolean;
  /** Lets them; fails with the signal's reason where there is one. */
  rest(): Promise<void>;
}

export function pacer(signal: AbortSignal | undefined): Pacer {
  let until = performance.now() + sliceMs;
  let calls = 0;
  return {
    due: () => (++calls & 15) === 0 && performance.now() > until,
    async rest() {
      await setImmediate();
      signal?.throwIfAborted();
      until = performance.now() + sliceMs;
    },
  };
}
