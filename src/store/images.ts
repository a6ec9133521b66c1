// The image names: index.json of the OCI layout, one row per name, with the facts that are ours as annotations.
// All rows are in memory (the engine is the only writer); every change replaces the file before it is seen.

import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, isHoistError } from '../base/errors.ts';
import { exists, readFileLimited, writeFileAtomic, writeJsonAtomic } from '../base/files.ts';
import { type Descriptor, type Digest, mediaTypes } from '../spec/oci/image.ts';
import { parseIndex } from '../spec/oci/parse.ts';
import type { Documents } from './documents.ts';
import type { ImageStore, StoredImage } from './store.ts';

/** What other tools read as the name: `skopeo copy oci:<root>/content:<name> …` works. */
const refAnnotation = 'org.opencontainers.image.ref.name';
const nameAnnotation = 'io.hoist.image.name';
const repoDigestAnnotation = 'io.hoist.repo.digest';
const taggedAnnotation = 'io.hoist.image.tagged';

/** The index of a thousand images is half a megabyte. */
const indexLimit = 64 << 20;

type Rows = readonly StoredImage[];

/** A change that waits for its turn. */
interface Change {
  readonly next: (rows: Rows) => Rows;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export async function openImageStore(directory: string, documents: Documents): Promise<ImageStore> {
  const path = join(directory, 'index.json');
  const spare = join(directory, '.spare');
  let rows: Rows = [];
  let names: ReadonlyMap<string, StoredImage> = new Map();
  let changes: Change[] = [];
  let last: Promise<void> = Promise.resolve();

  function show(changed: Rows): void {
    rows = changed;
    names = new Map(changed.flatMap((row) => (row.name === undefined ? [] : [[row.name, row] as const])));
  }

  function change(next: Change['next']): Promise<void> {
    if (changes.length === 0) last = last.then(write);
    return new Promise((resolve, reject) => changes.push({ next, resolve, reject }));
  }

  /** All changes that wait, in one write. Memory follows the disk, never the other way round. */
  async function write(): Promise<void> {
    const batch = changes;
    changes = [];
    let changed = rows;
    const good = batch.filter(({ next, reject }) => {
      try {
        changed = next(changed);
        return true;
      } catch (error) {
        reject(error);
        return false;
      }
    });
    try {
      if (good.length > 0) await save(changed);
      show(changed);
      for (const { resolve } of good) resolve();
    } catch (error) {
      for (const { reject } of good) reject(error);
    }
  }

  async function save(changed: Rows): Promise<void> {
    await layOut(directory, spare);
    const write = () => writeJsonAtomic(path, indexOf(changed), { mode: 0o644 });
    try {
      await write();
    } catch (error) {
      // A full disk must not be what keeps images from being removed.
      if (!isHoistError(error, 'disk.full') || changed.length >= rows.length) throw error;
      await rm(spare, { force: true });
      await write();
    }
  }

  await removeHalfWritten(directory);
  show(await readRows(path));
  if (rows.length > 0) await keepSpare(spare);
  return {
    list: () => rows,
    named: (name) => names.get(name),
    tag: (image) => change((now) => [...withoutName(now, image.name, image.manifest.digest), image]),
    untag: (name, { keepDangling }) =>
      change((now) => {
        const row = now.find((image) => image.name === name);
        if (row === undefined) fail('not_found', 'image.not_found', `there is no image named ${name}`);
        return keepDangling ? withoutName(now, name, '') : now.filter((image) => image !== row);
      }),
    forget: (manifest) => change((now) => now.filter((image) => image.manifest.digest !== manifest)),
    async manifest({ digest, mediaType }) {
      const document = await documents.manifestOrIndex(digest, mediaType);
      if ('manifests' in document) fail('invalid', 'manifest.invalid', `${digest} is an index of several images`);
      return document;
    },
    config: ({ config }) => documents.config(config.digest),
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

/** What a crash left of a document that was being replaced. */
async function removeHalfWritten(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('.') && name.endsWith('.tmp'));
  for (const name of names) await rm(join(directory, name), { force: true });
}

/** Room for the index of a thousand images or two, taken while there is some. */
async function keepSpare(path: string): Promise<void> {
  if (await exists(path)) return;
  await writeFile(path, randomBytes(1 << 20), { mode: 0o600 }).catch(() => rm(path, { force: true }));
}

async function readRows(path: string): Promise<readonly StoredImage[]> {
  const bytes = await readFileLimited(path, indexLimit);
  return bytes === undefined ? [] : parseIndex(bytes, undefined, indexLimit).manifests.map(rowOf);
}

/** What goes with the first index: the first command on an empty root does not wait for the disk. */
async function layOut(directory: string, spare: string): Promise<void> {
  const path = join(directory, 'oci-layout');
  if (!(await exists(path))) await writeFileAtomic(path, '{"imageLayoutVersion":"1.0.0"}\n', { mode: 0o644 });
  await keepSpare(spare);
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
