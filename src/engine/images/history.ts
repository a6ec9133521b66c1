// `history`: the steps that made an image, newest first, with what each added.

import type { HistoryRow } from '../../spec/docker/system.ts';
import { parsePlatform } from '../../spec/oci/platform.ts';
import { imageWithId, repoTags } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { resolveImage } from './resolve.ts';

export async function imageHistory(deps: ImagesDeps, text: string, platform: string): Promise<readonly HistoryRow[]> {
  const { store } = deps;
  const wanted = platform === '' ? {} : { platform: parsePlatform(platform, deps.host) };
  const { id, config } = await resolveImage(store, text, wanted);
  const group = await imageWithId(store, id);
  const layers = [...config.rootfs.diff_ids];
  const rows: HistoryRow[] = [];
  for (const step of config.history ?? []) {
    const diffId = step.empty_layer === true ? undefined : layers.shift();
    rows.push({
      // Which image a step would have been is not known: only the last is one.
      Id: '<missing>',
      Created: Math.floor((Date.parse(step.created ?? '') || 0) / 1000),
      CreatedBy: step.created_by ?? '',
      Tags: null,
      Size: diffId === undefined ? 0 : await sizeOf(deps, diffId),
      Comment: step.comment ?? '',
    });
  }
  const newest = rows.pop();
  if (newest === undefined) return [];
  const tags = group === undefined ? [] : repoTags(group);
  return [{ ...newest, Id: id, Tags: tags.length === 0 ? null : tags }, ...rows.reverse()];
}

async function sizeOf({ store }: ImagesDeps, diffId: string): Promise<number> {
  return store.layers.info(diffId).then(
    ({ size }) => size,
    () => 0,
  );
}
