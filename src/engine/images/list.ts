// `images`: one row per image, newest first.

import type { ImageSummary } from '../../spec/docker/image.ts';
import type { Filters } from '../engine.ts';
import { allImages, createdAt, type ImageGroup, repoDigests, repoTags, unpackedSize } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { imageFilter } from './filters.ts';
import { resolveImage } from './resolve.ts';

export interface ListOptions {
  readonly filters: Filters;
  /** Bytes of layers that other images have too. */
  readonly sharedSize?: boolean;
  readonly containerCount?: boolean;
}

export async function listImages(deps: ImagesDeps, options: ListOptions): Promise<readonly ImageSummary[]> {
  const { store } = deps;
  const filter = await imageFilter(options.filters, {
    now: deps.now?.() ?? new Date(),
    createdOf: async (ref) => createdAt((await resolveImage(store, ref)).config),
  });
  const all = await allImages(store);
  const users = options.sharedSize === true ? layerUsers(all) : undefined;
  const groups = all.map(filter).filter((group) => group !== undefined);
  groups.sort((a, b) => createdAt(b.config) - createdAt(a.config));
  return Promise.all(
    groups.map(async (group) => ({
      Id: group.id,
      ParentId: '',
      RepoTags: repoTags(group),
      RepoDigests: repoDigests(group),
      Created: Math.floor(createdAt(group.config) / 1000),
      Size: await unpackedSize(store, group.config.rootfs.diff_ids),
      SharedSize: users === undefined ? -1 : await unpackedSize(store, sharedLayers(group, users)),
      Labels: group.config.config?.Labels ?? null,
      Containers: options.containerCount === true ? deps.usedBy(group.id).length : -1,
    })),
  );
}

/** How many images have a layer. */
function layerUsers(groups: readonly ImageGroup[]): ReadonlyMap<string, number> {
  const users = new Map<string, number>();
  for (const { config } of groups) {
    for (const diffId of new Set(config.rootfs.diff_ids)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  }
  return users;
}

function sharedLayers({ config }: ImageGroup, users: ReadonlyMap<string, number>): readonly string[] {
  return config.rootfs.diff_ids.filter((diffId) => (users.get(diffId) ?? 0) > 1);
}
