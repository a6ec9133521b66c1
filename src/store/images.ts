// The image names: index.json of the OCI layout, one row per name, with the facts that are ours as annotations.
// All rows are in memory (the engine is the only writer); every change replaces the file before it is seen.

import { join } from 'node:path';
import { fail } from '../base/errors.ts';
import { readFileLimited, writeFileAtomic, writeJsonAtomic } from '../base/files.ts';
import { type Descriptor, type Digest, type ImageConfig, type Manifest, mediaTypes } from '../spec/oci/image.ts';
import { documentLimits, parseImageConfig, parseIndex, parseManifest } from '../spec/oci/parse.ts';
import type { ContentStore, ImageStore, StoredImage } from './store.ts';

/** What other tools read as the name: `skopeo copy oci:<root>/content:<name> …` works. */
const refAnnotation = 'org.opencontainers.image.ref.name';
const nameAnnotation = 'io.hoist.image.name';
const repoDigestAnnotation = 'io.hoist.repo.digest';
const taggedAnnotation = 'io.hoist.image.tagged';

/** The index of a thousand images is half a megabyte. */
const indexLimit = 64 << 20;

/** Parsed documents kept in memory; they cannot go stale, being named by their digest. */
const cachedDocuments = 256;

export async function openImageStore(directory: string, content: ContentStore): Promise<ImageStore> {
  const path = join(directory, 'index.json');
  let rows = await readRows(directory, path);
  let last: Promise<void> = Promise.resolve();
  const documents = new Map<Digest, Manifest | ImageConfig>();

  /** One change at a time; memory follows the disk, never the other way round. */
  function change(next: (rows: readonly StoredImage[]) => readonly StoredImage[]): Promise<void> {
    const work = last.then(async () => {
      const changed = next(rows);
      await writeJsonAtomic(path, indexOf(changed), { mode: 0o644 });
      rows = changed;
    });
    last = work.catch(() => {});
    return work;
  }

  async function document<T extends Manifest | ImageConfig>(
    descriptor: Descriptor,
    limit: number,
    parse: (bytes: Uint8Array) => T,
  ): Promise<T> {
    const known = documents.get(descriptor.digest);
    if (known !== undefined) return known as T;
    const parsed = parse(await content.read(descriptor.digest, limit));
    documents.set(descriptor.digest, parsed);
    const oldest = documents.keys().next();
    if (documents.size > cachedDocuments && oldest.done !== true) documents.delete(oldest.value);
    return parsed;
  }

  return {
    list: () => rows,
    tag: (image) => change((now) => [...withoutName(now, image.name, image.manifest.digest), image]),
    untag: (name, { keepDangling }) =>
      change((now) => {
        const row = now.find((image) => image.name === name);
        if (row === undefined) fail('not_found', 'image.not_found', `there is no image named ${name}`);
        return keepDangling ? withoutName(now, name, '') : now.filter((image) => image !== row);
      }),
    forget: (manifest) => change((now) => now.filter((image) => image.manifest.digest !== manifest)),
    manifest: (descriptor) =>
      document(descriptor, documentLimits.manifest, (bytes) => parseManifest(bytes, descriptor.mediaType)),
    config: (manifest) => document(manifest.config, documentLimits.config, parseImageConfig),
  };
}

/**
 * The rows without this name. An image that loses its last name to another one stays, dangling; `newManifest` is the
 * one that gets the name, so its own dangling row goes.
 */
function withoutName(
  rows: readonly StoredImage[],
  name: string | undefined,
  newManifest: Digest | '',
): readonly StoredImage[] {
  const loser = name === undefined ? undefined : rows.find((image) => image.name === name);
  const rest = rows.filter(
    (image) => image !== loser && !(image.name === undefined && image.manifest.digest === newManifest),
  );
  if (loser === undefined || loser.manifest.digest === newManifest) return rest;
  if (rest.some((image) => image.manifest.digest === loser.manifest.digest)) return rest;
  return [...rest, { ...loser, name: undefined }];
}

function indexOf(rows: readonly StoredImage[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: rows.map((image) => ({
      ...image.manifest,
      annotations: {
        ...image.manifest.annotations,
        ...(image.name === undefined ? {} : { [refAnnotation]: image.name, [nameAnnotation]: image.name }),
        ...(image.repoDigest === undefined ? {} : { [repoDigestAnnotation]: image.repoDigest }),
        [taggedAnnotation]: image.taggedAt,
      },
    })),
  };
}

async function readRows(directory: string, path: string): Promise<readonly StoredImage[]> {
  const bytes = await readFileLimited(path, indexLimit);
  if (bytes !== undefined) return parseIndex(bytes, undefined, indexLimit).manifests.map(rowOf);
  await writeFileAtomic(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}\n', { mode: 0o644 });
  await writeJsonAtomic(path, indexOf([]), { mode: 0o644 });
  return [];
}

function rowOf(descriptor: Descriptor): StoredImage {
  const {
    [refAnnotation]: _ref,
    [nameAnnotation]: name,
    [repoDigestAnnotation]: repoDigest,
    [taggedAnnotation]: taggedAt,
    ...annotations
  } = descriptor.annotations ?? {};
  const { annotations: _all, ...plain } = descriptor;
  const manifest = Object.keys(annotations).length === 0 ? plain : { ...plain, annotations };
  return { name, manifest, repoDigest, taggedAt: taggedAt ?? new Date(0).toISOString() };
}
