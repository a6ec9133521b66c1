// Debian's docker-registry on loopback inside a world's network, and images laid into its storage as it lays them itself
// (distribution's registry/storage/paths.go): no client of ours is trusted to have pushed them right.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { get } from './clients.ts';
import type { Running } from './program.ts';
import { eventually, type World } from './world.ts';

export interface Registry {
  /** `localhost:5000` */
  readonly host: string;
  readonly storage: string;
  readonly process: Running;
}

/** A layer: its bytes, or a file of them; `diffId` is the digest of what is inside the gzip. */
export interface Layer {
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
  readonly bytes?: Buffer;
  readonly file?: string;
}

export const sha256 = (bytes: string | Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startRegistry(world: World, port = 5000): Promise<Registry> {
  const storage = path.join(world.dir, 'registry');
  mkdirSync(storage, { recursive: true });
  const config = path.join(world.dir, 'registry.yml');
  writeFileSync(
    config, // JSON is YAML
    JSON.stringify({
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: storage } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const running = world.start(['docker-registry', 'serve', config], { timeout: 600 });
  await eventually('the registry answers', async () => (await get(world, '127.0.0.1', port, '/v2/')) !== undefined);
  return { host: `localhost:${port}`, storage, process: running };
}

export function gzipLayer(tar: Buffer): Layer {
  const bytes = gzipSync(tar, { level: 1 });
  return { digest: sha256(bytes), diffId: sha256(tar), size: bytes.length, bytes };
}

/** Lays an image of these layers into the registry; returns the digest of its manifest. */
export function layImage(
  registry: Registry,
  name: string,
  layers: readonly Layer[],
  config: Readonly<Record<string, unknown>> = {},
): string {
  const [repository = '', tag = 'latest'] = name.split(':');
  const document = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['sh'], ...config },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'a test' })),
    }),
  );
  const descriptor = (mediaType: string, { digest, size }: Pick<Layer, 'digest' | 'size'>) => ({
    mediaType,
    digest,
    size,
  });
  const configLayer = { digest: sha256(document), size: document.length };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: descriptor('application/vnd.docker.container.image.v1+json', configLayer),
      layers: layers.map((layer) => descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip', layer)),
    }),
  );
  for (const layer of layers) layBlob(registry, repository, layer);
  layBlob(registry, repository, { ...configLayer, bytes: document });
  return layManifest(registry, repository, tag, manifest);
}

export function layManifest({ storage }: Registry, repository: string, tag: string, manifest: Buffer): string {
  const digest = sha256(manifest);
  layBlob({ storage }, repository, { digest, size: manifest.length, bytes: manifest });
  const manifests = path.join(storage, 'docker/registry/v2/repositories', repository, '_manifests');
  link(path.join(manifests, 'revisions', digest.replace(':', '/')), digest);
  link(path.join(manifests, 'tags', tag, 'current'), digest);
  link(path.join(manifests, 'tags', tag, 'index', digest.replace(':', '/')), digest);
  return digest;
}

/** `digest` decides the place, whatever the bytes are: that is how a registry lies. */
export function layBlob(
  { storage }: Pick<Registry, 'storage'>,
  repository: string,
  { digest, bytes, file }: Pick<Layer, 'digest' | 'size' | 'bytes' | 'file'>,
): void {
  const data = blobPath({ storage }, digest);
  mkdirSync(path.dirname(data), { recursive: true });
  if (bytes !== undefined) writeFileSync(data, bytes);
  else copyFileSync(file ?? assert.fail('a layer without bytes'), data);
  link(path.join(storage, 'docker/registry/v2/repositories', repository, '_layers', digest.replace(':', '/')), digest);
}

function link(directory: string, digest: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'link'), digest);
}

export function blobPath({ storage }: Pick<Registry, 'storage'>, digest: string): string {
  const hex = digest.slice('sha256:'.length);
  return path.join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}
