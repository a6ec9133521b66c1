// Puts the verbs together as the interfaces of engine.ts.

import type { Containers } from '../engine.ts';
import { unbuilt } from '../unbuilt.ts';
import { attachContainer } from './attach.ts';
import { createContainer, createWarnings } from './create.ts';
import type { ContainerPool } from './deps.ts';
import { inspectOf } from './describe.ts';
import { explainContainer } from './explain.ts';
import { findContainer } from './find.ts';
import { listContainers, sizesOf } from './list.ts';
import { readLogs } from './logs.ts';
import { removeContainer } from './remove.ts';
import { restartContainer } from './restart.ts';
import { startContainer } from './start.ts';
import { killContainer, stopContainer } from './stop.ts';
import { waitContainer } from './wait.ts';

export function createContainers(pool: ContainerPool): Containers {
  const { deps } = pool;
  return {
    async create(request, options) {
      const record = await createContainer(pool, request, options);
      return { Id: record.id, Warnings: createWarnings(record) };
    },
    start: async (ref, options) => startContainer(pool, findContainer(pool, ref), options),
    attach: async (ref, options) => attachContainer(pool, ref, options?.wait),
    list: (options) => listContainers(pool, options),
    async inspect(ref, options) {
      const live = findContainer(pool, ref);
      const sizes = options?.size ? await sizesOf(pool, live.record.id) : undefined;
      return inspectOf(live.record, deps.paths, deps.store.layers.driver, [...live.execs], sizes);
    },
    stop: async (ref, options) => stopContainer(pool, findContainer(pool, ref), options),
    restart: async (ref, options) => restartContainer(pool, findContainer(pool, ref), options),
    async kill(ref, signal) {
      killContainer(findContainer(pool, ref), signal);
    },
    remove: async (ref, options) => removeContainer(pool, findContainer(pool, ref), options),
    async wait(ref, condition, signal) {
      return { StatusCode: await waitContainer(pool, ref, condition, signal) };
    },
    logs: (ref, options) => readLogs(pool, findContainer(pool, ref), options),
    async resize(ref, { rows, columns }) {
      findContainer(pool, ref).link?.resize(rows, columns);
    },
    rename: async () => unbuilt('rename'),
    pause: async () => unbuilt('pause'),
    unpause: async () => unbuilt('unpause'),
    update: async () => unbuilt('update'),
    top: async () => unbuilt('top'),
    stats: () => unbuilt('stats'),
    changes: async () => unbuilt('diff'),
    export: () => unbuilt('export'),
    statPath: async () => unbuilt('cp'),
    getArchive: async () => unbuilt('cp'),
    putArchive: async () => unbuilt('cp'),
    commit: async () => unbuilt('commit'),
    prune: async () => unbuilt('container prune'),
    explain: (request, options) => explainContainer(pool, request, { name: '', ...options }),
  };
}
