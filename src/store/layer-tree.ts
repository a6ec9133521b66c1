// A layer's file tree, built in memory from its tar stream: the one place where names of an archive are judged.
// Only file contents go on to the snapshot writer as they come; names are written at the end, from this tree, so no
// name of an archive ever reaches a path lookup. Rules: image-spec layer.md (whiteouts), overlayfs.rst.

import { fail } from '../base/errors.ts';
import type { TarSink } from '../base/tar.ts';
import { displayPath, type TarEntry } from '../base/tar-entry.ts';
import { type Inode, inodeOf, isWhiteout, newInode, refuse, setAttributes } from './layer-inode.ts';
import type { UnpackLimits } from './store.ts';

/** One of the two forms that a layer takes on disk. Calls are synchronous: this runs in a thread of its own. */
export interface SnapshotWriter {
  /** Content of this regular file follows, exactly `inode.size` bytes. */
  begin(inode: Inode): void;
  data(piece: Uint8Array): void;
  end(): void;
  /** Writes all names and metadata and makes everything durable. */
  finish(root: Inode, diffId: string): void;
  /** Lets go of what is open. */
  close(): void;
}

export interface FinishedTree {
  readonly root: Inode;
  /** Sum of the sizes of all files. */
  readonly size: number;
  /** See LayerInfo.files. */
  readonly files: Readonly<Record<string, string | null>>;
}

export interface LayerTree {
  readonly sink: TarSink;
  finish(): FinishedTree;
}

const maxComponent = 255;
const maxCaptured = 1 << 20;
const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';

export function layerTree(
  writer: Pick<SnapshotWriter, 'begin' | 'data' | 'end'>,
  options: LayerTreeOptions,
): LayerTree {
  return new Tree(writer, options);
}

export interface LayerTreeOptions {
  readonly limits: UnpackLimits;
  readonly allowDevices: boolean;
}

class Tree implements LayerTree {
  readonly sink: TarSink;
  readonly #options: LayerTreeOptions;
  readonly #root = newInode({ kind: 'directory', mode: 0o755 });
  readonly #captured = new Map<Inode, Uint8Array[]>();
  #inodes = 0;
  // Consecutive entries are mostly siblings.
  #lastParentPath = '';
  #lastParent = this.#root;

  constructor(writer: Pick<SnapshotWriter, 'begin' | 'data' | 'end'>, options: LayerTreeOptions) {
    this.#options = options;
    let current: Inode | undefined;
    let capture: Uint8Array[] | undefined;
    this.sink = {
      entry: (entry) => {
        const path = normalize(entry.path, entry.path);
        const inode = this.#add(path, entry);
        if (inode === undefined || entry.kind !== 'file') return;
        current = inode;
        writer.begin(inode);
        if (!capturedNames.test(path) || inode.size > maxCaptured) return;
        capture = [];
        this.#captured.set(inode, capture);
      },
      data: (piece) => {
        if (current === undefined) return;
        writer.data(piece);
        capture?.push(Uint8Array.prototype.slice.call(piece));
      },
      endEntry: () => {
        if (current !== undefined) writer.end();
        current = undefined;
        capture = undefined;
      },
    };
  }

  finish(): FinishedTree {
    return finish(this.#root, this.#captured);
  }

  /** The inode that the entry made or changed; undefined for a whiteout. */
  #add(path: string, entry: TarEntry): Inode | undefined {
    if (path === '') {
      if (entry.kind !== 'directory') refuse(entry.path, 'takes the place of the root directory');
      return setAttributes(this.#root, entry);
    }
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? this.#root : this.#parentOf(path, path.slice(0, slash));
    const name = path.slice(slash + 1);
    checkName(name, path);
    if (name.startsWith(whiteoutPrefix)) {
      this.#whiteout(parent, name, path);
      return undefined;
    }
    if (!this.#options.allowDevices && (entry.kind === 'char' || entry.kind === 'block')) {
      refuse(entry.path, 'is a device, which is not allowed here');
    }
    return this.#put(parent, name, entry);
  }

  #counted(inode: Inode): Inode {
    const most = this.#options.limits.maxLayerEntries;
    this.#inodes++;
    if (this.#inodes > most) fail('too_large', 'layer.too_large', `the layer has more than the ${most} files allowed`);
    return inode;
  }

  /** The directory that holds `path`; missing ones come into being as root's, 0755. */
  #parentOf(path: string, directory: string): Inode {
    if (directory === this.#lastParentPath) return this.#lastParent;
    let at = this.#root;
    for (const name of directory.split('/')) {
      checkName(name, path);
      if (name.startsWith(whiteoutPrefix)) refuse(path, 'lies below a whiteout');
      const child = at.children.get(name);
      if (child !== undefined && child.kind === 'directory') {
        at = child;
        continue;
      }
      if (child !== undefined && !isWhiteout(child)) {
        refuse(path, `lies below ${displayPath(name)}, which is a ${child.kind} in this layer`);
      }
      const made = this.#counted(newInode({ kind: 'directory', mode: 0o755, opaque: child !== undefined }));
      at.children.set(name, made);
      at = made;
    }
    this.#lastParentPath = directory;
    this.#lastParent = at;
    return at;
  }

  #put(parent: Inode, name: string, entry: TarEntry): Inode {
    const existing = parent.children.get(name);
    if (existing?.kind === 'directory') {
      if (entry.kind === 'directory') return setAttributes(existing, entry);
      this.#lastParentPath = '';
      this.#lastParent = this.#root;
    }
    const inode = this.#counted(entry.kind === 'hardlink' ? this.#linked(entry) : inodeOf(entry));
    // A whiteout and a directory of the same name in one layer: the lower one goes, the new one comes.
    if (inode.kind === 'directory' && existing !== undefined && isWhiteout(existing)) inode.opaque = true;
    parent.children.set(name, inode);
    return inode;
  }

