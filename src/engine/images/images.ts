// The images as every front door sees them: each verb is a file beside this one.

import type { Images } from '../engine.ts';
import { bootstrapImage } from './bootstrap.ts';
import type { ImagesDeps, PullState } from './deps.ts';
import { inspectDistribution } from './distribution.ts';
import { imageHistory } from './history.ts';
import { importImage } from './import.ts';
import { inspectImage } from './inspect.ts';
import { listImages } from './list.ts';
import { loadImages } from './load.ts';
import { pruneImages } from './prune.ts';
import { pullImage } from './pull.ts';
import { pushImages } from './push.ts';
import { removeImage } from './remove.ts';
import { saveImages } from './save.ts';
import { searchImages } from './search.ts';
import { tagImage } from './tag.ts';
import { createKeyedLock } from './turns.ts';

export function createImages(deps: ImagesDeps): Required<Images> {
  const state: PullState = { layerLock: createKeyedLock() };
  const images: Required<Images> = {
    pull: (reference, options) => pullImage(deps, state, reference, options),
    import: (tar, options) => importImage(deps, tar, options),
    list: (options) => listImages(deps, options),
    inspect: (ref, options) => inspectImage(deps, ref, options?.platform ?? ''),
    remove: (ref, options) => removeImage(deps, ref, options),
    bootstrap: (what, options) => bootstrapImage(images, what, { env: deps.env ?? {}, ...options }),
    load: (tar, options) => loadImages(deps, tar, options),
    push: (reference, options) => pushImages(deps, reference, options),
    tag: (ref, target) => tagImage(deps, ref, target),
    save: (refs, options) => saveImages(deps, refs, options),
    history: (ref, options) => imageHistory(deps, ref, options?.platform ?? ''),
    search: (term, options) => searchImages(deps, term, options),
    prune: (filters) => pruneImages(deps, filters),
    distribution: (ref, options) => inspectDistribution(deps, ref, options),
  };
  return images;
}
