// A streaming reader of tar archives (ustar, pax, GNU, base-256 numbers), made for hostile input and for speed: bytes
// are pushed in, entries and pieces of their data come out synchronously, nothing is copied, nothing is allocated per block.
// Names and link targets are *binary strings* (latin1: one character is one byte), because file names are bytes, not text.
// Formats: POSIX pax (IEEE 1003.1 "pax Interchange Format"), GNU tar manual "Basic Tar Format".

import { HoistError } from './errors.ts';
import { displayPath, invalid, type TarEntry, type TarKind } from './tar-entry.ts';
import { applyPax, type PaxRecords, parsePaxRecords } from './tar-pax.ts';

/** Where entries go. All three are called synchronously, in archive order; a throw ends the reading. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** A piece of the file entry's data, valid only during the call. */
  data(piece: Uint8Array): void;
  /** After the last piece, for every entry. */
  endEntry(): void;
}

export interface TarReader {
  write(chunk: Uint8Array): void;
  /** No more bytes. Fails with `tar.truncated` inside an entry. `trailer`: whether the end-of-archive mark was there. */
  end(): { readonly trailer: boolean };
}

/** Most bytes of a pax header or GNU long name; Linux paths end at 4096, xattrs at 64 KiB each. */
const maxExtended = 1 << 20;
const maxPath = 4096;
const blockSize = 512;
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

export function readTar(sink: TarSink): TarReader {
  const held = Buffer.alloc(blockSize); // A header that is cut by a chunk's end.
  let heldBytes = 0;
  let dataLeft = 0;
  let padding = 0;
  let inEntry = false;
  let zeroBlocks = 0;
  let extended: { readonly type: string; readonly bytes: Buffer; filled: number } | undefined;
  let global: PaxRecords = new Map();
  let local: PaxRecords | undefined;
  let longName: string | undefined;
  let longLink: string | undefined;

  function header(block: Buffer, at: number): void {
    if (isZeroBlock(block, at)) {
      zeroBlocks++;
      return;
    }
    if (zeroBlocks > 0) invalid('a header follows an end-of-archive block');
    checkSum(block, at);
    const type = String.fromCharCode(block[at + 156] ?? 0);
    if ('xgXLK'.includes(type)) {
      const size = number(block, at + 124, 12, 'size of an extended header');
      if (size > maxExtended) invalid(`an extended header of ${size} bytes is more than the ${maxExtended} allowed`);
      extended = { type, bytes: Buffer.alloc(size), filled: 0 };
      dataLeft = size;
      padding = -size & (blockSize - 1);
      if (size === 0) endExtended();
      return;
    }
    const plain = plainEntry(block, at, type, { path: longName, link: longLink });
    const entry =
      local === undefined && global.size === 0 ? plain : applyPax(plain, new Map([...global, ...(local ?? [])]));
    local = longName = longLink = undefined;
    checkNames(entry);
    inEntry = true;
    dataLeft = entry.size;
    padding = -entry.size & (blockSize - 1);
    sink.entry(entry);
    if (dataLeft === 0) endOfEntry();
  }

  function endOfEntry(): void {
    inEntry = false;
    sink.endEntry();
  }

  function endExtended(): void {
    const { type, bytes } = extended ?? { type: '', bytes: Buffer.alloc(0) };
    extended = undefined;
    if (type === 'L') longName = cString(bytes, 0, bytes.length);
    else if (type === 'K') longLink = cString(bytes, 0, bytes.length);
    else if (type === 'g') global = parsePaxRecords(bytes, global);
    else local = parsePaxRecords(bytes, local);
  }

  function data(chunk: Buffer, at: number): number {
    const count = Math.min(dataLeft, chunk.length - at);
    const piece = chunk.subarray(at, at + count);
    dataLeft -= count;
    if (extended !== undefined) {
      extended.bytes.set(piece, extended.filled);
      extended.filled += count;
      if (dataLeft === 0) endExtended();
    } else {
      sink.data(piece);
      if (dataLeft === 0) endOfEntry();
    }
    return at + count;
  }

  return {
    write(bytes) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      let at = 0;
      while (at < chunk.length) {
        if (dataLeft > 0) {
          at = data(chunk, at);
        } else if (padding > 0) {
          const count = Math.min(padding, chunk.length - at);
          padding -= count;
          at += count;
        } else if (zeroBlocks >= 2) {
          return; // Whatever follows the end mark is padding to the tape record.
        } else if (heldBytes === 0 && chunk.length - at >= blockSize) {
          header(chunk, at);
          at += blockSize;
        } else {
          const count = Math.min(blockSize - heldBytes, chunk.length - at);
          held.set(chunk.subarray(at, at + count), heldBytes);
          heldBytes += count;
          at += count;
          if (heldBytes < blockSize) return;
          heldBytes = 0;
          header(held, 0);
        }
      }
    },
    end() {
      const pending = extended !== undefined || local !== undefined || longName !== undefined || longLink !== undefined;
      if (inEntry || padding > 0 || heldBytes > 0 || (pending && zeroBlocks === 0)) {
        throw new HoistError('corrupt', 'tar.truncated', 'the archive ends in the middle of an entry');
      }
      return { trailer: zeroBlocks > 0 };
    },
  };
}

