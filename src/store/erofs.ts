// Writes a layer as one EROFS image, sequentially: file contents as they come, then all metadata, the superblock last.
// Uncompressed, 4 KiB blocks, long inodes: the oldest and plainest form of the format, which every kernel since 5.4
// mounts. On-disk format: Documentation/filesystems/erofs.rst ("On-disk details") and fs/erofs/erofs_fs.h.

import { fail } from '../base/errors.ts';
import {
  direntSize,
  type ErofsLayout,
  erofsBlock,
  erofsInodeSize,
  layOut,
  type Slot,
  type XattrEntry,
  xattrHeader,
  xattrSize,
} from './erofs-layout.ts';
import type { SnapshotWriter } from './layer-tree.ts';
import { type OutputFile, openOutput } from './output-file.ts';

const superblockOffset = 1024;
const superblockSize = 128;
const magic = 0xe0f5e1e2;
/** "The times in inodes are modification times": EROFS_FEATURE_COMPAT_MTIME. */
const compatMtime = 2;

/** EROFS_INODE_FLAT_PLAIN and _FLAT_INLINE (data layouts), each with the bit of a long inode. */
const flatPlain = (0 << 1) | 1;
const flatInline = (2 << 1) | 1;

const formatBits = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
} as const;

/** EROFS_FT_*: what directory entries say of an inode. */
const entryTypes = { file: 1, directory: 2, char: 3, block: 4, fifo: 5, symlink: 7 } as const;

export function erofsWriter(path: string): SnapshotWriter {
  const output = openOutput(path);
  output.reserve(erofsBlock); // Block 0 is the superblock's.
  return {
    begin(inode) {
      inode.place = output.position / erofsBlock;
    },
    data: (piece) => output.write(piece),
    end: () => output.pad(erofsBlock),
    finish(root, diffId) {
      const layout = layOut(root, output.position);
      const start = output.position;
      for (const slot of layout.slots) {
        if (start + slot.offset > output.position) output.reserve(start + slot.offset - output.position);
        writeInode(output.reserve(erofsInodeSize + slot.xattrBytes + slot.inlineBytes), slot, layout);
      }
      output.pad(erofsBlock);
      for (const slot of layout.slots) if (slot.dataBlock !== undefined) writeContent(output, slot, layout);
      const blocks = output.position / erofsBlock;
      if (blocks > 0xffffffff) fail('too_large', 'layer.too_large', 'the layer is larger than 16 TiB');
      output.writeAt(superblock(layout, blocks, diffId), superblockOffset);
      output.sync();
    },
    close: () => output.close(),
  };
}

function superblock(layout: ErofsLayout, blocks: number, diffId: string): Buffer {
  const block = Buffer.alloc(superblockSize);
  block.writeUInt32LE(magic, 0);
  block.writeUInt32LE(compatMtime, 8);
  block.writeUInt8(Math.log2(erofsBlock), 12);
  block.writeUInt16LE(layout.slots[0]?.nid ?? 0, 14);
  block.writeUInt32LE(layout.slots.length, 16);
  block.writeUInt32LE(blocks, 36);
  block.writeUInt32LE(layout.metaBlock, 40);
  // The UUID follows from the content, so that one layer is one image, byte for byte, wherever it is unpacked.
  block.set(Buffer.from(diffId.slice(diffId.indexOf(':') + 1).slice(0, 32), 'hex'), 48);
  return block;
}

