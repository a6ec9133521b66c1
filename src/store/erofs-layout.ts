// Where each inode of an EROFS image goes: computed before a byte of metadata is written, because a directory entry
// names its inode by its place. Pure.

import type { Inode } from './layer-inode.ts';

export const erofsBlock = 4096;
/** A node id counts slots of this many bytes from the metadata's first block. */
const erofsSlot = 32;
/** EROFS inodes come in 32 and 64 bytes; only the long ones have a time of their own. */
export const erofsInodeSize = 64;

export interface Slot {
  readonly inode: Inode;
  readonly parent: Slot | undefined;
  /** Bytes from the metadata's start. */
  readonly offset: number;
  readonly nid: number;
  readonly xattrs: readonly XattrEntry[];
  readonly xattrBytes: number;
  /** Bytes of a directory's or symlink's content, and how many of them follow the inode (all or none). */
  readonly contentBytes: number;
  readonly inlineBytes: number;
  /** First block of content that is not inline and not a file's; relative to the end of the inodes. */
  readonly dataBlock: number | undefined;
  /** Of a directory. */
  readonly listing: Listing | undefined;
}

export interface ErofsLayout {
  readonly slots: readonly Slot[];
  readonly slotOf: ReadonlyMap<Inode, Slot>;
  /** The metadata's first block, and the first one after the inodes. */
  readonly metaBlock: number;
  readonly contentBlock: number;
}

/** Sorted names of a directory, `.` and `..` among them, and where each of its blocks ends. */
export interface Listing {
  readonly names: readonly string[];
  /** For each block, the index after its last name. */
  readonly ends: readonly number[];
  readonly bytes: number;
}

export interface XattrEntry {
  /** EROFS_XATTR_INDEX_*: stands for the name's prefix. */
  readonly index: number;
  readonly name: Buffer;
  readonly value: Uint8Array;
}

/** Breadth first, so that the children of a directory lie side by side. `metaStart`: a multiple of the block size. */
export function layOut(root: Inode, metaStart: number): ErofsLayout {
  const slots: Slot[] = [];
  const slotOf = new Map<Inode, Slot>();
  // Nid 0 would be inode number 0, which readdir(3) skips in places.
  let cursor = erofsInodeSize;
  let dataBlocks = 0;

  function place(inode: Inode, parent: Slot | undefined): void {
    if (slotOf.has(inode)) return; // A hard link.
    const xattrs = xattrEntries(inode);
    const xattrBytes = xattrs.length === 0 ? 0 : xattrHeader + xattrs.reduce((sum, entry) => sum + xattrSize(entry), 0);
    const listing = inode.kind === 'directory' ? listingOf(inode) : undefined;
    const contentBytes = listing?.bytes ?? inode.target.length;
    const head = erofsInodeSize + xattrBytes;
    const canInline = contentBytes > 0 && (head % erofsBlock) + contentBytes <= erofsBlock;
    const inlineBytes = canInline ? contentBytes : 0;
    const offset = fit(cursor, head, inlineBytes);
    cursor = offset + head + inlineBytes;
    let dataBlock: number | undefined;
    if (contentBytes > inlineBytes) {
      dataBlock = dataBlocks;
      dataBlocks += Math.ceil(contentBytes / erofsBlock);
    }
    const nid = offset / erofsSlot;
    const slot = { inode, parent, offset, nid, xattrs, xattrBytes, contentBytes, inlineBytes, dataBlock, listing };
    slots.push(slot);
    slotOf.set(inode, slot);
  }

  place(root, undefined);
  for (const slot of slots) {
    for (const name of slot.listing?.names ?? []) {
      const child = slot.inode.children.get(name);
      if (child !== undefined) place(child, slot);
    }
  }
  const metaBlock = metaStart / erofsBlock;
  return { slots, slotOf, metaBlock, contentBlock: metaBlock + Math.ceil(cursor / erofsBlock) };
}

/** The first place from `cursor` on where neither the inode nor its inline content crosses a block's end. */
function fit(cursor: number, head: number, inlineBytes: number): number {
  const offset = Math.ceil(cursor / erofsSlot) * erofsSlot;
  const nextBlock = Math.ceil(offset / erofsBlock) * erofsBlock;
  if ((offset % erofsBlock) + erofsInodeSize > erofsBlock) return nextBlock;
  if (inlineBytes > 0 && ((offset + head) % erofsBlock) + inlineBytes > erofsBlock) return nextBlock;
  return offset;
}

export const direntSize = 12;

function listingOf(directory: Inode): Listing {
  // One character is one byte, so the order of strings is the order of bytes, which the kernel's binary search needs.
  const names = ['.', '..', ...directory.children.keys()].sort();
  const ends: number[] = [];
  let used = 0;
  names.forEach((name, i) => {
    const bytes = direntSize + name.length;
    if (used + bytes > erofsBlock) {
      ends.push(i);
      used = 0;
    }
    used += bytes;
  });
  ends.push(names.length);
  return { names, ends, bytes: (ends.length - 1) * erofsBlock + used };
}

export const xattrHeader = 12;

/** Bytes of one attribute: a header of 4, name, value, rounded up to 4. */
export function xattrSize(entry: XattrEntry): number {
  return Math.ceil((4 + entry.name.length + entry.value.byteLength) / 4) * 4;
}

const prefixes: readonly (readonly [prefix: string, index: number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

function xattrEntries(inode: Inode): readonly XattrEntry[] {
  if (inode.xattrs.size === 0 && !inode.opaque) return noEntries;
  const all = [...inode.xattrs];
  if (inode.opaque) all.push(['trusted.overlay.opaque', Buffer.from('y')]);
  return all.flatMap(([name, value]) => {
    const found = prefixes.find(([prefix]) => name.startsWith(prefix));
    return found === undefined ? [] : [{ index: found[1], name: Buffer.from(name.slice(found[0].length)), value }];
  });
}

const noEntries: readonly XattrEntry[] = [];
