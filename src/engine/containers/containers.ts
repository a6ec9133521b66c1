// Puts the verbs together as the interfaces of engine.ts.

import type { Containers } from '../engine.ts';
import { getArchive, putArchive, statPath } from './archive.ts';
import { attachContainer } from './attach.ts';
import { changesOf } from './changes.ts';
import { commitContainer } from './commit.ts';
import { createContainer } from './create.ts';
import type { ContainerPool } from './deps.ts';
import { inspectOf } from './describe.ts';
import { explainContainer } from './explain.ts';
import { exportContainer } from './export.ts';
import { findContainer } from './find.ts';
import { completeHostConfig } from './host-config.ts';
import { shownLinks } from './links.ts';
import { listContainers, sizesOf } from './list.ts';
import { readLogs } from './logs.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { restartContainer } from './restart.ts';
import { startContainer } from './start.ts';
import { containerStats } from './stats.ts';
import { killContainer, requireRunning, stopContainer } from './stop.ts';
import { tell } from './tell.ts';
import { topContainer } from './top.ts';
import { updateContainer } from './update.ts';
import { waitContainer } from './wait.ts';
import { createWarnings } from './warnings.ts';

export function createContainers(pool: ContainerPool): Containers {
  const { deps } = pool;
  return {
    async create(request, options) {
      const record = await createContainer(pool, request, options);
      return { Id: record.id, Warnings: createWarnings(record, pool.deps.facts) };
    },
    start: async (ref, options) => startContainer(pool, findContainer(pool, ref), options),
    attach: async (ref, options) => attachContainer(pool, ref, options?.wait),
    list: (options) => listContainers(pool, options),
    async inspect(ref, options) {
      const live = findContainer(pool, ref);
      const sizes = options?.size ? await sizesOf(pool, live.record.id) : undefined;
      const record = shownLinks(pool, live.record);
      const shown = inspectOf(record, deps.paths, deps.store.layers.driver, [...live.execs], sizes);
      return { ...shown, HostConfig: completeHostConfig(shown.HostConfig, deps.facts.cgroup.version) };
    },
    stop: async (ref, options) => stopContainer(pool, findContainer(pool, ref), options),
    restart: async (ref, options) => restartContainer(pool, findContainer(pool, ref), options),
    kill: (ref, signal) => killContainer(pool, ref, signal),
    remove: async (ref, options) => removeContainer(pool, findContainer(pool, ref), options),
    wait: (ref, condition, signal) => waitContainer(pool, ref, condition, signal),
    logs: (ref, options) => readLogs(pool, findContainer(pool, ref), options),
    async resize(ref, { rows, columns }) {
      const live = findContainer(pool, ref);
      requireRunning(live);
      live.link?.resize(rows, columns);
      tell(pool, live.record, 'resize', { height: String(rows), width: String(columns) });
    },
    rename: async (ref, name) => renameContainer(pool, findContainer(pool, ref), name),
    pause: async (ref) => pauseContainer(pool, findContainer(pool, ref)),
    unpause: async (ref) => unpauseContainer(pool, findContainer(pool, ref)),
    update: async (ref, update) => updateContainer(pool, findContainer(pool, ref), update),
    top: async (ref, psArgs) => topContainer(pool, findContainer(pool, ref), psArgs),
    async *stats(ref, options) {
      yield* containerStats(pool, findContainer(pool, ref), options);
    },
    changes: async (ref) => changesOf(pool, findContainer(pool, ref)),
    export: (ref, signal) => exportContainer(pool, findContainer(pool, ref), signal),
    statPath: async (ref, path) => statPath({ pool, live: findContainer(pool, ref), ref, path }),
    getArchive: async (ref, path, signal) => getArchive({ pool, live: findContainer(pool, ref), ref, path }, signal),
    putArchive: async (ref, path, tar, options) =>
      putArchive({ pool, live: findContainer(pool, ref), ref, path }, tar, options),
    commit: async (ref, options) => commitContainer(pool, findContainer(pool, ref), options),
    prune: (filters) => pruneContainers(pool, filters),
    explain: (request, options) => explainContainer(pool, request, { name: '', ...options }),
  };
}
