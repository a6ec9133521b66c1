// A tar, unpacked into a directory of a tree. The directory is the root of everything that the archive says: names and
// links are resolved inside it, and what an archive cannot mean honestly is refused (Docker's words). Files come into being
// under a name that was free, so nothing that is there already (fifo, device, link) is ever written to.

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { errnoOf, fail, HoistError, translateWriteError } from '../../base/errors.ts';
import { readTar } from '../../base/tar.ts';
import type { TarEntry } from '../../base/tar-entry.ts';
import { expand } from './expand.ts';
import { pacer } from './pace.ts';
import { handle, inside, namesIn, openDirectory, type Place, pathError, type Tree } from './tree.ts';

export interface UnpackOptions {
  /** The directory as messages name it. */
  readonly shown: string;
  /** A directory is not replaced by something else, nor the other way round. */
  readonly noOverwriteDirNonDir: boolean;
  /** Whose everything becomes; undefined: as the archive says. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** The name that the archive's entries begin with, and what it becomes. */
  readonly rename?: { readonly from: string; readonly to: string };
  /** What Node has no calls for. `dir`: an open directory of this process. */
  readonly special: SpecialFiles;
  readonly signal?: AbortSignal;
}

export interface SpecialFiles {
  mknod(dir: number, name: string, node: { mode: number; major: number; minor: number }): Promise<void>;
  setxattrs(dir: number, name: string, xattrs: ReadonlyMap<string, Uint8Array>): Promise<void>;
}

type Event = { readonly entry: TarEntry } | { readonly data: Uint8Array } | 'end';

interface Unpacking {
  readonly root: Tree;
  readonly options: UnpackOptions;
  /** Where the last entry went: the next one mostly goes there too. */
  parent: { readonly path: string; readonly place: Place } | undefined;
  current: { readonly fd: number; readonly entry: TarEntry; readonly dir: number; readonly name: string } | undefined;
  readonly directories: TarEntry[];
}

/** `root`: the directory that it is unpacked into. Fails with `archive.invalid`; what came before stays. */
export async function unpackInto(root: Tree, tar: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<void> {
  const unpacking: Unpacking = { root, options, parent: undefined, current: undefined, directories: [] };
  const events: Event[] = [];
  const reader = readTar({
    entry: (entry) => void events.push({ entry }),
    data: (data) => void events.push({ data }),
    endEntry: () => void events.push('end'),
  });
  const pace = pacer(options.signal);
  try {
    for await (const chunk of expand(tar)) {
      reader.write(chunk);
      for (const event of events) {
        await take(unpacking, event);
        if (pace.due()) await pace.rest();
      }
      events.length = 0;
    }
    reader.end();
    for (const entry of unpacking.directories.reverse()) setDirectoryTime(unpacking, entry);
  } catch (error) {
    throw translateWriteError(inWords(error), options.shown);
  } finally {
    if (unpacking.current) closeSync(unpacking.current.fd);
    unpacking.parent?.place[Symbol.dispose]();
  }
}

function inWords(error: unknown): unknown {
  if (!(error instanceof HoistError)) return error;
  if (error.code === 'tar.truncated') return invalid('unexpected EOF', error);
  if (error.code === 'tar.invalid') return invalid(`archive/tar: invalid tar header: ${error.message}`, error);
  if (error.code.startsWith('layer.')) return invalid(error.message.replace('layer', 'archive'), error);
  return error;
}

function invalid(message: string, cause?: unknown): HoistError {
  return new HoistError('invalid', 'archive.invalid', message, { cause });
}

async function take(unpacking: Unpacking, event: Event): Promise<void> {
  if (event === 'end') await finishFile(unpacking);
  else if ('entry' in event) await begin(unpacking, event.entry);
  else if (unpacking.current) writeAll(unpacking.current.fd, event.data);
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) at += writeSync(fd, data, at, data.length - at);
}

async function begin(unpacking: Unpacking, entry: TarEntry): Promise<void> {
  const { options } = unpacking;
  const path =
    cleaned(renamed(options, entry.path)) ??
    fail('invalid', 'archive.invalid', `invalid entry name ${quoted(entry.path)}`);
  if (path === '') {
    if (entry.kind === 'directory') return;
    throw invalid(`invalid entry name ${quoted(entry.path)}`);
  }
  const slash = path.lastIndexOf('/');
  const { dir, path: parentPath } = parentOf(unpacking, slash < 0 ? '' : path.slice(0, slash));
  const name = path.slice(slash + 1);
  const existing = statOf(dir, name);
  const both = existing?.isDirectory() && entry.kind === 'directory';
  if (existing && !both) {
    if (options.noOverwriteDirNonDir && existing.isDirectory())
      throw invalid(`cannot overwrite directory ${quoted(path)} with non-directory ${quoted(options.shown)}`);
    if (options.noOverwriteDirNonDir && entry.kind === 'directory')
      throw invalid(`cannot overwrite non-directory ${quoted(path)} with directory ${quoted(options.shown)}`);
    if (existing.isDirectory() || existing.isSymbolicLink()) forgetParent(unpacking, parentPath);
    removeBelow(dir, name);
  }
  await make(unpacking, { ...entry, path }, dir, name, both === true);
}

