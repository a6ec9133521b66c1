// A part of a tree as a tar, streaming: names, attributes and contents as they are at the moment they are read. What is
// not there any more is left out; a file that grew is cut, one that shrank is filled with zeros, so that the archive is whole.

import { closeSync, fstatSync, read, readSync, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { errnoOf } from '../../base/errors.ts';
import type { TarKind } from '../../base/tar-entry.ts';
import { type TarOutput, tarHeader, tarPadding, tarTrailer } from '../../base/tar-write.ts';
import { pacer } from './pace.ts';
import { handle, isKernelMount, linkTarget, namesIn, openDirectory, readable } from './tree.ts';

export interface PackOptions {
  /** The first entry's name in the archive: `etc`, `.`, `/`. '': only what is in the directory, not itself. */
  readonly as: string;
  /** Extended attributes, by path from where the packing starts ('' is that itself). */
  readonly xattrs: XattrMap;
  /** What stands in the archive for an entry; by default itself. Files keep their size. `path`: as in `xattrs`. */
  readonly rewrite?: (entry: TarOutput, path: string) => readonly TarOutput[];
  readonly signal: AbortSignal;
}

export type XattrMap = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

const pieceSize = 256 << 10;
const largeFile = 512 << 10;
const readPiece = 1 << 20;
const maxPath = 4096;

interface Level {
  readonly fd: number;
  readonly device: number;
  readonly path: string;
  readonly names: readonly string[];
  next: number;
}

/** `dir` stays the caller's, open until the end. */
export async function* pack(dir: number, name: string, options: PackOptions): AsyncGenerator<Uint8Array> {
  const packing: Packing = { options, out: [], size: 0, links: new Map(), stack: [] };
  const pace = pacer(options.signal);
  try {
    let large = addEntry(packing, { dir, name, path: '', device: undefined });
    for (;;) {
      if (large !== undefined) {
        yield take(packing);
        yield* contents(large, options.signal);
        large = undefined;
      }
      if (packing.size >= pieceSize) yield take(packing);
      if (pace.due()) await pace.rest();
      const level = packing.stack.at(-1);
      if (level === undefined) break;
      const child = level.names[level.next++];
      if (child === undefined) {
        packing.stack.pop();
        closeSync(level.fd);
        continue;
      }
      const path = level.path === '' ? child : `${level.path}/${child}`;
      large = path.length > maxPath ? undefined : addEntry(packing, { ...level, dir: level.fd, name: child, path });
    }
    add(packing, tarTrailer());
    yield take(packing);
  } finally {
    for (const { fd } of packing.stack) closeSync(fd);
  }
}

interface Packing {
  readonly options: PackOptions;
  out: Uint8Array[];
  size: number;
  /** First names of files that have several, by device and inode. */
  readonly links: Map<string, string>;
  readonly stack: Level[];
}

interface Source {
  readonly dir: number;
  readonly name: string;
  readonly path: string;
  /** Of the directory that it is in. */
  readonly device: number | undefined;
}

interface Large {
  readonly fd: number;
  readonly size: number;
}

function add(packing: Packing, bytes: Uint8Array): void {
  packing.out.push(bytes);
  packing.size += bytes.length;
}

function take(packing: Packing): Uint8Array {
  const bytes = Buffer.concat(packing.out, packing.size);
  packing.out = [];
  packing.size = 0;
  return bytes;
}

/** Writes one entry; a large file's content is left to the caller. What vanishes meanwhile was never there. */
function addEntry(packing: Packing, source: Source): Large | undefined {
  try {
    const fd = handle(source.dir, source.name);
    try {
      return addFound(packing, source, fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const gone = ['ENOENT', 'ESTALE', 'EAGAIN', 'ESRCH'].includes(errnoOf(error) ?? '');
    if (!gone || source.path === '') throw error;
    return undefined;
  }
}

function addFound(packing: Packing, { dir, name, path, device }: Source, fd: number): Large | undefined {
  const stats = fstatSync(fd);
  if (stats.isDirectory()) {
    addHeader(packing, path, stats, 'directory', '');
    if (stats.dev !== device && isKernelMount(fd)) return undefined;
    const opened = openDirectory(fd, '.');
    if (opened === undefined) return undefined;
    packing.stack.push({ fd: opened, device: stats.dev, path, names: namesIn(opened), next: 0 });
    return undefined;
  }
  if (stats.isSymbolicLink()) return addHeader(packing, path, stats, 'symlink', linkTarget(dir, name));
  const kind = kindOf(stats);
  if (kind === undefined) return undefined;
  const key = `${stats.dev}:${stats.ino}`;
  const several = stats.nlink > 1 && !(kind === 'char' && stats.rdev === 0); // overlayfs links its whiteouts
  const first = several ? packing.links.get(key) : undefined;
  if (first !== undefined) return addHeader(packing, path, stats, 'hardlink', first);
  if (several) packing.links.set(key, archiveName(packing, path));
  if (kind !== 'file') return addHeader(packing, path, stats, kind, '');
  return addFile(packing, path, stats, fd);
}

function kindOf(stats: Stats): TarKind | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isCharacterDevice()) return 'char';
  if (stats.isBlockDevice()) return 'block';
  return stats.isFIFO() ? 'fifo' : undefined; // archives have no sockets
}

function addFile(packing: Packing, path: string, stats: Stats, held: number): Large | undefined {
  const fd = readable(held);
  let given = false;
  try {
    addHeader(packing, path, stats, 'file', '');
    if (stats.size > largeFile) {
      given = true;
      return { fd, size: stats.size };
    }
    const padded = Buffer.alloc(stats.size + (-stats.size & 511));
    for (let at = 0; at < stats.size; ) {
      const count = readSync(fd, padded, at, stats.size - at, at);
      if (count === 0) break;
      at += count;
    }
    add(packing, padded);
    return undefined;
  } finally {
    if (!given) closeSync(fd);
  }
}

const readAsync = promisify(read);

async function* contents({ fd, size }: Large, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for (let at = 0; at < size; ) {
      signal.throwIfAborted();
      const piece = Buffer.allocUnsafe(Math.min(readPiece, size - at));
      const { bytesRead } = await readAsync(fd, piece, 0, piece.length, at);
      yield bytesRead > 0 ? piece.subarray(0, bytesRead) : piece.fill(0);
      at += bytesRead || piece.length;
    }
    yield tarPadding(size);
  } finally {
    closeSync(fd);
  }
}

function archiveName({ options }: Packing, path: string): string {
  if (path === '') return options.as;
  return options.as === '' ? path : options.as.endsWith('/') ? `${options.as}${path}` : `${options.as}/${path}`;
}

function addHeader(packing: Packing, path: string, stats: Stats, kind: TarKind, link: string): undefined {
  const name = archiveName(packing, path);
  if (name === '') return;
  const { options } = packing;
  const device = kind === 'char' || kind === 'block';
  const xattrs = kind === 'hardlink' ? undefined : options.xattrs.get(path);
  const entry: TarOutput = {
    kind,
    path: kind === 'directory' && !name.endsWith('/') ? `${name}/` : name,
    link,
    size: kind === 'file' ? stats.size : 0,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    mtime: Math.floor(stats.mtimeMs / 1000), // whole seconds, as Docker's archives have them
    ...(device ? deviceOf(stats.rdev) : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
  for (const one of options.rewrite?.(entry, path) ?? [entry]) add(packing, tarHeader(one));
}

/** glibc's gnu_dev_major and gnu_dev_minor, for numbers as they come today. */
function deviceOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
