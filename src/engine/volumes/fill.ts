// Copies what an image has at a mount point into the volume that covers it, once, and whole or not at all: the copy grows
// beside the volume's content and takes its place in one rename. Whatever is left of a copy that was cut off is no content.

import { chmod, chown, lstat, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../../base/errors.ts';
import { exists } from '../../base/files.ts';
import { explainFailure } from '../../plan/print.ts';
import { errnoName } from '../../sys/errno.ts';
import { copyContentOps, lookedFor } from '../../volumes/content.ts';
import type { VolumeDocument, VolumePaths } from '../../volumes/store.ts';
import type { ContainerPool } from '../containers/deps.ts';
import type { ContainerRecord, VolumeUse } from '../containers/record.ts';
import { usersOf } from './list.ts';
import { removeFiles } from './remove.ts';

/** Within the volume's turn. A volume that is a file system of its own is never filled. */
export async function fillVolume(
  pool: ContainerPool,
  record: ContainerRecord,
  { name, destination }: VolumeUse,
  document: VolumeDocument,
): Promise<void> {
  if (document.options !== null) return;
  const paths = pool.deps.volumes.store.paths(name);
  if (await exists(paths.fresh)) await removeFiles(pool, paths.fresh);
  if (await exists(paths.joining)) return await join(paths);
  if ((await readdir(paths.data)).length > 0) return await removeFiles(pool, paths.ready); // somebody else was first
  if (!(await exists(paths.ready))) {
    if (!(await copyContent(pool, record, destination, paths.fresh))) return;
    await rename(paths.fresh, paths.ready);
  }
  await publish(pool, record, name);
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
  if (failure.section === 'setup' && plan.setup[failure.index]?.why === lookedFor) return false;
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
async function publish(pool: ContainerPool, record: ContainerRecord, name: string): Promise<void> {
  const paths = pool.deps.volumes.store.paths(name);
  const held = usersOf(pool, name).some((id) => id !== record.id && pool.live.get(id)?.link !== undefined);
  if (!held) return await rename(paths.ready, paths.data); // over an empty directory
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
