// Writes a layer as a plain directory, where erofs cannot be mounted. Contents go to numbered files as they come; the
// tree is then built from the finished, judged tree of names, each name once and without following anything: an archive
// has no way to make two of its names meet on the host's filesystem.
// Node has no mknod and no extended attributes: these become `pending`, for the caller's native executor.

import { execFileSync } from 'node:child_process';
import { chmodSync, lchownSync, linkSync, lutimesSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { translateWriteError } from '../base/errors.ts';
import type { Inode } from './layer-inode.ts';
import type { SnapshotWriter } from './layer-tree.ts';
import { type OutputFile, openOutput, outputBuffer } from './output-file.ts';
import type { PendingOp } from './store.ts';

export function dirWriter(directory: string, pending: PendingOp[], oneOwner = false): SnapshotWriter {
  const tree = join(directory, 'tree');
  const contents = join(directory, 'contents');
  mkdirSync(tree, { mode: 0o700 });
  mkdirSync(contents, { mode: 0o700 });
  const buffer = outputBuffer();
  let files = 0;
  let output: OutputFile | undefined;
  return {
    begin(inode) {
      inode.place = ++files;
      output = openOutput(join(contents, String(files)), buffer);
    },
    data: (piece) => output?.write(piece),
    end() {
      output?.flush();
      output?.close();
      output = undefined;
    },
    finish(root) {
      try {
        build(root, { tree, contents, pending, oneOwner, named: new Map() });
      } catch (error) {
        throw translateWriteError(error, tree);
      }
      rmSync(contents, { recursive: true });
      // syncfs(2): one call for thousands of files. Node has none, coreutils has.
      execFileSync('sync', ['-f', tree], { stdio: 'ignore' });
    },
    close: () => output?.close(),
  };
}

interface Building {
  readonly tree: string;
  readonly contents: string;
  readonly pending: PendingOp[];
  readonly oneOwner: boolean;
  /** Where an inode got its first name; its other names are links of that. */
  readonly named: Map<Inode, string>;
}

function build(root: Inode, building: Building): void {
  const placed: { readonly inode: Inode; readonly path: string }[] = [{ inode: root, path: '' }];
  for (const { inode, path } of placed) {
    for (const [name, child] of inode.children) {
      const childPath = path === '' ? name : `${path}/${name}`;
      if (makeName(child, childPath, building)) placed.push({ inode: child, path: childPath });
    }
  }
  // Children before their directory: a directory may be read-only, and each new name changes its time.
  for (const { inode, path } of placed.reverse()) setAttributes(inode, path, building);
  for (const { inode, path } of placed) {
    const { mtime, mtimeNsec } = inode;
    if ([...inode.children.values()].some(isSpecial)) building.pending.push({ op: 'utimes', path, mtime, mtimeNsec });
  }
}

/** Gives an inode this name; false when it had one already, and with it its attributes. */
function makeName(inode: Inode, path: string, building: Building): boolean {
  const target = onDisk(building, path);
  const first = building.named.get(inode);
  if (first !== undefined) {
    if (isSpecial(inode)) building.pending.push({ op: 'link', path, to: first });
    else linkSync(onDisk(building, first), target);
    return false;
  }
  building.named.set(inode, path);
  if (inode.kind === 'directory') mkdirSync(target, { mode: 0o700 });
  else if (inode.kind === 'symlink') symlinkSync(Buffer.from(inode.target, 'latin1'), target);
  else if (inode.kind === 'file') renameSync(join(building.contents, String(inode.place)), target);
  else {
    const { uid, gid, major, minor, mtime, mtimeNsec } = inode;
    const mode = specialBits[inode.kind] | inode.mode;
    building.pending.push({ op: 'mknod', path, mode, major, minor, uid, gid, mtime, mtimeNsec });
  }
  return true;
}

const specialBits = { char: 0o020000, block: 0o060000, fifo: 0o010000 } as const;

function isSpecial(inode: Inode): boolean {
  return inode.kind === 'char' || inode.kind === 'block' || inode.kind === 'fifo';
}

function setAttributes(inode: Inode, path: string, building: Building): void {
  const { mode, uid, gid } = inode;
  const target = onDisk(building, path);
  if (!isSpecial(inode)) {
    // The order matters: a change of owner takes setuid bits and capabilities away.
    if (building.oneOwner) {
      // nobody else is there to own it
    } else if (process.getuid?.() === 0) lchownSync(target, uid, gid);
    else if (uid !== process.getuid?.() || gid !== process.getgid?.()) {
      building.pending.push({ op: 'chown', path, uid, gid, mode: inode.kind === 'symlink' ? undefined : mode });
    }
    if (inode.kind !== 'symlink') chmodSync(target, mode);
    lutimesSync(target, seconds(inode), seconds(inode));
  }
  for (const [name, value] of inode.xattrs) {
    building.pending.push({ op: 'setxattr', path, name, value: Buffer.from(value).toString('base64') });
  }
  if (inode.opaque) building.pending.push({ op: 'opaque', path });
}

function seconds(inode: Inode): number {
  return inode.mtime + inode.mtimeNsec / 1e9;
}

/** Names are binary strings, the tree's own path is text. */
function onDisk(building: Building, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${building.tree}/`), Buffer.from(path, 'latin1')]);
}
