// The inodes of a layer's tree and the checks of what an archive says about one: owners, devices, extended attributes.

import { fail } from '../base/errors.ts';
import { displayPath, type TarEntry } from '../base/tar-entry.ts';

export interface Inode {
  readonly kind: 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo';
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  mtimeNsec: number;
  xattrs: ReadonlyMap<string, Uint8Array>;
  readonly size: number;
  /** Of a symlink; binary. */
  readonly target: string;
  readonly major: number;
  readonly minor: number;
  /** Of a directory: binary names. */
  readonly children: Map<string, Inode>;
  /** A directory that hides what lower layers have in it. */
  opaque: boolean;
  /** Names that it has; 2 and more for a directory. Right once the tree is finished. */
  links: number;
  /** The writer's own: where the content is. */
  place: number;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
const noChildren: Map<string, Inode> = new Map();

export function isWhiteout(inode: Inode): boolean {
  return inode.kind === 'char' && inode.major === 0 && inode.minor === 0;
}

export function refuse(path: string, complaint: string): never {
  fail('corrupt', 'layer.invalid', `the layer is refused: the entry ${displayPath(path)} ${complaint}`);
}

export function inodeOf(entry: TarEntry): Inode {
  const kind = entry.kind === 'hardlink' ? 'file' : entry.kind;
  if (entry.major > 0xfff || entry.minor > 0xfffff) refuse(entry.path, 'has a device number that Linux does not have');
  if (kind === 'symlink' && entry.link === '') refuse(entry.path, 'is a symlink to nothing');
  const { size, link: target, major, minor } = entry;
  return setAttributes(newInode({ kind, mode: 0, size, target, major, minor }), entry);
}

export function newInode(given: Partial<Inode> & Pick<Inode, 'kind' | 'mode'>): Inode {
  return {
    kind: given.kind,
    mode: given.mode,
    uid: 0,
    gid: 0,
    mtime: 0,
    mtimeNsec: 0,
    xattrs: noXattrs,
    size: given.size ?? 0,
    target: given.target ?? '',
    major: given.major ?? 0,
    minor: given.minor ?? 0,
    children: given.kind === 'directory' ? new Map() : noChildren,
    opaque: given.opaque ?? false,
    links: 0,
    place: 0,
  };
}

export function setAttributes(inode: Inode, entry: TarEntry): Inode {
  inode.mode = entry.mode;
  inode.uid = ownerId(entry.uid, entry);
  inode.gid = ownerId(entry.gid, entry);
  inode.mtime = entry.mtime;
  inode.mtimeNsec = entry.mtimeNsec;
  inode.xattrs = entry.xattrs.size === 0 ? noXattrs : keptXattrs(entry);
  return inode;
}

/** (uid_t)-1 means "no change" to chown and is nobody's. */
function ownerId(id: number, entry: TarEntry): number {
  if (id >= 0xffffffff) refuse(entry.path, `has the owner ${id}, which Linux does not have`);
  return id;
}

/**
 * What an image may bring: user.*, file capabilities, ACLs. Not trusted.* and user.overlay.*, by which a layer would
 * steer overlayfs (redirects into other layers), and not the labels of this host's security modules.
 */
function keptXattrs(entry: TarEntry): ReadonlyMap<string, Uint8Array> {
  const kept = new Map<string, Uint8Array>();
  let total = 0;
  for (const [name, value] of entry.xattrs) {
    if (!(name.startsWith('user.') && !name.startsWith('user.overlay.')) && !otherXattrs.includes(name)) continue;
    total += name.length + value.byteLength;
    if (Buffer.byteLength(name) > 255 || value.byteLength > 0xffff || total > 1 << 17) {
      refuse(entry.path, 'has extended attributes larger than Linux allows');
    }
    kept.set(name, Uint8Array.prototype.slice.call(value));
  }
  return kept;
}

const otherXattrs: readonly string[] = ['security.capability', 'system.posix_acl_access', 'system.posix_acl_default'];
