// Files into and out of a container: what `docker cp` and the archive endpoints stand on, with dockerd's rules for paths.

import { fstatSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoOf, fail, HoistError, isHoistError } from '../../base/errors.ts';
import type { PathStat } from '../../spec/docker/container.ts';
import { pack } from '../files/pack.ts';
import { readXattrs, specialFiles } from '../files/special.ts';
import { linkTarget, type Place, subtree, type Tree } from '../files/tree.ts';
import { unpackInto } from '../files/unpack.ts';
import { openRoot, withWritableRoot } from './archive-root.ts';
import type { ContainerPool, Live } from './deps.ts';
import { userOf } from './prepare.ts';
import type { ContainerRecord } from './record.ts';
import { tell } from './tell.ts';

/** What a request is about: `ref` and `path` as the user has them, for messages. */
export interface ArchiveTarget {
  readonly pool: ContainerPool;
  readonly live: Live;
  readonly ref: string;
  readonly path: string;
}

export async function statPath(target: ArchiveTarget): Promise<PathStat> {
  await using root = await openRoot(target.pool, target.live);
  return find(root.tree, target, (place) => statOf(root.tree, target, place));
}

export async function getArchive(
  target: ArchiveTarget,
  signal: AbortSignal,
): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }> {
  const stat = await statPath(target);
  tell(target.pool, target.live.record, 'archive-path');
  return { stat, tar: contents(target, signal) };
}

async function* contents(target: ArchiveTarget, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  await using root = await openRoot(target.pool, target.live);
  using place = find(root.tree, target, (found) => found, 'kept');
  const xattrs = await readXattrs(target.pool.deps.executor(), place.dir, place.name);
  yield* pack(place.dir, place.name, { as: binary(baseName(target.path)), xattrs, signal });
}

export interface PutOptions {
  readonly noOverwriteDirNonDir: boolean;
  readonly copyUidGid: boolean;
}

export async function putArchive(
  target: ArchiveTarget,
  tar: AsyncIterable<Uint8Array>,
  { noOverwriteDirNonDir, copyUidGid }: PutOptions,
): Promise<void> {
  const { pool, live } = target;
  checkPath(target);
  const owner = copyUidGid ? await ownerOf(pool, live.record) : undefined;
  await withWritableRoot(pool, live, async ({ tree }) => {
    using place = resolve(tree, target, 'follow');
    if (!place.stats?.isDirectory()) fail('invalid', 'path.not_directory', 'extraction point is not a directory');
    checkWritable(live, shown(place.path));
    using directory = subtree(place);
    try {
      await unpackInto(directory, tar, {
        shown: shown(place.path),
        noOverwriteDirNonDir,
        owner,
        special: specialFiles(pool.deps.executor()),
      });
    } catch (error) {
      throw pathFailure(error, target);
    }
  });
  tell(pool, live.record, 'extract-to-dir');
}

async function ownerOf({ deps }: ContainerPool, record: ContainerRecord): Promise<{ uid: number; gid: number }> {
  const layers = await Promise.all(record.image.layers.map((diffId) => deps.store.layers.info(diffId)));
  const { uid, gid } = userOf(deps, record, layers, record.config.User);
  return { uid, gid };
}

