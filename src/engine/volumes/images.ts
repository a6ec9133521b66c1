// --mount type=image: another image's files, read-only. They are joined once in the executor's mount namespace, for all
// containers that run with them, and mounted from there like a volume.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import { k, type Op, op } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import type { HostConfig, MountPoint } from '../../spec/docker/container.ts';
import { errnoName } from '../../sys/errno.ts';
import { unmountVolumeOps } from '../../volumes/options.ts';
import type { ContainerPool } from '../containers/deps.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { resolveImage } from '../images/resolve.ts';
import { volumeTurn } from './deps.ts';
import type { ImageUse } from './uses.ts';

/** Fails where there is no such image. */
export async function imageUses({ deps }: ContainerPool, { Mounts = [] }: HostConfig): Promise<readonly ImageUse[]> {
  return await Promise.all(
    Mounts.filter(({ Type }) => Type === 'image').map(async ({ Source = '', Target, ImageOptions }) => {
      const image = await resolveImage(deps.store, Source);
      const subpath = ImageOptions?.Subpath;
      return {
        destination: path.resolve('/', Target),
        id: image.id,
        manifest: image.stored.manifest.digest,
        layers: image.config.rootfs.diff_ids,
        ...(subpath ? { subpath } : {}),
      };
    }),
  );
}

export function withImages(
  pool: ContainerPool,
  mounts: readonly MountPoint[],
  images: readonly ImageUse[],
): readonly MountPoint[] {
  return mounts.map((mount) => {
    const use = images.find(({ destination }) => destination === mount.Destination);
    return use ? { ...mount, Source: placeOf(pool, use) } : mount;
  });
}

function placeOf({ deps }: ContainerPool, { manifest }: ImageUse): string {
  return path.join(deps.layers.directory, `image-${manifest.slice(manifest.indexOf(':') + 1).slice(0, 24)}`);
}

export async function mountImage(pool: ContainerPool, record: ContainerRecord, use: ImageUse): Promise<void> {
  const { deps } = pool;
  const place = placeOf(pool, use);
  await volumeTurn(deps.volumes, place, async () => {
    const users = deps.volumes.mounted.get(place) ?? new Set();
    if (users.size === 0) {
      const layers = await Promise.all(use.layers.map((diffId) => deps.store.layers.info(diffId)));
      const names = await deps.layers.mounted(layers);
      const plan = { setup: joinOps(deps.layers.directory, [...names].reverse(), place), child: [], cleanup: [] };
      const result = await deps.executor().run(plan, 'fork');
      if (!result.ok)
        fail(
          'system',
          'mount.image',
          `cannot mount image ${use.id}: ${explainFailure(plan, result.failure, errnoName)}`,
        );
    }
    deps.volumes.mounted.set(place, users.add(record.id));
  });
}

/** `layers`: the top one first. A single one is bound: overlayfs wants two. */
function joinOps(directory: string, layers: readonly string[], place: string): Op[] {
  const [only = ''] = layers;
  const lowerdir = layers.map((layer) => layer.replace(/[\\:,]/g, '\\$&')).join(':');
  const mount = { target: place, data: '' };
  return [
    op('mkdir', { path: place, mode: 0o755 }, 'where it is mounted', k.EEXIST),
    op('chdir', { path: directory }, 'layer names are relative to it'),
    layers.length === 1
      ? op('mountClassic', { ...mount, source: only, fstype: 'none', flags: 0x1000 }, 'the only layer of the image')
      : op(
          'mountClassic',
          { ...mount, source: 'overlay', fstype: 'overlay', flags: 1, data: `lowerdir=${lowerdir}` },
          "the image's layers, read-only",
        ),
  ];
}

export async function unmountImage(pool: ContainerPool, record: ContainerRecord, use: ImageUse): Promise<void> {
  const { volumes, executor, warn } = pool.deps;
  const place = placeOf(pool, use);
  if (!volumes.mounted.get(place)?.has(record.id)) return;
  await volumeTurn(volumes, place, async () => {
    const users = volumes.mounted.get(place);
    if (!users?.delete(record.id) || users.size > 0) return;
    volumes.mounted.delete(place);
    const plan = { setup: unmountVolumeOps(place), child: [], cleanup: [] };
    const result = await executor().run(plan, 'fork');
    if (!result.ok) warn(`cannot unmount image ${use.id}: ${explainFailure(plan, result.failure, errnoName)}`);
  });
}
