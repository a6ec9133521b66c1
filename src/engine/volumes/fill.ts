// Copies what an image has at a mount point into the volume that covers it, once, and whole or not at all: the copy grows
// beside the volume's content and takes its place in one rename. Whatever is left of a copy that was cut off is no content.

import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { k } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import { errnoName } from '../../sys/errno.ts';
import { copyContentOps, lookedFor } from '../../volumes/content.ts';
import { boundDirectory } from '../../volumes/options.ts';
import type { VolumeDocument, VolumePaths } from '../../volumes/store.ts';
import type { ContainerPool } from '../containers/deps.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { usersOf } from './list.ts';
import { removeFiles } from './remove.ts';
import type { VolumeUse } from './uses.ts';

/** Within the volume's turn. Of volumes with options, only those that are a directory of the host are filled. */
export async function fillVolume(
  pool: ContainerPool,
  record: ContainerRecord,
  { name, destination }: VolumeUse,
  document: VolumeDocument,
): Promise<void> {
  const paths = placeOf(pool, document);
  if (!paths || !(await exists(paths.data))) return;
  await removeCutOff(pool, paths);
  if (await exists(paths.joining)) return await join(paths);
  if (!(await isEmpty(paths))) return await removeFiles(pool, paths.ready); // somebody else was first
  if (!(await exists(paths.ready))) {
    // a name of its own: a copy that lost its engine may still grow for a moment
    const fresh = `${paths.fresh}.${randomBytes(6).toString('hex')}`;
    if (!(await copyContent(pool, record, destination, fresh))) return;
    await rename(fresh, paths.ready);
  }
  await publish(pool, record, paths, name);
}

/** Where the copy grows: on one file system with the content, for the rename. */
function placeOf({ deps }: ContainerPool, { name, options }: VolumeDocument): VolumePaths | undefined {
  if (options === null) return deps.volumes.store.paths(name);
  const data = boundDirectory(options);
  if (data === undefined) return undefined;
  const within = (part: string): string => path.join(data, `.hoist-${part}`);
  return { dir: data, data, fresh: within('new'), ready: within('ready'), joining: within('joining') };
}

async function removeCutOff(pool: ContainerPool, { dir, fresh }: VolumePaths): Promise<void> {
  const prefix = `${path.basename(fresh)}.`;
  for (const name of await readdir(dir)) if (name.startsWith(prefix)) await removeFiles(pool, path.join(dir, name));
}

async function isEmpty({ data }: VolumePaths): Promise<boolean> {
  return (await readdir(data)).every((entry) => entry.startsWith('.hoist-'));
}

/** False where the image has no directory there. */
async function copyContent(
  pool: ContainerPool,
  record: ContainerRecord,
  destination: string,
  target: string,
): Promise<boolean> {
  const { deps } = pool;
  const layers = await Promise.all(record.image.layers.map((diffId) => deps.store.layers.info(diffId)));
  const names = await deps.layers.mounted(layers);
  const source = {
    layersDir: deps.layers.directory,
    layers: [...[...names].reverse(), 'init'],
    mountpoint: path.join(deps.paths.run, 'rootfs'),
    path: destination,
  };
  const plan = { setup: copyContentOps(source, target, true), child: [], cleanup: [] };
  const result = await deps.executor().run(plan, 'fork');
  if (result.ok) return true;
  const { failure } = result;
  if (failure.section === 'setup' && plan.setup[failure.index]?.why === lookedFor) {
    if (failure.errno === k.ENOTDIR)
      fail('invalid', 'volume.over_file', `cannot mount volume over existing file, file exists ${destination}`);
    return false;
  }
  await removeFiles(pool, target);
  return fail(
    'system',
    'volume.copy',
    `cannot copy the image's ${destination} into its volume: ${explainFailure(plan, failure, errnoName)}`,
  );
}

/**
 * Puts the copy in the content's place. A container that runs with the empty volume holds on to its directory: there the
 * copy's entries move in one by one, and what is there by now stays.
 */
async function publish(pool: ContainerPool, record: ContainerRecord, paths: VolumePaths, name: string): Promise<void> {
  const held = usersOf(pool, name).some((id) => id !== record.id && pool.live.get(id)?.link !== undefined);
  const bound = paths.dir === paths.data;
  if (!held && !bound) return await rename(paths.ready, paths.data); // fails where it is not empty any more
  await rename(paths.ready, paths.joining);
  await join(paths);
}

/** Goes on where it was cut off. */
async function join({ data, joining }: VolumePaths): Promise<void> {
  const there = new Set(await readdir(data));
  for (const entry of await readdir(joining)) {
    if (!there.has(entry)) await rename(path.join(joining, entry), path.join(data, entry));
  }
  const { uid, gid, mode } = await lstat(joining);
  await chown(data, uid, gid);
  await chmod(data, mode & 0o7777);
  await rm(joining, { recursive: true, force: true });
}
