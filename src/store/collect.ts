// Garbage collection: marks what image names, containers and leases reach, sweeps the rest. Layers and blobs alike.

import type { Digest, Manifest } from '../spec/oci/image.ts';
import { documentLimits, parseManifestOrIndex } from '../spec/oci/parse.ts';
import type { Store } from './store.ts';

type Parts = Pick<Store, 'content' | 'images' | 'layers'>;

/** See Store.collect. `leases` may grow while this runs; what they hold at any moment is safe from then on. */
export async function collect(
  store: Parts,
  keep: ReadonlySet<Digest>,
  leases: ReadonlySet<ReadonlySet<Digest>>,
): Promise<readonly Digest[]> {
  const reached = new Set<Digest>();
  for (const image of store.images.list()) {
    await mark(store, image.manifest.digest, reached);
    if (image.repoDigest !== undefined) await mark(store, image.repoDigest, reached);
  }
  for (const digest of keep) await mark(store, digest, reached);
  for (const held of leases) for (const digest of held) await mark(store, digest, reached);

  const isGarbage = (digest: Digest) => !reached.has(digest) && ![...leases].some((held) => held.has(digest));
  const removed: Digest[] = [];
  for await (const { digest } of store.content.list()) {
    if (!isGarbage(digest)) continue;
    await store.content.remove(digest);
    removed.push(digest);
  }
  for await (const diffId of store.layers.list()) {
    if (!isGarbage(diffId)) continue;
    await store.layers.remove(diffId);
    removed.push(diffId);
  }
  return removed;
}

/** Adds what a document reaches. One that is not here, or is no manifest, reaches nothing. */
async function mark(store: Parts, digest: Digest, reached: Set<Digest>): Promise<void> {
  if (reached.has(digest)) return;
  reached.add(digest);
  const document = await store.content
    .read(digest, documentLimits.manifest)
    .then((bytes) => parseManifestOrIndex(bytes))
    .catch(() => undefined);
  if (document === undefined) return;
  if ('manifests' in document) {
    for (const item of document.manifests) await mark(store, item.digest, reached);
  } else {
    await markImage(store, document, reached);
  }
}

async function markImage(store: Parts, manifest: Manifest, reached: Set<Digest>): Promise<void> {
  reached.add(manifest.config.digest);
  for (const layer of manifest.layers) reached.add(layer.digest);
  const config = await store.images.config(manifest).catch(() => undefined);
  for (const diffId of config?.rootfs.diff_ids ?? []) reached.add(diffId);
}
