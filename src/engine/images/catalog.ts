// What the store's rows are as images: rows with one configuration are one image with several names.

import type { Descriptor, Digest, ImageConfig, Manifest } from '../../spec/oci/image.ts';
import { familiarName, familiarRepository, parseReference, type Reference } from '../../spec/oci/reference.ts';
import type { Store, StoredImage } from '../../store/store.ts';

/** One row of the store with its documents. */
export interface ImageDetails {
  /** Digest of the configuration. */
  readonly id: string;
  readonly stored: StoredImage;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export interface ImageGroup {
  readonly id: string;
  readonly config: ImageConfig;
  readonly rows: readonly ImageDetails[];
}

export async function detailsOf(store: Store, stored: StoredImage): Promise<ImageDetails> {
  const manifest = await store.images.manifest(stored.manifest);
  return { id: manifest.config.digest, stored, manifest, config: await store.images.config(manifest) };
}

/** Kept with a row, so that looking for an id reads no documents. */
const idAnnotation = 'io.hoist.image.id';

/** The descriptor of a row that is to be stored. */
export function rowDescriptor(manifest: Descriptor, id: string): Descriptor {
  return { ...manifest, annotations: { ...manifest.annotations, [idAnnotation]: id } };
}

/** Kept with the rows of images that were made of containers. */
const parentAnnotation = 'io.hoist.image.parent';

/** The same for an image that was made from another one. */
export function childDescriptor(manifest: Descriptor, id: string, parent: string): Descriptor {
  const row = rowDescriptor(manifest, id);
  return { ...row, annotations: { ...row.annotations, [parentAnnotation]: parent } };
}

/** The id of the image that this one was made from; '' where none is known. */
export function parentOf({ rows }: ImageGroup): string {
  for (const { stored } of rows) {
    const parent = stored.manifest.annotations?.[parentAnnotation];
    if (parent !== undefined) return parent;
  }
  return '';
}

interface IdentifiedRow {
  readonly id: string;
  readonly stored: StoredImage;
}

async function rowsById(store: Store, matches: (id: string) => boolean): Promise<readonly IdentifiedRow[]> {
  const rows: IdentifiedRow[] = [];
  for (const stored of store.images.list()) {
    // Another tool's row has none. Waited for only there: a thousand rows are looked through in no time.
    const id = stored.manifest.annotations?.[idAnnotation] ?? (await readId(store, stored));
    if (id !== undefined && matches(id)) rows.push({ id, stored });
  }
  return rows;
}

function readId(store: Store, stored: StoredImage): Promise<string | undefined> {
  return store.images.manifest(stored.manifest).then(
    ({ config }) => config.digest,
    () => undefined,
  );
}

/** The ids of all images that begin with `prefix`. */
export async function idsWithPrefix(store: Store, prefix: string): Promise<readonly string[]> {
  const rows = await rowsById(store, (id) => id.startsWith(prefix));
  return [...new Set(rows.map(({ id }) => id))];
}

/** How many images there are, without reading any. */
export async function countImages(store: Store): Promise<number> {
  return (await idsWithPrefix(store, '')).length;
}

/** One image with all its names. */
export async function imageWithId(store: Store, id: string): Promise<ImageGroup | undefined> {
  const found = await rowsById(store, (one) => one === id);
  const rows = await Promise.all(found.map(({ stored }) => detailsOf(store, stored)));
  const [first] = rows;
  return first === undefined ? undefined : { id, config: first.config, rows };
}

/** All images. A row whose documents are damaged is left out: one bad image must not hide the others. */
export async function allImages(store: Store): Promise<readonly ImageGroup[]> {
  const groups = new Map<string, { id: string; config: ImageConfig; rows: ImageDetails[] }>();
  for (const stored of store.images.list()) {
    const details = await detailsOf(store, stored).catch(() => undefined);
    if (details === undefined) continue;
    const group = groups.get(details.id) ?? { id: details.id, config: details.config, rows: [] };
    group.rows.push(details);
    groups.set(details.id, group);
  }
  return [...groups.values()];
}

/** The parsed names of an image, in the order in which they were given. */
export function namesOf(group: ImageGroup): readonly Reference[] {
  return group.rows.flatMap(({ stored }) => (stored.name === undefined ? [] : [parseReference(stored.name)]));
}

/** `busybox:latest` */
export function repoTags(group: ImageGroup): readonly string[] {
  return namesOf(group)
    .filter((name) => name.tag !== undefined)
    .map(familiarName)
    .sort();
}

/** `busybox@sha256:…`: what the registry called it. */
export function repoDigests(group: ImageGroup): readonly string[] {
  const digests = group.rows.flatMap(({ stored }) => {
    if (stored.name === undefined || stored.repoDigest === undefined) return [];
    return [`${familiarRepository(parseReference(stored.name))}@${stored.repoDigest}`];
  });
  return [...new Set(digests)].sort();
}

/** Unpacked bytes of these layers; one that is missing counts nothing. */
export async function unpackedSize(store: Store, layers: readonly Digest[]): Promise<number> {
  const sizes = await Promise.all(
    layers.map((diffId) =>
      store.layers.info(diffId).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Milliseconds; an image without a date is as old as can be. */
export function createdAt(config: ImageConfig): number {
  const time = Date.parse(config.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}
