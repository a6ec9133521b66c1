// `save`: images as one tar that `load` of Hoist, Docker and Podman takes: an OCI layout, with Docker's manifest.json and
// `repositories` beside it. Layers go out as they are kept. The same images give the same bytes.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fail } from '../../base/errors.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import { type Descriptor, mediaTypes, type Platform } from '../../spec/oci/image.ts';
import { formatPlatform, parsePlatform, platformMatches } from '../../spec/oci/platform.ts';
import {
  canonicalName,
  familiarName,
  familiarRepository,
  isImageId,
  parseReference,
  type Reference,
  repositoryName,
} from '../../spec/oci/reference.ts';
import { announce } from './announce.ts';
import { detailsOf, type ImageDetails } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { namesById, resolveImage } from './resolve.ts';
import { fileHeader, tarball } from './tarball.ts';

interface SavedImage {
  readonly details: ImageDetails;
  readonly names: Reference[];
}

export async function* saveImages(
  deps: ImagesDeps,
  refs: readonly string[],
  options: { readonly platform: string; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { store } = deps;
  const { signal } = options;
  const platform = options.platform === '' ? undefined : parsePlatform(options.platform, deps.host);
  const images = new Map<string, SavedImage>();
  for (const ref of refs) await addImages(deps, images, ref, platform);
  const lease = store.lease();
  try {
    // What is removed meanwhile is written all the same.
    for (const { details } of images.values()) lease.hold(details.stored.manifest.digest);
    const blobs = blobsOf([...images.values()]);
    const directories = ['blobs', ...new Set(blobs.map(({ digest }) => `blobs/${digest.split(':')[0]}`))];
    yield* members(directories.map((path) => ({ kind: 'directory', path, mode: 0o755 })));
    for (const blob of blobs) {
      throwIfCancelled(signal);
      yield* blobMember(deps, blob, signal);
    }
    yield* members(documentsOf([...images.values()]));
    yield Buffer.alloc(1024);
    for (const [id, { details }] of images) announce(deps, 'save', id, { labels: details.config.config?.Labels });
  } finally {
    await lease[Symbol.asyncDispose]();
  }
}

/** A repository without a tag stands for all of its tags, an id for an image without a name. */
async function addImages(
  { store }: ImagesDeps,
  images: Map<string, SavedImage>,
  text: string,
  platform: Platform | undefined,
): Promise<void> {
  const whole = isImageId(text) ? undefined : repositoryRows(store.images.list(), text);
  const found =
    whole === undefined || whole.length === 0
      ? [await resolveImage(store, text).catch((error: unknown) => notFoundAs(text, error))]
      : await Promise.all(whole.map((row) => detailsOf(store, row)));
  for (const details of found) {
    const { id, config } = details;
    if (platform !== undefined && !platformMatches(platform, config)) {
      fail(
        'not_found',
        'image.platform',
        `image with reference ${text} was found but its platform (${formatPlatform(config)}) does not match the specified platform (${formatPlatform(platform)})`,
      );
    }
    const known = images.get(id) ?? { details, names: [] };
    images.set(id, known);
    const name = details.stored.name === undefined ? undefined : parseReference(details.stored.name);
    if (name?.tag === undefined || (namesById(text, id) && (whole?.length ?? 0) === 0)) continue;
    if (!known.names.some((other) => canonicalName(other) === canonicalName(name))) known.names.push(name);
  }
}

function repositoryRows<Row extends { readonly name: string | undefined }>(
  rows: readonly Row[],
  text: string,
): readonly Row[] | undefined {
  if (text.startsWith('sha256:')) return undefined;
  const ref = parseReference(text);
  if (ref.tag !== undefined || ref.digest !== undefined) return undefined;
  return rows.filter((row) => {
    const name = row.name === undefined ? undefined : parseReference(row.name);
    return name?.tag !== undefined && repositoryName(name) === repositoryName(ref);
  });
}

/** The name as it was given: no tag was looked for. */
function notFoundAs(text: string, error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'image.not_found')
    fail('not_found', 'image.not_found', `No such image: ${text}`);
  throw error;
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Manifests, configurations and layers, each once, by name. */
function blobsOf(images: readonly SavedImage[]): readonly Pick<Descriptor, 'digest' | 'size'>[] {
  const blobs = new Map<string, Pick<Descriptor, 'digest' | 'size'>>();
  for (const { details } of images) {
    const { stored, manifest } = details;
    for (const blob of [stored.manifest, manifest.config, ...manifest.layers]) blobs.set(blob.digest, blob);
  }
  return [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

type Members = Parameters<typeof tarball>[0];

/** Members without the end of an archive. */
function* members(list: Members): Generator<Uint8Array, void, undefined> {
  let last: Uint8Array | undefined;
  for (const piece of tarball(list, 0)) {
    if (last !== undefined) yield last;
    last = piece;
  }
}

async function* blobMember(
  { store }: ImagesDeps,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const path = store.content.path(digest);
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== size)
    fail('corrupt', 'content.incomplete', `the blob ${digest} of the image is missing or damaged here`);
  yield fileHeader(blobPath(digest), { mode: 0o644, size, mtime: 0 });
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    throwIfCancelled(signal);
    yield chunk as Uint8Array;
  }
  yield Buffer.alloc((512 - (size % 512)) % 512);
}

function documentsOf(images: readonly SavedImage[]): Members {
  const repositories = new Map<string, Map<string, string>>();
  for (const { details, names } of images) {
    const top = details.config.rootfs.diff_ids.at(-1)?.replace(/^sha256:/, '') ?? '';
    for (const name of names) {
      const tags = repositories.get(familiarRepository(name)) ?? new Map<string, string>();
      repositories.set(familiarRepository(name), tags.set(name.tag ?? '', top));
    }
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: images.flatMap(({ details, names }) => {
      const { mediaType, digest, size } = details.stored.manifest;
      const { os, architecture, variant } = details.config;
      const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
      const row = { mediaType, digest, size };
      return names.length === 0
        ? [{ ...row, platform }]
        : names.map((name) => ({
            ...row,
            annotations: {
              'io.containerd.image.name': canonicalName(name),
              'org.opencontainers.image.ref.name': name.tag ?? '',
            },
            platform,
          }));
    }),
  };
  const legacy = Object.fromEntries([...repositories].map(([name, tags]) => [name, Object.fromEntries(tags)]));
  const json = (path: string, value: unknown) =>
    ({ kind: 'file', path, mode: 0o644, data: Buffer.from(`${JSON.stringify(value)}\n`) }) as const;
  return [
    json('index.json', index),
    json('manifest.json', images.map(dockerEntry)),
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    ...(repositories.size === 0 ? [] : [json('repositories', legacy)]),
  ];
}

/** An image as manifest.json lists it: what loaders older than the layout read. */
function dockerEntry({ details, names }: SavedImage): unknown {
  const { manifest, config } = details;
  const sources = config.rootfs.diff_ids.map((diffId, i) => {
    const layer = manifest.layers[i];
    return [diffId, { mediaType: layer?.mediaType, size: layer?.size, digest: layer?.digest }] as const;
  });
  return {
    Config: blobPath(manifest.config.digest),
    RepoTags: names.length === 0 ? null : names.map(familiarName),
    Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    LayerSources: Object.fromEntries(sources),
  };
}