  #linked(entry: TarEntry): Inode {
    const path = normalize(entry.link, entry.path);
    let at: Inode | undefined = this.#root;
    for (const name of path === '' ? [] : path.split('/')) at = at?.children.get(name);
    const said = `is a hard link to ${displayPath(entry.link)}`;
    if (at === undefined || isWhiteout(at)) refuse(entry.path, `${said}, which is not in this layer`);
    if (at.kind === 'directory') refuse(entry.path, `${said}, which is a directory`);
    return at;
  }

  #whiteout(parent: Inode, name: string, path: string): void {
    if (name === opaqueMarker) {
      parent.opaque = true;
      return;
    }
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden.startsWith(whiteoutPrefix)) return; // aufs's own bookkeeping.
    if (hidden === '' || hidden === '.' || hidden === '..') refuse(path, 'is a whiteout of no name');
    // Whiteouts speak of lower layers only: what this layer itself brings stays (layer.md, "Whiteouts").
    const existing = parent.children.get(hidden);
    if (existing === undefined) parent.children.set(hidden, this.#counted(newInode({ kind: 'char', mode: 0 })));
    else if (existing.kind === 'directory') existing.opaque = true;
  }
}

/** passwd and group, and the backups that they may be hard links of. */
const capturedNames = /^etc\/(?:passwd|group)-?$/;

function finish(root: Inode, captured: ReadonlyMap<Inode, readonly Uint8Array[]>): FinishedTree {
  let size = 0;
  root.links = 2;
  // Nothing of a lower layer shows below an opaque directory: there, a whiteout would itself be seen in a listing.
  const queue = [{ directory: root, sealed: root.opaque }];
  for (const { directory, sealed } of queue) {
    for (const [name, child] of directory.children) {
      if (child.kind === 'directory') {
        child.links = 2;
        directory.links++;
        queue.push({ directory: child, sealed: sealed || child.opaque });
      } else if (sealed && isWhiteout(child)) {
        directory.children.delete(name);
      } else {
        if (child.links === 0) size += child.size;
        child.links++;
      }
    }
  }
  const files: Record<string, string | null> = {};
  for (const name of ['passwd', 'group']) {
    const text = textOf(root, name, captured);
    if (text !== undefined) files[`etc/${name}`] = text;
  }
  return { root, size, files };
}

function textOf(
  root: Inode,
  name: string,
  captured: ReadonlyMap<Inode, readonly Uint8Array[]>,
): string | null | undefined {
  const etc = root.children.get('etc');
  if (etc === undefined) return root.opaque ? null : undefined;
  if (etc.kind !== 'directory') return null;
  const file = etc.children.get(name);
  if (file === undefined) return etc.opaque || root.opaque ? null : undefined;
  const pieces = captured.get(file);
  return pieces === undefined
    ? file.kind === 'file' && file.size === 0
      ? ''
      : null
    : Buffer.concat(pieces).toString('utf8');
}

/** `./a//b/` and `/a/b` are `a/b`, as every unpacker reads them; '' is the root. `..` is refused even where it stays inside. */
function normalize(path: string, entryPath: string): string {
  let start = 0;
  let end = path.length;
  while (path.charCodeAt(start) === 0x2f) start++;
  while (end > start && path.charCodeAt(end - 1) === 0x2f) end--;
  const trimmed = path.slice(start, end);
  if (!oddComponent.test(trimmed)) return trimmed;
  const parts = trimmed.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) {
    if (path === entryPath) refuse(entryPath, 'has .. in its name');
    refuse(entryPath, `is a hard link to ${displayPath(path)}, which has .. in its name`);
  }
  return parts.join('/');
}

const oddComponent = /(?:^|\/)\.{0,2}(?:\/|$)/;

function checkName(name: string, path: string): void {
  if (name.length > maxComponent) refuse(path, `has a name component longer than ${maxComponent} bytes`);
}