/** By the mount that it lies on, or the root. A tmpfs is always the container's own. */
function checkWritable({ record }: Live, path: string): void {
  const { mounts, hostConfig: host } = record;
  const covers = (destination: string): boolean => path === destination || path.startsWith(`${destination}/`);
  const mount = mounts
    .filter(({ Destination }) => covers(Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (mount && !mount.RW) fail('invalid', 'mount.read_only', 'mounted volume is marked read-only');
  const own = [
    ...Object.keys(host.Tmpfs ?? {}),
    ...(host.Mounts ?? []).filter(({ Type }) => Type === 'tmpfs').map(({ Target }) => Target),
  ];
  if (!mount && host.ReadonlyRootfs && !own.some(covers))
    fail('invalid', 'root.read_only', 'container rootfs is marked read-only');
}

function checkPath({ path }: ArchiveTarget): void {
  if (path === '') fail('invalid', 'path.empty', 'bad parameter: pathcannot be empty');
  if (path.includes('\0')) fail('invalid', 'path.invalid', 'a path has no NUL byte in it');
}

/** Finds the path, a last symlink itself; `kept`: the place is for the caller to close. */
function find<T>(tree: Tree, target: ArchiveTarget, use: (place: Place) => T, kept?: 'kept'): T {
  checkPath(target);
  const place = resolve(tree, target, 'keep');
  try {
    if (place.stats === undefined) throw notFound(target);
    return use(place);
  } finally {
    if (!kept || place.stats === undefined) place[Symbol.dispose]();
  }
}

function resolve(tree: Tree, target: ArchiveTarget, last: 'follow' | 'keep'): Place {
  let place: Place;
  try {
    place = tree.resolve(binary(target.path), last);
  } catch (error) {
    throw pathFailure(error, target);
  }
  if (place.stats !== undefined) return place;
  place[Symbol.dispose]();
  throw notFound(target);
}

function notFound({ path, ref }: ArchiveTarget): HoistError {
  return new HoistError('not_found', 'path.not_found', `Could not find the file ${path} in container ${ref}`);
}

function pathFailure(error: unknown, target: ArchiveTarget): unknown {
  if (isHoistError(error)) return error;
  const code = errnoOf(error);
  if (code === 'ENOENT') return notFound(target);
  const words = code === undefined ? undefined : errnoWords[code];
  if (words === undefined) return error;
  return new HoistError('system', 'path.unusable', `lstat ${target.path}: ${words}`, { cause: error });
}

const errnoWords: Readonly<Record<string, string>> = {
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  EACCES: 'permission denied',
  EROFS: 'read-only file system',
  EBUSY: 'device or resource busy',
};

function binary(path: string): string {
  return Buffer.from(path).toString('latin1');
}

function shown(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}

/** `/a/b/` is `b`, `/a/.` is `.`, `/` is itself. */
function baseName(path: string): string {
  return /(?:^|\/)\.$/.test(path) ? '.' : posix.basename(posix.normalize(`/${path}`)) || '/';
}

function statOf(tree: Tree, target: ArchiveTarget, place: Place): PathStat {
  const { size, mode, mtimeNs } = fstatSync(place.fd, { bigint: true });
  return {
    name: baseName(target.path),
    size: Number(size),
    mode: goMode(Number(mode)),
    mtime: goTime(mtimeNs),
    linkTarget: place.stats?.isSymbolicLink() ? linkTargetOf(tree, target.path, place) : '',
  };
}

/** Where the link leads, inside the root; what it says where that cannot be found out. */
function linkTargetOf(tree: Tree, path: string, place: Place): string {
  try {
    using end = tree.resolve(binary(path), 'follow');
    return shown(end.path);
  } catch {
    const directory = posix.dirname(shown(place.path));
    return posix.resolve(directory, shown(linkTarget(place.dir, place.name)));
  }
}

/** io/fs.FileMode: permissions as Unix has them, everything else at the other end. */
function goMode(mode: number): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return (mode & 0o777) + special + (goKinds.get(mode & 0o170000) ?? 0);
}

const goKinds: ReadonlyMap<number, number> = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
  [0o020000, 2 ** 26 + 2 ** 21],
]);

/** RFC 3339 with as many digits as there are. */
function goTime(nanoseconds: bigint): string {
  const seconds = nanoseconds >= 0n ? nanoseconds / 1_000_000_000n : (nanoseconds - 999_999_999n) / 1_000_000_000n;
  const fraction = String(nanoseconds - seconds * 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.000Z$/, fraction === '' ? 'Z' : `.${fraction}Z`);
}
