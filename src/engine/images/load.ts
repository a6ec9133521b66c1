// `load`: an archive from `docker save`, or an OCI image layout in a tar, becomes images here.

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sha256Of } from '../../base/digest.ts';
import { fail } from '../../base/errors.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes, type Platform } from '../../spec/oci/image.ts';
import { documentLimits, parseImageConfig, parseIndex, parseManifestOrIndex } from '../../spec/oci/parse.ts';
import { bestMatch, formatPlatform, parsePlatform } from '../../spec/oci/platform.ts';
import {
  canonicalName,
  familiarName,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../spec/oci/reference.ts';
import type { LoadedImage, LoadOptions } from '../engine.ts';
import { announce } from './announce.ts';
import { compressionOf, layerTypeOf } from './archive-kind.ts';
import { type Archive, type ArchiveMember, openArchive } from './archive-members.ts';
import { detailsOf, rowDescriptor } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { allOrNothing } from './turns.ts';

export async function loadImages(
  deps: ImagesDeps,
  tar: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<readonly LoadedImage[]> {
  const { store, limits } = deps;
  const { signal } = options;
  const want = options.platform === '' ? deps.host : parsePlatform(options.platform, deps.host);
  const lease = store.lease();
  try {
    const bounds = { maxBytes: limits.maxLayerBytes, maxMembers: limits.maxLayerEntries, signal };
    const archive = await openArchive(tar, store.tempPath('.load'), bounds);
    try {
      const loaded: LoadedImage[] = [];
      for (const image of await imagesIn(archive, want)) {
        loaded.push(...(await storeImage(deps, image, { hold: (digest) => lease.hold(digest), signal })));
      }
      return loaded;
    } finally {
      await archive[Symbol.asyncDispose]();
    }
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    await lease[Symbol.asyncDispose]();
    await store.collect(deps.heldManifests());
  }
}

/** One image of an archive: its documents, and which member each layer is. */
interface ArchivedImage {
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly layers: readonly ArchiveMember[];
  readonly names: readonly Reference[];
}

/** `docker save` writes manifest.json, and since version 25 a layout beside it: the layout keeps manifests as they were. */
async function imagesIn(archive: Archive, want: Platform): Promise<readonly ArchivedImage[]> {
  const index = archive.find('index.json');
  if (index !== undefined && archive.find('oci-layout') !== undefined) return imagesOfLayout(archive, index, want);
  const list = await archive.json('manifest.json');
  if (!Array.isArray(list))
    return fail('invalid', 'archive.invalid', 'the archive is no image: it has neither manifest.json nor index.json');
  return Promise.all(list.map((item: unknown) => imageOfDocker(archive, item)));
}

async function imagesOfLayout(
  archive: Archive,
  index: ArchiveMember,
  want: Platform,
): Promise<readonly ArchivedImage[]> {
  const rows = parseIndex(await readFile(index.file), mediaTypes.ociIndex).manifests;
  // Several names of one image are several rows.
  const byDigest = new Map<string, { readonly row: Descriptor; readonly names: Reference[] }>();
  for (const row of rows) {
    const known = byDigest.get(row.digest) ?? { row, names: [] };
    known.names.push(...namesOfRow(row));
    byDigest.set(row.digest, known);
  }
  const images: ArchivedImage[] = [];
  for (const { row, names } of byDigest.values()) {
    const image = await imageOfRow(archive, row, want, names);
    if (image !== undefined) images.push(image);
  }
  if (images.length === 0)
    fail('not_found', 'image.no_platform', `the archive has no image for ${formatPlatform(want)}`);
  return images;
}

function namesOfRow(row: Descriptor): readonly Reference[] {
  const full = row.annotations?.['io.containerd.image.name'] ?? row.annotations?.['org.opencontainers.image.ref.name'];
  // A bare tag (`latest`), as some tools write it, names no repository.
  if (full === undefined || (!full.includes(':') && !full.includes('/'))) return [];
  return [withDefaultTag(parseReference(full))];
}

async function imageOfRow(
  archive: Archive,
  row: Descriptor,
  want: Platform,
  names: readonly Reference[],
): Promise<ArchivedImage | undefined> {
  const manifestBytes = await readFile(blobOf(archive, row).file);
  const document = parseManifestOrIndex(manifestBytes, row.mediaType);
  if ('manifests' in document) {
    // A layout may hold some platforms of its index only.
    const here = document.manifests.filter(({ digest }) => archive.find(blobPath(digest)) !== undefined);
    const chosen = bestMatch(here, want);
    return chosen === undefined ? undefined : imageOfRow(archive, chosen, want, names);
  }
  const known: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];
  if (!known.includes(document.config.mediaType)) return undefined;
  const configBytes = await readFile(blobOf(archive, document.config).file);
  const config = parseImageConfig(configBytes);
  return {
    manifestBytes,
    manifest: document,
    configBytes,
    config,
    layers: document.layers.map((layer) => blobOf(archive, layer)),
    names,
  };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

function blobOf(archive: Archive, descriptor: Descriptor): ArchiveMember {
  const member = archive.find(blobPath(descriptor.digest));
  if (member === undefined)
    return fail('corrupt', 'archive.incomplete', `the archive lacks the blob ${descriptor.digest}`);
  if (member.digest !== descriptor.digest) {
    fail('corrupt', 'content.digest_mismatch', `the blob ${descriptor.digest} of the archive is ${member.digest}`);
  }
  const limit = descriptor.mediaType.includes('layer') ? Number.POSITIVE_INFINITY : documentLimits.config;
  if (member.size > limit)
    fail('too_large', 'archive.too_large', `the blob ${descriptor.digest} of the archive is too large for a document`);
  return member;
}

/** An entry of manifest.json: `{Config, RepoTags, Layers}`, all paths in the archive. It has no manifest: we write one. */
async function imageOfDocker(archive: Archive, item: unknown): Promise<ArchivedImage> {
  const {
    Config: configPath,
    RepoTags: tags,
    Layers: paths,
  } = (typeof item === 'object' && item !== null ? item : {}) as Record<string, unknown>;
  const member = (path: unknown): ArchiveMember => {
    const found = typeof path === 'string' ? archive.find(path) : undefined;
    return (
      found ??
      fail('corrupt', 'archive.incomplete', `the archive lacks ${JSON.stringify(path)}, which its manifest.json names`)
    );
  };
  const configMember = member(configPath);
  if (configMember.size > documentLimits.config)
    fail('too_large', 'archive.too_large', 'the image configuration of the archive is larger than 8 MiB');
  const configBytes = await readFile(configMember.file);
  const layers = (Array.isArray(paths) ? paths : []).map(member);
  const descriptors: Descriptor[] = [];
  for (const { file, digest, size } of layers) descriptors.push({ mediaType: await layerType(file), digest, size });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: configMember.digest, size: configMember.size },
    layers: descriptors,
  };
  const names = (Array.isArray(tags) ? tags : [])
    .filter((tag): tag is string => typeof tag === 'string')
    .map((tag) => parseReference(tag));
  return {
    manifestBytes: Buffer.from(JSON.stringify(manifest)),
    manifest,
    configBytes,
    config: parseImageConfig(configBytes),
    layers,
    names,
  };
}