/** One inode with its attributes and inline content, into zeroed bytes of exactly that size. */
function writeInode(bytes: Buffer, slot: Slot, layout: ErofsLayout): void {
  const { inode } = slot;
  const content = inode.kind === 'file' ? inode.size : slot.contentBytes;
  bytes.writeUInt16LE(slot.inlineBytes > 0 ? flatInline : flatPlain, 0);
  bytes.writeUInt16LE(slot.xattrBytes === 0 ? 0 : (slot.xattrBytes - xattrHeader) / 4 + 1, 2);
  bytes.writeUInt16LE(formatBits[inode.kind] | inode.mode, 4);
  writeUInt64(bytes, content, 8);
  bytes.writeUInt32LE(location(slot, layout), 16);
  bytes.writeUInt32LE(slot.nid, 20);
  bytes.writeUInt32LE(inode.uid, 24);
  bytes.writeUInt32LE(inode.gid, 28);
  writeUInt64(bytes, inode.mtime, 32);
  bytes.writeUInt32LE(inode.mtimeNsec, 40);
  bytes.writeUInt32LE(inode.links, 44);
  let at = erofsInodeSize;
  if (slot.xattrs.length > 0) at = writeXattrs(bytes, at + xattrHeader, slot.xattrs);
  if (slot.inlineBytes === 0) return;
  if (slot.listing === undefined) bytes.write(inode.target, at, 'latin1');
  else writeDirents(bytes.subarray(at), slot, layout, { from: 0, to: slot.listing.names.length });
}

/** The union `i_u`: first block of the content, or a device's number as the kernel encodes it (new_encode_dev). */
function location(slot: Slot, layout: ErofsLayout): number {
  const { inode } = slot;
  if (inode.kind === 'char' || inode.kind === 'block') {
    return ((inode.minor & 0xff) | (inode.major << 8) | ((inode.minor & ~0xff) << 12)) >>> 0;
  }
  if (inode.kind === 'file') return inode.place;
  return slot.dataBlock === undefined ? 0 : layout.contentBlock + slot.dataBlock;
}

function writeXattrs(bytes: Buffer, start: number, entries: readonly XattrEntry[]): number {
  let at = start;
  for (const entry of entries) {
    bytes.writeUInt8(entry.name.length, at);
    bytes.writeUInt8(entry.index, at + 1);
    bytes.writeUInt16LE(entry.value.byteLength, at + 2);
    bytes.set(entry.name, at + 4);
    bytes.set(entry.value, at + 4 + entry.name.length);
    at += xattrSize(entry);
  }
  return at;
}

/** Content that did not fit behind its inode: directories of many names, very long symlinks. */
function writeContent(output: OutputFile, slot: Slot, layout: ErofsLayout): void {
  if (slot.listing === undefined) {
    output.write(Buffer.from(slot.inode.target, 'latin1'));
    output.pad(erofsBlock);
    return;
  }
  let from = 0;
  for (const to of slot.listing.ends) {
    writeDirents(output.reserve(erofsBlock), slot, layout, { from, to });
    from = to;
  }
}

/** One block of a directory: its entries, then their names, without terminators; zeros after the last. */
function writeDirents(bytes: Buffer, slot: Slot, layout: ErofsLayout, range: { from: number; to: number }): void {
  const names = slot.listing?.names ?? [];
  let nameAt = (range.to - range.from) * direntSize;
  for (let i = range.from; i < range.to; i++) {
    const name = names[i] ?? '';
    const child = name === '.' ? slot : name === '..' ? (slot.parent ?? slot) : childSlot(slot, name, layout);
    const at = (i - range.from) * direntSize;
    writeUInt64(bytes, child.nid, at);
    bytes.writeUInt16LE(nameAt, at + 8);
    bytes.writeUInt8(entryTypes[child.inode.kind], at + 10);
    bytes.write(name, nameAt, 'latin1');
    nameAt += name.length;
  }
}

function childSlot(slot: Slot, name: string, layout: ErofsLayout): Slot {
  const inode = slot.inode.children.get(name);
  const found = inode === undefined ? undefined : layout.slotOf.get(inode);
  if (found === undefined) throw new Error('an inode has no place in the layout');
  return found;
}

/** Two's complement for negative numbers; exact for every safe integer. */
function writeUInt64(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x100000000);
  bytes.writeUInt32LE(value - high * 0x100000000, at);
  bytes.writeInt32LE(high, at + 4);
}
