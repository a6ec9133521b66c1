// Opens everything under a data root and puts the parts together; garbage collection, which needs all of them.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyDirectory } from '../base/files.ts';
import type { Digest, Manifest } from '../spec/oci/image.ts';
import { documentLimits, parseManifestOrIndex } from '../spec/oci/parse.ts';
import { openContentStore } from './content.ts';
import { openImageStore } from './images.ts';
import { openLayerStore } from './layers.ts';
import type { PendingOp, Store } from './store.ts';

export interface StoreOptions {
  readonly root: string;
  readonly driver: 'erofs' | 'dir';
  /** The bundled unpack-worker.ts; undefined: unpack in this thread. */
  readonly workerUrl?: URL | undefined;
  /** Whether layers may bring device nodes (default: when root). */
  readonly allowDevices?: boolean;
  /** Carries out what Node cannot, before a `dir` layer gets its place. Without it the layer keeps its `pending`. */
  readonly applyPending?: (tree: string, pending: readonly PendingOp[]) => Promise<void>;
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const { root } = options;
  await mkdir(root, { recursive: true, mode: 0o711 });
  const temporary = join(root, 'tmp');
  await emptyDirectory(temporary);
  const contentDirectory = join(root, 'content');
  const content = await openContentStore(contentDirectory, temporary);
  const images = await openImageStore(contentDirectory, content);
  const layers = await openLayerStore({
    directory: join(root, 'layers'),
    temporary,
    driver: options.driver,
    workerUrl: options.workerUrl,
    allowDevices: options.allowDevices ?? process.getuid?.() === 0,
    applyPending: options.applyPending,
  });
  const leases = new Set<Set<Digest>>();

  function isHeld(digest: Digest): boolean {
    for (const held of leases) if (held.has(digest)) return true;
    return false;
  }

  /** Adds what a document reaches. One that is not here, or is no manifest, reaches nothing. */
  async function mark(digest: Digest, reached: Set<Digest>): Promise<void> {
    if (reached.has(digest)) return;
    reached.add(digest);
    const document = await content
      .read(digest, documentLimits.manifest)
      .then((bytes) => parseManifestOrIndex(bytes))
      .catch(() => undefined);
    if (document === undefined) return;
    if ('manifests' in document) {
      for (const item of document.manifests) await mark(item.digest, reached);
    } else {
      await markImage(document, reached);
    }
  }

  async function markImage(manifest: Manifest, reached: Set<Digest>): Promise<void> {
    reached.add(manifest.config.digest);
    for (const layer of manifest.layers) reached.add(layer.digest);
    const config = await images.config(manifest).catch(() => undefined);
    for (const diffId of config?.rootfs.diff_ids ?? []) reached.add(diffId);
  }

  return {
    content,
    images,
    layers,
    tempPath: (suffix) => join(temporary, `${randomBytes(8).toString('hex')}${suffix}`),
    async collect(keep) {
      const reached = new Set<Digest>();
      for (const image of images.list()) {
        await mark(image.manifest.digest, reached);
        if (image.repoDigest !== undefined) await mark(image.repoDigest, reached);
      }
      for (const digest of keep) await mark(digest, reached);
      for (const held of leases) for (const digest of held) await mark(digest, reached);
      const removed: Digest[] = [];
      for await (const { digest } of content.list()) {
        // Asked again each time: a pull may have taken a lease meanwhile.
        if (reached.has(digest) || isHeld(digest)) continue;
        await content.remove(digest);
        removed.push(digest);
      }
      for await (const diffId of layers.list()) {
        if (reached.has(diffId) || isHeld(diffId)) continue;
        await layers.remove(diffId);
        removed.push(diffId);
      }
      return removed;
    },
    lease() {
      const held = new Set<Digest>();
      leases.add(held);
      return {
        hold: (digest) => void held.add(digest),
        async [Symbol.asyncDispose]() {
          leases.delete(held);
        },
      };
    },
  };
}
