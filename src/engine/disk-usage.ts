// `system df`: what images, containers and volumes take.

import { fail } from '../base/errors.ts';
import type { DiskUsage } from '../spec/docker/system.ts';
import type { Store } from '../store/store.ts';
import type { ContainerPool } from './containers/deps.ts';
import type { Containers, Images } from './engine.ts';
import { allImages } from './images/catalog.ts';
import { volumeUsage } from './volumes/list.ts';

export interface UsageSources {
  readonly pool: ContainerPool;
  readonly images: Images;
  readonly containers: Containers;
}

const kinds = ['container', 'image', 'volume', 'build-cache'];

/** `types`: the kinds that are counted; what is not asked for is null, as in Docker. */
export async function diskUsage(
  { pool, images, containers }: UsageSources,
  types: readonly string[],
): Promise<DiskUsage> {
  const wanted = (kind: string): boolean => types.length === 0 || types.includes(kind);
  const unknown = types.find((type) => !kinds.includes(type));
  if (unknown !== undefined) fail('invalid', 'df.type', `unknown object type: ${unknown}`);
  const [rows, rooms, volumes] = await Promise.all([
    wanted('image') ? images.list({ all: true, filters: {}, sharedSize: true, containerCount: true }) : null,
    wanted('container') ? containers.list({ all: true, limit: 0, size: true, filters: {} }) : null,
    wanted('volume') ? volumeUsage(pool) : null,
  ]);
  return {
    LayersSize: wanted('image') ? await layersSize(pool.deps.store) : 0,
    Images: rows,
    Containers: rooms,
    Volumes: volumes,
    BuildCache: wanted('build-cache') ? [] : null,
  };
}

/** Unpacked bytes of every layer that an image has, each counted once. */
async function layersSize(store: Store): Promise<number> {
  const layers = new Set((await allImages(store)).flatMap(({ config }) => config.rootfs.diff_ids));
  const infos = await Promise.all([...layers].map((diffId) => store.layers.info(diffId)));
  return infos.reduce((sum, { size }) => sum + size, 0);
}
