// The images as every front door sees them: each verb is a file beside this one.

import type { Images } from '../engine.ts';
import { bootstrapImage } from './bootstrap.ts';
import type { ImagesDeps, PullState } from './deps.ts';
import { importImage } from './import.ts';
import { inspectImage } from './inspect.ts';
import { listImages } from './list.ts';
import { type LoadedImage, type LoadOptions, loadImages } from './load.ts';
import { pullImage } from './pull.ts';
import { type PushedImage, type PushOptions, pushImage } from './push.ts';
import { removeImage } from './remove.ts';
import { createKeyedLock } from './turns.ts';

/** Beyond the contract, for the doors that come next. */
export interface MoreImages {
  load(tar: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<readonly LoadedImage[]>;
  push(reference: string, options: PushOptions): Promise<PushedImage>;
}

export function createImages(deps: ImagesDeps): Required<Images> & MoreImages {
  const state: PullState = { layerLock: createKeyedLock() };
  const images: Required<Images> & MoreImages = {
    pull: (reference, options) => pullImage(deps, state, reference, options),
    import: (tar, options) => importImage(deps, tar, options),
    list: ({ filters }) => listImages(deps, filters),
    inspect: (ref, options) => inspectImage(deps, ref, options?.platform ?? ''),
    remove: (ref, options) => removeImage(deps, ref, options),
    bootstrap: (what, options) => bootstrapImage(images, what, { env: deps.env ?? {}, ...options }),
    load: (tar, options) => loadImages(deps, tar, options),
    push: (reference, options) => pushImage(deps, reference, options),
  };
  return images;
}