async function make(unpacking: Unpacking, entry: TarEntry, dir: number, name: string, there: boolean): Promise<void> {
  const at = inside(dir, name);
  switch (entry.kind) {
    case 'file': {
      const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants;
      unpacking.current = { fd: openSync(at, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600), entry, dir, name };
      return;
    }
    case 'hardlink':
      return hardLink(unpacking, entry, dir, name);
    case 'symlink':
      symlinkSync(Buffer.from(entry.link, 'latin1'), at);
      break;
    case 'directory':
      if (!there) mkdirSync(at, 0o700);
      unpacking.directories.push(entry);
      break;
    default:
      await unpacking.options.special.mknod(dir, name, {
        mode: { char: 0o020000, block: 0o060000, fifo: 0o010000 }[entry.kind] | 0o600,
        major: entry.major,
        minor: entry.minor,
      });
  }
  const owner = unpacking.options.owner ?? entry;
  lchownSync(at, owner.uid, owner.gid);
  if (entry.xattrs.size > 0) await unpacking.options.special.setxattrs(dir, name, entry.xattrs);
  if (entry.kind !== 'symlink') chmodAt(dir, name, entry.mode);
  if (entry.kind !== 'directory') lutimesSync(at, seconds(entry), seconds(entry));
}

async function finishFile(unpacking: Unpacking): Promise<void> {
  const { current } = unpacking;
  if (!current) return;
  const { fd, entry, dir, name } = current;
  const owner = unpacking.options.owner ?? entry;
  fchownSync(fd, owner.uid, owner.gid);
  if (entry.xattrs.size > 0) await unpacking.options.special.setxattrs(dir, name, entry.xattrs);
  fchmodSync(fd, entry.mode);
  futimesSync(fd, seconds(entry), seconds(entry));
  unpacking.current = undefined;
  closeSync(fd);
}

function hardLink({ root, options }: Unpacking, entry: TarEntry, dir: number, name: string): void {
  const target = cleaned(renamed(options, entry.link));
  if (target === undefined || target === '') throw invalid(`invalid hardlink target ${quoted(entry.link)}`);
  using place = root.resolve(target, 'keep');
  if (place.stats === undefined || place.stats.isDirectory())
    throw invalid(`invalid hardlink target ${quoted(entry.link)}`);
  linkSync(inside(place.dir, place.name), inside(dir, name));
}

/** chmod(2) follows links: here it meets what is held open, not what has the name by then. */
function chmodAt(dir: number, name: string, mode: number): void {
  const fd = handle(dir, name);
  try {
    if (!fstatSync(fd).isSymbolicLink()) chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}

function setDirectoryTime({ root }: Unpacking, entry: TarEntry): void {
  using place = root.resolve(entry.path, 'keep');
  if (place.stats?.isDirectory()) lutimesSync(inside(place.dir, place.name), seconds(entry), seconds(entry));
}

function seconds(entry: TarEntry): number {
  return entry.mtime + entry.mtimeNsec / 1e9;
}

function renamed({ rename }: UnpackOptions, path: string): string {
  if (rename === undefined) return path;
  const { from, to } = rename;
  if (from === '/') return `${to}/${path}`;
  return path === from || path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path;
}

/** `./a//b/` and `/a/b` are `a/b`; undefined where `..` leads out. '' is the directory itself. */
function cleaned(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

function quoted(path: string): string {
  return JSON.stringify(Buffer.from(path, 'latin1').toString('utf8'));
}

function statOf(dir: number, name: string): Stats | undefined {
  try {
    const fd = handle(dir, name);
    try {
      return fstatSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The open directory of this path, made with all that is missing on the way. */
function parentOf(unpacking: Unpacking, path: string): { readonly dir: number; readonly path: string } {
  const { root, parent } = unpacking;
  if (path === '') return { dir: root.fd, path };
  if (parent?.path !== path) {
    parent?.place[Symbol.dispose]();
    unpacking.parent = undefined;
    unpacking.parent = { path, place: makeDirectories(unpacking, path) };
  }
  return { dir: unpacking.parent?.place.fd ?? root.fd, path };
}

function forgetParent(unpacking: Unpacking, inUse: string): void {
  if (unpacking.parent === undefined || unpacking.parent.path === inUse) return;
  unpacking.parent.place[Symbol.dispose]();
  unpacking.parent = undefined;
}

function makeDirectories({ root, options }: Unpacking, path: string): Place {
  const place = root.resolve(path, 'follow', (dir, name) => {
    mkdirSync(inside(dir, name), 0o755);
    if (options.owner) lchownSync(inside(dir, name), options.owner.uid, options.owner.gid);
  });
  if (place.stats?.isDirectory()) return place;
  place[Symbol.dispose]();
  throw pathError('ENOTDIR', path);
}

/** Removes a name with all that is below it, never over a symlink, and never what another file system has there. */
function removeBelow(dir: number, name: string): void {
  const below = openDirectory(dir, name);
  if (below === undefined) {
    unlinkSync(inside(dir, name));
    return;
  }
  try {
    if (fstatSync(below).dev !== fstatSync(dir).dev) throw pathError('EBUSY', name);
    for (const child of namesIn(below)) removeBelow(below, child);
  } finally {
    closeSync(below);
  }
  rmdirSync(inside(dir, name));
}