async function layerType(file: string): Promise<string> {
  for await (const head of createReadStream(file, { end: 15 })) return layerTypeOf[compressionOf(head as Uint8Array)];
  return mediaTypes.ociLayer;
}

async function storeImage(
  deps: ImagesDeps,
  image: ArchivedImage,
  options: { readonly hold: (digest: string) => void; readonly signal: AbortSignal },
): Promise<readonly LoadedImage[]> {
  const { store, limits } = deps;
  const { manifest, config } = image;
  if (config.rootfs.diff_ids.length !== image.layers.length) {
    const [layers, ids] = [image.layers.length, config.rootfs.diff_ids.length];
    fail('corrupt', 'image.layers', `an image of the archive has ${layers} layers, and ${ids} in its configuration`);
  }
  const put = (bytes: Uint8Array): Promise<{ readonly digest: string; readonly size: number }> => {
    options.hold(sha256Of(bytes));
    return store.content.put(bytes);
  };
  await put(image.configBytes);
  await allOrNothing(options.signal, (signal) =>
    image.layers.map(async (member, i) => {
      const [blob, diffId] = [manifest.layers[i], config.rootfs.diff_ids[i]];
      if (blob === undefined || diffId === undefined) return;
      options.hold(blob.digest);
      options.hold(diffId);
      if (!(await store.content.has(blob.digest))) await store.content.adopt(member.file, blob);
      if (await store.layers.has(diffId)) return;
      const source = createReadStream(store.content.path(blob.digest), { highWaterMark: 1 << 20 });
      await store.layers.unpack(source, { compression: 'detect', diffId, limits, signal });
    }),
  );
  const { digest, size } = await put(image.manifestBytes);
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const row = rowDescriptor({ mediaType: manifest.mediaType, digest, size, platform }, manifest.config.digest);
  const taggedAt = (deps.now?.() ?? new Date()).toISOString();
  const id = manifest.config.digest;
  const names = image.names.length === 0 ? [undefined] : image.names;
  const loaded: LoadedImage[] = [];
  for (const ref of names) {
    const name = ref === undefined ? undefined : canonicalName(ref);
    const before = name === undefined ? undefined : store.images.named(name);
    const loser = before === undefined ? undefined : (await detailsOf(store, before).catch(() => undefined))?.id;
    const reference = ref === undefined ? undefined : familiarName(ref);
    loaded.push({ reference, id, ...(loser === undefined || loser === id ? {} : { replaced: loser }) });
    if (name === undefined && store.images.list().some((known) => known.manifest.digest === digest)) continue;
    await store.images.tag({ name, manifest: row, repoDigest: undefined, taggedAt });
  }
  announce(deps, 'load', id, { labels: config.config?.Labels });
  return loaded;
}
