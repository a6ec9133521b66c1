// A directory tree that somebody else may change while we are in it: a container's root, a volume. Every step is taken by
// name from a directory that is open already, never over a symlink: links are read and followed here, inside the tree,
// and `..` is the directory that we came from. So no symlink, rename or mount of a container leads anywhere else.
// Nothing is opened for reading before it is known to be a plain file or a directory: fifos, devices, leases block nobody.
// Names and paths are binary strings (one character, one byte).

import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  type PathLike,
  readdirSync,
  readlinkSync,
  type Stats,
  statfsSync,
} from 'node:fs';
import { errnoOf } from '../../base/errors.ts';

const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const maxLinks = 40;
const maxPath = 4096;

/** Something in a tree, held open: it stays what it is, whatever becomes of its name. */
export interface Place extends Disposable {
  /** Without leave to read or write (O_PATH). -1 where there is nothing of this name. */
  readonly fd: number;
  readonly stats: Stats | undefined;
  /** The directory that it is in; for the root, the root itself. */
  readonly dir: number;
  /** '.' for the root. */
  readonly name: string;
  /** From the root, all symlinks on the way resolved: `/etc/passwd`. */
  readonly path: string;
}

export interface Tree extends Disposable {
  /** The root directory (O_PATH). */
  readonly fd: number;
  /**
   * Finds a path. Fails as the kernel would (ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG), except that the last component may be
   * missing. `keep`: a symlink at the end is itself what is found, unless a slash follows it. `make` is called for every
   * directory that is missing, also the last one.
   */
  resolve(path: string, last: 'follow' | 'keep', make?: (dir: number, name: string) => void): Place;
}

/** `directory`: a path that nobody but us decides. */
export function openTree(directory: string): Tree {
  return treeOf(openSync(directory, O_PATH | O_DIRECTORY));
}

/** The tree below a directory that was found. */
export function subtree({ fd }: Pick<Place, 'fd'>): Tree {
  return openTree(`/proc/self/fd/${fd}`);
}

/** A name in an open directory, as a path for Node's calls; '.' is the directory itself. */
export function inside(dir: number, name: string): PathLike {
  const path = `/proc/self/fd/${dir}/${name}`;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return Buffer.from(path, 'latin1');
  return path;
}

/** Opens what has this name, without following, reading or waiting for it. */
export function handle(dir: number, name: string): number {
  return openSync(inside(dir, name), O_PATH | O_NOFOLLOW);
}

/** Opens for reading what is held already and known to be a plain file: nothing else may be opened so. */
export function readable(fd: number): number {
  return openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK);
}

/** A directory, or undefined where it is none. The caller closes it. */
export function openDirectory(dir: number, name: string): number | undefined {
  try {
    return openSync(inside(dir, name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Names in an open directory, in the order of their bytes. */
export function namesIn(dir: number): readonly string[] {
  return readdirSync(`/proc/self/fd/${dir}`, { encoding: 'latin1' }).sort();
}

export function linkTarget(dir: number, name: string): string {
  return readlinkSync(inside(dir, name), { encoding: 'latin1' });
}

// linux/magic.h: proc, sysfs, cgroup, cgroup2, devpts, mqueue, debugfs, tracefs, securityfs, bpf
const kernelTypes = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x1cd1, 0x19800202, 0x64626720, 0x74726163, 0x73636673, 0xcafe4a11,
]);

/** The kernel's own file systems count as empty: what they show depends on who looks, and reading may wait or act. */
export function isKernelMount(dir: number): boolean {
  return kernelTypes.has(statfsSync(`/proc/self/fd/${dir}/.`).type);
}

interface Step {
  readonly fd: number;
  readonly name: string;
  readonly device: number;
  readonly sealed: boolean;
}

function treeOf(fd: number): Tree {
  const root: Step = { fd, name: '', device: fstatSync(fd).dev, sealed: false };
  return {
    fd,
    resolve(path, last, make) {
      if (path.length > maxPath) throw pathError('ENAMETOOLONG', path);
      const walk: Walk = { path, stack: [root], rest: path.split('/'), links: 0, make };
      try {
        return follow(walk, last);
      } catch (error) {
        release(walk.stack);
        throw error;
      }
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

interface Walk {
  /** As asked for, for messages. */
  readonly path: string;
  readonly stack: Step[];
  /** Components that are left. */
  rest: string[];
  links: number;
  readonly make: ((dir: number, name: string) => void) | undefined;
}

function follow(walk: Walk, last: 'follow' | 'keep'): Place {
  const { stack } = walk;
  for (let name = walk.rest.shift(); name !== undefined; name = walk.rest.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      const left = stack.length > 1 ? stack.pop() : undefined;
      if (left) closeSync(left.fd);
      continue;
    }
    const here = stack[stack.length - 1] as Step;
    const final = walk.rest.length === 0;
    const fd = here.sealed ? -1 : enter(walk, here.fd, name);
    if (fd < 0) {
      if (walk.rest.some((one) => one !== '' && one !== '.')) throw pathError('ENOENT', walk.path);
      return placeOf(stack, { fd: -1, name, stats: undefined });
    }
    const stats = fstatSync(fd);
    if (stats.isDirectory()) {
      stack.push({ fd, name, device: stats.dev, sealed: stats.dev !== here.device && isKernelMount(fd) });
    } else if (stats.isSymbolicLink() && !(final && last === 'keep')) {
      closeSync(fd);
      enterLink(walk, linkTarget(here.fd, name));
    } else if (final) {
      return placeOf(stack, { fd, name, stats });
    } else {
      closeSync(fd);
      throw pathError('ENOTDIR', walk.path);
    }
  }
  return directoryPlace(stack);
}

function enter({ make }: Walk, dir: number, name: string): number {
  const fd = tryHandle(dir, name);
  if (fd >= 0 || make === undefined) return fd;
  make(dir, name);
  return handle(dir, name);
}

function tryHandle(dir: number, name: string): number {
  try {
    return handle(dir, name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return -1;
    throw error;
  }
}

function enterLink(walk: Walk, target: string): void {
  if (++walk.links > maxLinks) throw pathError('ELOOP', walk.path);
  if (target === '') throw pathError('ENOENT', walk.path);
  if (target.startsWith('/')) release(walk.stack.splice(1));
  walk.rest = [...target.split('/'), ...walk.rest];
}

/** The last directory of the walk, as what was found. */
function directoryPlace(stack: Step[]): Place {
  const found = stack[stack.length - 1] as Step;
  if (stack.length > 1) stack.pop();
  const fd = stack.length > 0 && found.name !== '' ? found.fd : openSync(`/proc/self/fd/${found.fd}/.`, O_PATH);
  return placeOf(stack, { fd, name: found.name || '.', stats: fstatSync(fd) });
}

function placeOf(stack: Step[], found: { fd: number; name: string; stats: Stats | undefined }): Place {
  const { fd, name, stats } = found;
  const way = stack.slice(1).map((step) => step.name);
  return {
    fd,
    stats,
    dir: (stack[stack.length - 1] as Step).fd,
    name,
    path: `/${(name === '.' ? way : [...way, name]).join('/')}`,
    [Symbol.dispose]() {
      if (fd >= 0) closeSync(fd);
      release(stack);
    },
  };
}

/** Closes all but the root, which is the tree's. */
function release(stack: readonly Step[]): void {
  for (const { fd, name } of stack) if (name !== '') closeSync(fd);
}

/** As Node's own errors of the file system: `code` is the errno's name. */
export function pathError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
