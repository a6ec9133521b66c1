// Garbage collection: marks what image names, containers and leases reach, sweeps the rest. Layers and blobs alike.

import type { Digest, Manifest } from '../spec/oci/image.ts';
import type { Documents } from './documents.ts';
import type { Store } from './store.ts';

type Parts = Pick<Store, 'content' | 'images' | 'layers'> & { readonly documents: Documents };

/** What a collection knows: the blobs that were here when it began, and what something reaches. */
interface Marks {
  readonly here: ReadonlySet<Digest>;
  readonly blobs: Set<Digest>;
  /** By diffID: apart from the blobs, since a plain tar has the same digest as the layer that it unpacks to. */
  readonly layers: Set<Digest>;
}

/** See Store.collect. `leases` may grow while this runs; what they hold at any moment is safe from then on. */
export async function collect(
  store: Parts,
  keep: ReadonlySet<Digest>,
  leases: ReadonlySet<ReadonlySet<Digest>>,
): Promise<readonly Digest[]> {
  // Looked at before the names: what comes and gets its name meanwhile is no candidate.
  const here = new Set(await store.content.list());
  const layers = await store.layers.list();
  const marks: Marks = { here, blobs: new Set(), layers: new Set() };
  for (const { manifest, repoDigest } of store.images.list()) {
    await mark(store, manifest.digest, marks, manifest.mediaType);
    if (repoDigest !== undefined) await mark(store, repoDigest, marks);
  }
  for (const digest of keep) await mark(store, digest, marks);
  for (const held of leases) for (const digest of held) await mark(store, digest, marks);

  const isHeld = (digest: Digest) => [...leases].some((held) => held.has(digest));
  const removed: Digest[] = [];
  for (const digest of here) {
    if (marks.blobs.has(digest) || isHeld(digest)) continue;
    await store.content.remove(digest);
    removed.push(digest);
  }
  for (const diffId of layers) {
    if (marks.layers.has(diffId) || isHeld(diffId)) continue;
    await store.layers.remove(diffId);
    removed.push(diffId);
  }
  return removed;
}

/** Adds what a document reaches. One that is not here, or is no manifest, reaches nothing. */
async function mark(store: Parts, digest: Digest, marks: Marks, mediaType?: string): Promise<void> {
  if (marks.blobs.has(digest)) return;
  marks.blobs.add(digest);
  if (!marks.here.has(digest)) return;
  const document = await store.documents.manifestOrIndex(digest, mediaType).catch(() => undefined);
  if (document === undefined) return;
  if ('manifests' in document) {
    for (const item of document.manifests) await mark(store, item.digest, marks, item.mediaType);
  } else {
    await markImage(store, document, marks);
  }
}

async function markImage(store: Parts, manifest: Manifest, marks: Marks): Promise<void> {
  marks.blobs.add(manifest.config.digest);
  for (const layer of manifest.layers) marks.blobs.add(layer.digest);
  const config = await store.documents.config(manifest.config.digest).catch(() => undefined);
  for (const diffId of config?.rootfs.diff_ids ?? []) marks.layers.add(diffId);
}
