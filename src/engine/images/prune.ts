// `image prune`: takes away what nobody uses, in one sweep: images without a name, or (`dangling=false`) without a container.

import { fail } from '../../base/errors.ts';
import type { ImageDeleteItem } from '../../spec/docker/image.ts';
import type { Filters } from '../engine.ts';
import { allImages } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { imageFilter } from './filters.ts';
import { deleteImages } from './remove.ts';

const known = ['dangling', 'label', 'label!', 'until'];

export async function pruneImages(
  deps: ImagesDeps,
  filters: Filters,
): Promise<{ readonly ImagesDeleted: readonly ImageDeleteItem[]; readonly SpaceReclaimed: number }> {
  for (const key of Object.keys(filters)) {
    if (!known.includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  }
  const { dangling, ...rest } = filters;
  const onlyDangling = dangling === undefined || dangling.length === 0 || dangling.some(isTrue);
  const filter = await imageFilter(
    { ...rest, ...(onlyDangling ? { dangling: ['true'] } : {}) },
    { now: deps.now?.() ?? new Date(), createdOf: async () => 0 },
  );
  const unused = (await allImages(deps.store))
    .filter((group) => filter(group) !== undefined && deps.usedBy(group.id).length === 0)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const { items, reclaimed } = await deleteImages(deps, unused);
  deps.events?.emit('image', 'prune', '', { reclaimed: String(reclaimed) });
  return { ImagesDeleted: items, SpaceReclaimed: reclaimed };
}

function isTrue(value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  return fail('invalid', 'filter.invalid', `invalid filter 'dangling=[${value}]'`);
}
