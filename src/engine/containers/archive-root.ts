// A container's root from outside. One that runs: through its first process, with everything that is mounted there. One
// that does not: its overlay, volumes and binds, mounted in the executor's namespace for as long as they are looked at.

import { closeSync, constants, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, fail, isHoistError } from '../../base/errors.ts';
import type { Op } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import { endViewOps, type View, viewOps } from '../../plan/view.ts';
import { errnoName } from '../../sys/errno.ts';
import { openTree, type Tree } from '../files/tree.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { bindsOf } from './oci.ts';
import { type ContainerRecord, pathsOf } from './record.ts';

export interface OpenRoot extends AsyncDisposable {
  readonly tree: Tree;
}

/** To read from, with volumes and binds. It may start or end meanwhile. */
export async function openRoot(pool: ContainerPool, live: Live): Promise<OpenRoot> {
  const running = runningRoot(live);
  if (running) return running;
  try {
    return await mountRoot(pool, live.record, { writable: false, mounts: true });
  } catch (error) {
    if (!isHoistError(error, 'container.root') || live.record.mounts.length === 0) throw error;
    // One that never ran has no places for its mounts yet, and a read-only root gets none.
    await withWritableRoot(pool, live, async () => undefined);
    return runningRoot(live) ?? (await mountRoot(pool, live.record, { writable: false, mounts: true }));
  }
}

/** Its root file system alone, as it is now, without anything that is mounted in it. */
export function openBareRoot(pool: ContainerPool, live: Live): Promise<OpenRoot> {
  return mountRoot(pool, live.record, { writable: false, mounts: false });
}

/** What its image alone has. */
export function openImageRoot(pool: ContainerPool, live: Live): Promise<OpenRoot> {
  return mountRoot(pool, live.record, { writable: false, mounts: false, image: true });
}

/** To write to. One that does not run cannot start, or be removed, until it is done. */
export async function withWritableRoot<T>(
  pool: ContainerPool,
  live: Live,
  use: (root: OpenRoot) => Promise<T>,
): Promise<T> {
  const running = runningRoot(live);
  if (running) {
    await using root = running;
    return await use(root);
  }
  return inTurn(live, async () => {
    await using root = runningRoot(live) ?? (await mountRoot(pool, live.record, { writable: true, mounts: true }));
    return await use(root);
  });
}

/**
 * The root of its first process. Its pid may be another's by now, if it ended and nobody has told us yet: only a child of
 * its own keeper is taken for it, and /proc/<pid>, once open, stays that process's.
 */
function runningRoot({ record, link }: Live): OpenRoot | undefined {
  const { pid } = record.state;
  if (link === undefined || pid <= 0) return undefined;
  let proc: number | undefined;
  try {
    proc = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY);
    const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fd/${proc}/status`, 'latin1'))?.[1];
    const keeper = readFileSync(`/proc/${parent}/cmdline`, 'latin1');
    if (!keeper.startsWith(`hoist-keeper ${record.id.slice(0, 12)}`)) return undefined;
    const tree = openTree(`/proc/self/fd/${proc}/root`);
    return {
      tree,
      async [Symbol.asyncDispose]() {
        tree[Symbol.dispose]();
      },
    };
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined; // it has just ended
    throw error;
  } finally {
    if (proc !== undefined) closeSync(proc);
  }
}

async function mountRoot(
  pool: ContainerPool,
  record: ContainerRecord,
  { writable, mounts, image }: { readonly writable: boolean; readonly mounts: boolean; readonly image?: boolean },
): Promise<OpenRoot> {
  const { deps } = pool;
  const paths = pathsOf(deps.paths, record.id);
  const infos = await Promise.all(record.image.layers.map((diffId) => deps.store.layers.info(diffId)));
  const names = await deps.layers.mounted(infos);
  // not in the container's own directory: that can be removed meanwhile
  const view = `view-${record.id.slice(0, 12)}-${process.hrtime.bigint().toString(36)}`;
  const place = path.join(deps.layers.directory, view);
  const upper = !writable && !image && existsSync(paths.upper) ? [paths.upper] : [];
  const layers = [...upper, ...[...names].reverse(), 'init'];
  const wanted: View = {
    place,
    layersDir: deps.layers.directory,
    // an overlay without a writable layer wants two
    layers: layers.length > 1 || writable ? layers : [...layers, path.join(deps.paths.run, 'rootfs')],
    writable: writable ? { data: paths.data, upper: paths.upper, work: paths.work } : undefined,
    mounts: mounts ? mountsOf(record) : [],
  };
  const end = async (): Promise<void> => {
    await deps.executor().run({ setup: endViewOps(place), child: [], cleanup: [] }, 'fork');
  };
  try {
    await carryOut(pool, viewOps(wanted), record);
    const tree = openTree(`/proc/${deps.executor().pid}/root${place}`);
    return {
      tree,
      async [Symbol.asyncDispose]() {
        tree[Symbol.dispose]();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function carryOut({ deps }: ContainerPool, setup: readonly Op[], { id }: ContainerRecord): Promise<void> {
  const plan = { setup, child: [], cleanup: [] };
  const result = await deps.executor().run(plan, 'fork');
  if (!result.ok) {
    const why = explainFailure(plan, result.failure, errnoName);
    fail('system', 'container.root', `cannot mount the root of container ${id.slice(0, 12)}: ${why}`);
  }
}

function mountsOf(record: ContainerRecord): View['mounts'] {
  return bindsOf(record)
    .filter(({ source }) => existsSync(source))
    .map((mount) => ({
      mount,
      kind: statSync(mount.source).isDirectory() ? ('directory' as const) : ('file' as const),
    }))
    .sort((a, b) => a.mount.destination.split('/').length - b.mount.destination.split('/').length);
}
