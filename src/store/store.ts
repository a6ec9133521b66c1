// The contracts of the store: what is on disk under the root, and who may change it (the engine alone).
// Terms: a *blob* is bytes named by their digest (manifests, configs, compressed layers); a *layer* is the unpacked
// form of one, named by its diffID and unpacked independently of every other; an *image* is a name for a manifest.
//
//   <root>/content/            an OCI image layout: oci-layout, index.json (the image names), blobs/sha256/<hex>
//   <root>/layers/<hex>/       one directory per diffID: layer.json, and layer.erofs (a file) or tree/ (a directory)
//   <root>/tmp/                everything half-written; emptied when an engine starts
//
// Nothing gets its final name before every byte of it is verified and on disk (temp + fsync + rename).

import type { Descriptor, Digest, ImageConfig, Manifest } from '../spec/oci/image.ts';

export interface ContentStore {
  has(digest: Digest): Promise<boolean>;
  /** Absolute path of a blob that is here. */
  path(digest: Digest): string;
  /** Whole bytes of a small document; fails with `content.too_large` over `limit` bytes, `content.not_found`. */
  read(digest: Digest, limit: number): Promise<Uint8Array>;
  /**
   * Writes a stream under its digest; resolves when it is durable. Fails with `content.digest_mismatch`,
   * `content.size_mismatch` (also as soon as there are more bytes than declared) and leaves nothing behind.
   * Two ingests of one digest at once are one.
   */
  ingest(
    expected: { readonly digest: Digest; readonly size: number },
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Writes bytes whose digest is not known before; returns their descriptor's digest and size. */
  put(bytes: Uint8Array): Promise<{ readonly digest: Digest; readonly size: number }>;
  /**
   * Takes a file of Store.tempPath as a blob, without copying it. Whoever wrote it has hashed every byte on the way and
   * lets go of the file; it is gone from its path afterwards, also where the blob was here already.
   */
  adopt(path: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void>;
  remove(digest: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
}

/** An image as the store knows it: one name (or none, when dangling) for one manifest. */
export interface StoredImage {
  /** Canonical: `docker.io/library/busybox:latest`, or with `@sha256:…`; undefined for a dangling image. */
  readonly name: string | undefined;
  /** The image manifest of one platform. */
  readonly manifest: Descriptor;
  /** Digest of the index or manifest that the registry served for this name: what RepoDigests show. */
  readonly repoDigest: string | undefined;
  /** RFC 3339: when this name was given. */
  readonly taggedAt: string;
}

/** Changes that are asked for at once are one write. */
export interface ImageStore {
  list(): readonly StoredImage[];
  /** The row of a canonical name. */
  named(name: string): StoredImage | undefined;
  /** Replaces what had this name; the old manifest becomes dangling when nothing else names it. */
  tag(image: StoredImage): Promise<void>;
  /** Takes a name away. With `keepDangling` the manifest stays listed without a name if this was the last one. */
  untag(name: string, options: { readonly keepDangling: boolean }): Promise<void>;
  /** Takes away every row of a manifest. Content and layers go with `collect`. */
  forget(manifest: Digest): Promise<void>;
  // Documents are parsed once and kept in memory, up to a bound.
  manifest(descriptor: Descriptor): Promise<Manifest>;
  config(manifest: Manifest): Promise<ImageConfig>;
}

/** How a layer is mounted below an overlay. */
export type LayerSource =
  | { readonly kind: 'erofs'; readonly file: string }
  | { readonly kind: 'dir'; readonly path: string };

export interface LayerInfo {
  readonly diffId: Digest;
  readonly source: LayerSource;
  /** Sum of the file sizes in it, bytes. */
  readonly size: number;
  /** Files that the engine needs before a root exists (`etc/passwd`, `etc/group`), as this layer has them. null: the layer removes it (whiteout); absent: it says nothing. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Left to do before the layer is used; always empty for erofs, and where StoreOptions.applyPending did it. */
  readonly pending: readonly PendingOp[];
}

/**
 * What the `dir` snapshotter could not do with Node alone; someone who can make system calls must, before the layer is
 * used (see StoreOptions.applyPending). In order. Paths are relative to the tree ('' is its root) and binary strings:
 * one character is one byte. `opaque`: trusted.overlay.opaque=y, or user.overlay.opaque=y in a user namespace.
 */
export type PendingOp =
  | {
      readonly op: 'mknod';
      readonly path: string;
      /** With the type bits; major and minor 0 and a character device: a whiteout. */
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
      readonly uid: number;
      readonly gid: number;
      readonly mtime: number;
      readonly mtimeNsec: number;
    }
  | { readonly op: 'link'; readonly path: string; readonly to: string }
  /** Only when not root. `mode`: to be set again afterwards; undefined for a symlink. */
  | {
      readonly op: 'chown';
      readonly path: string;
      readonly uid: number;
      readonly gid: number;
      readonly mode: number | undefined;
    }
  | { readonly op: 'setxattr'; readonly path: string; readonly name: string; readonly value: string }
  | { readonly op: 'opaque'; readonly path: string }
  /** Of a directory that another operation changed. */
  | { readonly op: 'utimes'; readonly path: string; readonly mtime: number; readonly mtimeNsec: number };

export interface UnpackLimits {
  /** Most bytes that a layer may unpack to. */
  readonly maxLayerBytes: number;
  /** Most entries. */
  readonly maxLayerEntries: number;
}

export interface LayerStore {
  /** `erofs` or `dir`: the snapshotter that new layers get. */
  readonly driver: string;
  has(diffId: Digest): Promise<boolean>;
  info(diffId: Digest): Promise<LayerInfo>;
  /**
   * Unpacks a tar stream (plain, gzip or zstd by media type, or by magic when `compression` is 'detect') off the main thread.
   * `diffId` undefined: whatever comes out. Fails with `layer.diffid_mismatch`, `layer.truncated`, `layer.invalid` (a
   * hostile or broken tar: the sentence names the entry), `layer.too_large`, and leaves nothing behind.
   */
  unpack(
    source: AsyncIterable<Uint8Array>,
    options: {
      readonly compression: 'none' | 'gzip' | 'zstd' | 'detect';
      readonly diffId: Digest | undefined;
      readonly limits: UnpackLimits;
      readonly signal: AbortSignal;
    },
  ): Promise<LayerInfo>;
  remove(diffId: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
}

export interface Store {
  readonly content: ContentStore;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  /** Bytes from anywhere, to a directory that is emptied at the next start. */
  tempPath(suffix: string): string;
  /** Removes blobs and layers that no image row reaches and no name in `keep` (manifest digests) holds. Returns what went. */
  collect(keep: ReadonlySet<Digest>): Promise<readonly Digest[]>;
  /** A lease: digests named here survive `collect` until it is disposed (a pull under way). */
  lease(): { hold(digest: Digest): void } & AsyncDisposable;
}
