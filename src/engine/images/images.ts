// The images as every front door sees them: each verb is a file beside this one.

import type { Images } from '../engine.ts';
import { unbuilt } from '../unbuilt.ts';
import { bootstrapImage } from './bootstrap.ts';
import type { ImagesDeps, PullState } from './deps.ts';
import { importImage } from './import.ts';
import { inspectImage } from './inspect.ts';
import { listImages } from './list.ts';
import { loadImages } from './load.ts';
import { pullImage } from './pull.ts';
import { pushImage } from './push.ts';
import { removeImage } from './remove.ts';
import { createKeyedLock } from './turns.ts';

export function createImages(deps: ImagesDeps): Required<Images> {
  const state: PullState = { layerLock: createKeyedLock() };
  const images: Required<Images> = {
    pull: (reference, options) => pullImage(deps, state, reference, options),
    import: (tar, options) => importImage(deps, tar, options),
    list: ({ filters }) => listImages(deps, filters),
    inspect: (ref, options) => inspectImage(deps, ref, options?.platform ?? ''),
    remove: (ref, options) => removeImage(deps, ref, options),
    bootstrap: (what, options) => bootstrapImage(images, what, { env: deps.env ?? {}, ...options }),
    load: (tar, options) => loadImages(deps, tar, options),
    push: async (reference, options) => [await pushImage(deps, reference, options)],
    tag: async () => unbuilt('tag'),
    save: () => unbuilt('save'),
    history: async () => unbuilt('history'),
    search: async () => unbuilt('search'),
    prune: async () => unbuilt('image prune'),
    distribution: async () => unbuilt('distribution'),
  };
  return images;
}
