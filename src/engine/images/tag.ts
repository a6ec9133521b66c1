// `tag`: another name for an image that is here. Takes the name from whatever had it.

import { fail } from '../../base/errors.ts';
import {
  canonicalName,
  familiarName,
  familiarRepository,
  parseReference,
  repositoryName,
  withDefaultTag,
} from '../../spec/oci/reference.ts';
import { announce } from './announce.ts';
import { rowDescriptor } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { resolveImage } from './resolve.ts';

export async function tagImage(deps: ImagesDeps, text: string, target: string): Promise<void> {
  const ref = withDefaultTag(parseReference(target));
  if (ref.digest !== undefined) fail('invalid', 'tag.digest', 'refusing to create a tag with a digest reference');
  if (familiarRepository(ref) === 'sha256')
    fail('invalid', 'tag.ambiguous', 'refusing to create an ambiguous tag using digest algorithm as name');
  const { store } = deps;
  const { id, stored, config } = await resolveImage(store, text);
  // What a registry calls it holds for the whole repository.
  const sameRepository = store.images
    .list()
    .find(
      (row) =>
        row.manifest.digest === stored.manifest.digest &&
        row.repoDigest !== undefined &&
        row.name !== undefined &&
        repositoryName(parseReference(row.name)) === repositoryName(ref),
    );
  await store.images.tag({
    name: canonicalName(ref),
    manifest: rowDescriptor(stored.manifest, id),
    repoDigest: sameRepository?.repoDigest,
    taggedAt: (deps.now?.() ?? new Date()).toISOString(),
  });
  announce(deps, 'tag', id, { name: familiarName(ref), labels: config.config?.Labels });
}
