// `images`: one row per image, newest first.

import type { ImageSummary } from '../../spec/docker/image.ts';
import type { Filters } from '../engine.ts';
import { allImages, createdAt, repoDigests, repoTags, unpackedSize } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { imageFilter } from './filters.ts';
import { resolveImage } from './resolve.ts';

export async function listImages(deps: ImagesDeps, filters: Filters): Promise<readonly ImageSummary[]> {
  const { store } = deps;
  const filter = await imageFilter(filters, {
    now: deps.now?.() ?? new Date(),
    createdOf: async (ref) => createdAt((await resolveImage(store, ref)).config),
  });
  const groups = (await allImages(store)).map(filter).filter((group) => group !== undefined);
  groups.sort((a, b) => createdAt(b.config) - createdAt(a.config));
  return Promise.all(
    groups.map(async (group) => ({
      Id: group.id,
      ParentId: '',
      RepoTags: repoTags(group),
      RepoDigests: repoDigests(group),
      Created: Math.floor(createdAt(group.config) / 1000),
      Size: await unpackedSize(store, group.config),
      SharedSize: -1,
      Labels: group.config.config?.Labels ?? null,
      Containers: -1,
    })),
  );
}
