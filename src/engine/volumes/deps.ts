// Volumes as they live in the engine's memory.

import type { VolumeStore } from '../../volumes/store.ts';

export interface VolumePool {
  readonly store: VolumeStore;
  /** Of those that are a file system of their own, mounted in the executor's namespace: the containers that run with each. */
  readonly mounted: Map<string, Set<string>>;
  /** What is done to one volume is done one after the other. */
  readonly turns: Map<string, Promise<unknown>>;
}

export function newVolumePool(store: VolumeStore): VolumePool {
  return { store, mounted: new Map(), turns: new Map() };
}

/** Runs `act` when everything that was asked of this volume before is done. */
export function volumeTurn<T>(pool: VolumePool, name: string, act: () => Promise<T>): Promise<T> {
  const result = (pool.turns.get(name) ?? Promise.resolve()).then(act, act);
  const settled = result
    .catch(() => undefined)
    .then(() => {
      if (pool.turns.get(name) === settled) pool.turns.delete(name);
    });
  pool.turns.set(name, settled);
  return result;
}
