// What the tests of this folder share: a store in a directory of its own, images at a fake registry.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { openRegistryClient } from '../../registry/client/client.ts';
import { noCredentials } from '../../registry/client/credentials.ts';
import { type FakeRegistry, sha256, startFakeRegistry } from '../../registry/client/registry.fixture.ts';
import { type Manifest, mediaTypes } from '../../spec/oci/image.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import type { Images, Progress } from '../engine.ts';
import type { ImagesDeps } from './deps.ts';
import { createImages } from './images.ts';
import { tarball } from './tarball.ts';

export interface World extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly deps: ImagesDeps;
  readonly store: Store;
  readonly images: Required<Images>;
  readonly root: string;
  readonly progress: Progress[];
  readonly pull: (
    ref: string,
    options?: { platform?: string; allTags?: boolean; signal?: AbortSignal },
  ) => ReturnType<Images['pull']>;
}

export async function openWorld(overrides: Partial<ImagesDeps> = {}): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'hoist-images-'));
  const registry = await startFakeRegistry();
  const retry = { attempts: 3, backoffMs: 5 };
  const client = openRegistryClient({ env: {}, userAgent: 'test', idleMs: 10_000, retry });
  const store = await openStore({ root, driver: 'erofs', allowDevices: true });
  const deps: ImagesDeps = {
    store,
    registry: client,
    credentials: noCredentials,
    host: { os: 'linux', architecture: 'amd64' },
    limits: { maxLayerBytes: 50_000_000, maxLayerEntries: 10_000 },
    usedBy: () => [],
    heldManifests: () => new Set(),
    ...overrides,
  };
  const images = createImages(deps);
  const progress: Progress[] = [];
  return {
    registry,
    deps,
    store,
    images,
    root,
    progress,
    pull: (ref, options = {}) =>
      images.pull(ref, {
        platform: options.platform ?? '',
        ...(options.allTags === undefined ? {} : { allTags: options.allTags }),
        onProgress: (step) => progress.push(step),
        signal: options.signal ?? new AbortController().signal,
      }),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A layer of one file. */
export function layerTar(path: string, content: string | Uint8Array): Buffer {
  const data = Buffer.from(content);
  return Buffer.concat([...tarball([{ kind: 'file', path, mode: 0o644, data }], 1)]);
}

export interface TestImage {
  readonly name: string;
  readonly tag: string | undefined;
  /** Plain tars. */
  readonly layers: readonly Buffer[];
  readonly compress?: (tar: Buffer) => Buffer;
  readonly layerType?: string;
  readonly architecture?: string;
  readonly manifestType?: string;
  readonly created?: string;
  readonly config?: Record<string, unknown>;
  readonly change?: (manifest: Manifest) => unknown;
}

/** Puts an image at the registry; returns the manifest's descriptor and the image's id. */
export function addImage(
  registry: FakeRegistry,
  image: TestImage,
): { readonly digest: string; readonly size: number; readonly id: string } {
  const compress = image.compress ?? ((tar) => zlib.gzipSync(tar, { level: 1 }));
  const isDocker = image.manifestType === mediaTypes.dockerManifest;
  const config = registry.addBlob(
    Buffer.from(
      JSON.stringify({
        created: image.created ?? '2024-01-01T00:00:00Z',
        os: 'linux',
        architecture: image.architecture ?? 'amd64',
        config: { Cmd: ['sh'] },
        rootfs: { type: 'layers', diff_ids: image.layers.map(sha256) },
        ...image.config,
      }),
    ),
  );
  const layerType = image.layerType ?? (isDocker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: image.manifestType ?? mediaTypes.ociManifest,
    config: { mediaType: isDocker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, ...config },
    layers: image.layers.map((tar) => ({ mediaType: layerType, ...registry.addBlob(compress(tar)) })),
  };
  const document = image.change?.(manifest) ?? manifest;
  return { ...registry.addManifest(image.name, image.tag, manifest.mediaType, document), id: config.digest };
}

/** Every blob and layer in the store. */
export async function contentsOf(store: Store): Promise<{ readonly blobs: number; readonly layers: number }> {
  return { blobs: (await store.content.list()).length, layers: (await store.layers.list()).length };
}
