// Opens everything under a data root and puts the parts together.

import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyDirectory } from '../base/files.ts';
import type { Digest } from '../spec/oci/image.ts';
import { collect } from './collect.ts';
import { openContentStore } from './content.ts';
import { cacheDocuments } from './documents.ts';
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
  /** A user namespace with one id: every file is its root's, whoever owns it in the image. */
  readonly oneOwner?: boolean;
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
  const documents = cacheDocuments(content);
  const images = await openImageStore(contentDirectory, documents);
  const layers = await openLayerStore({
    directory: join(root, 'layers'),
    temporary,
    driver: options.driver,
    workerUrl: options.workerUrl,
    allowDevices: options.allowDevices ?? process.getuid?.() === 0,
    oneOwner: options.oneOwner ?? false,
    applyPending: options.applyPending,
  });
  const leases = new Set<Set<Digest>>();
  let collecting: Promise<unknown> = Promise.resolve();
  return {
    content,
    images,
    layers,
    tempPath: (suffix) => join(temporary, `${randomBytes(8).toString('hex')}${suffix}`),
    collect(keep) {
      const work = collecting.then(() => collect({ content, images, layers, documents }, keep, leases));
      collecting = work.catch(() => {});
      return work;
    },
    lease() {
      const held = new Set<Digest>();
      leases.add(held);
      return {
        hold: (digest) => void held.add(digest),
        async [Symbol.asyncDispose]() {
          // Not during a collection: it has looked at the names already, and what was held may just have got one.
          void collecting.then(() => leases.delete(held));
        },
      };
    },
  };
}
