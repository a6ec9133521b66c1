// From what a user calls an image to the image: a name, a digest, an id, or the beginning of an id, in Docker's order.

import { fail } from '../../base/errors.ts';
import type { Platform } from '../../spec/oci/image.ts';
import { formatPlatform, platformMatches } from '../../spec/oci/platform.ts';
import {
  canonicalName,
  familiarName,
  isImageId,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../../spec/oci/reference.ts';
import type { Store, StoredImage } from '../../store/store.ts';
import { detailsOf, type ImageDetails, idsWithPrefix, imageWithId } from './catalog.ts';

export interface ResolveOptions {
  /** Fails with `image.platform` where the image is for another one. */
  readonly platform?: Platform;
}

/** Fails with `image.not_found` in Docker's words. Reads nothing but the image that is named, where it is named. */
export async function resolveImage(store: Store, text: string, options: ResolveOptions = {}): Promise<ImageDetails> {
  const found = await findImage(store, text);
  if (found === undefined) return fail('not_found', 'image.not_found', `No such image: ${shownName(text)}`);
  const { platform } = options;
  if (platform !== undefined && !platformMatches(platform, found.config)) {
    const [has, wants] = [formatPlatform(found.config), formatPlatform(platform)];
    fail(
      'not_found',
      'image.platform',
      `image with reference ${text} was found but its platform (${has}) does not match the specified platform (${wants})`,
    );
  }
  return found;
}

/** Whether the text is (the beginning of) this id rather than a name: it decides what `rmi` takes away. */
export function namesById(text: string, id: string): boolean {
  return id === text || id.startsWith(`sha256:${text.replace(/^sha256:/, '')}`);
}

async function findImage(store: Store, text: string): Promise<ImageDetails | undefined> {
  if (!isImageId(text) && !/^sha256:[a-f0-9]+$/.test(text)) {
    const row = findByName(store, withDefaultTag(parseReference(text)));
    if (row !== undefined) return detailsOf(store, row);
  }
  const prefix = text.replace(/^sha256:/, '');
  if (!/^[a-f0-9]{1,64}$/.test(prefix)) return undefined;
  const [id, ...others] = await idsWithPrefix(store, `sha256:${prefix}`);
  if (others.length > 0) {
    fail(
      'invalid',
      'image.ambiguous',
      `image id prefix ${text} is ambiguous: ${others.length + 1} images begin with it`,
    );
  }
  return id === undefined ? undefined : (await imageWithId(store, id))?.rows[0];
}

/** The row of a name; with a digest, the row of the same repository that has it under whatever tag. */
function findByName({ images }: Store, ref: Reference): StoredImage | undefined {
  const { digest } = ref;
  if (digest === undefined) return images.named(canonicalName(ref));
  return images.list().find((row) => {
    if (row.name === undefined || (row.repoDigest !== digest && row.manifest.digest !== digest)) return false;
    return repositoryName(parseReference(row.name)) === repositoryName(ref);
  });
}

function shownName(text: string): string {
  return isImageId(text) || /^sha256:/.test(text) ? text : familiarName(withDefaultTag(parseReference(text)));
}