const kinds: Readonly<Record<string, TarKind>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
};

function plainEntry(
  block: Buffer,
  at: number,
  type: string,
  long: { readonly path: string | undefined; readonly link: string | undefined },
): TarEntry {
  const path = long.path ?? headerPath(block, at);
  const named = kinds[type];
  if (named === undefined) {
    const what =
      type === 'S' ? 'is a sparse file of the old GNU format' : `has the unknown type ${JSON.stringify(type)}`;
    invalid(`the entry ${displayPath(path)} ${what}`);
  }
  // Archives older than ustar mark a directory by its name alone.
  const kind = type === '\0' && path.endsWith('/') ? 'directory' : named;
  const device = kind === 'char' || kind === 'block';
  return {
    kind,
    path,
    link: kind === 'symlink' || kind === 'hardlink' ? (long.link ?? cString(block, at + 157, 100)) : '',
    size: kind === 'file' ? number(block, at + 124, 12, 'size') : 0,
    mode: number(block, at + 100, 8, 'mode') & 0o7777,
    uid: number(block, at + 108, 8, 'uid'),
    gid: number(block, at + 116, 8, 'gid'),
    mtime: number(block, at + 136, 12, 'mtime', true),
    mtimeNsec: 0,
    major: device ? number(block, at + 329, 8, 'device number') : 0,
    minor: device ? number(block, at + 337, 8, 'device number') : 0,
    xattrs: noXattrs,
  };
}

function headerPath(block: Buffer, at: number): string {
  const name = cString(block, at, 100);
  // "ustar\0": POSIX, with a prefix field. "ustar ": GNU, which keeps other things there.
  const posix = block.toString('latin1', at + 257, at + 263) === 'ustar\0';
  const prefix = posix && block[at + 345] !== 0 ? cString(block, at + 345, 155) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function checkNames(entry: TarEntry): void {
  if (entry.path === '') invalid('an entry has no name');
  if (entry.path.length > maxPath) invalid(`the name ${displayPath(entry.path)} is longer than ${maxPath} bytes`);
  if (entry.link.length > maxPath) {
    invalid(`the link target of ${displayPath(entry.path)} is longer than ${maxPath} bytes`);
  }
  if (entry.path.includes('\0') || entry.link.includes('\0')) {
    invalid(`the entry ${displayPath(entry.path)} has a NUL byte in its name`);
  }
}

function cString(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString('latin1', at, end === -1 || end > at + length ? at + length : end);
}

/** An octal field (space or NUL around it), or base-256 where the first bit is set (GNU, star). */
function number(block: Buffer, at: number, length: number, what: string, mayBeNegative = false): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return base256(block, at, length, what, mayBeNegative);
  let value = 0;
  let i = at;
  const end = at + length;
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++;
  for (; i < end; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end; i++) {
    if (block[i] !== 0x20 && block[i] !== 0) invalid(`a ${what} is not a number`);
  }
  return value;
}

function base256(block: Buffer, at: number, length: number, what: string, mayBeNegative: boolean): number {
  const negative = ((block[at] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  for (let i = 0; i < length; i++) {
    const byte = block[at + i] ?? 0;
    value = (value << 8n) | BigInt(i === 0 ? (negative ? byte | 0x80 : byte & 0x7f) : byte);
  }
  if (value < 0n && !mayBeNegative) invalid(`a ${what} is negative`);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    invalid(`a ${what} is absurd`);
  return Number(value);
}

function isZeroBlock(block: Buffer, at: number): boolean {
  for (let i = at; i < at + blockSize; i++) if (block[i] !== 0) return false;
  return true;
}

/** The sum of the header's bytes with the sum itself taken as spaces; old archives summed signed bytes. */
function checkSum(block: Buffer, at: number): void {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let i = at; i < at + blockSize; i++) {
    const byte = block[i] as number;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = at + 148; i < at + 156; i++) {
    const byte = block[i] as number;
    unsigned -= byte;
    high -= byte >> 7;
  }
  const stated = number(block, at + 148, 8, 'checksum');
  if (stated !== unsigned && stated !== unsigned - 256 * high) invalid('a header has a wrong checksum');
}
