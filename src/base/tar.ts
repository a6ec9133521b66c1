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
  return new Reader(sink);
}

interface Extended {
  readonly type: string;
  readonly bytes: Buffer;
  filled: number;
}

class Reader implements TarReader {
  readonly #sink: TarSink;
  /** A header that is cut by a chunk's end. */
  readonly #held = Buffer.alloc(blockSize);
  #heldBytes = 0;
  #dataLeft = 0;
  #padding = 0;
  #inEntry = false;
  #zeroBlocks = 0;
  #extended: Extended | undefined;
  #global: PaxRecords = new Map();
  #local: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    // Whatever follows the end mark is padding to the tape record.
    while (at < chunk.length && this.#zeroBlocks < 2) {
      if (this.#dataLeft > 0) at = this.#data(chunk, at);
      else if (this.#padding > 0) at = this.#skip(chunk, at);
      else at = this.#headerPart(chunk, at);
    }
  }

  end(): { readonly trailer: boolean } {
    const announced = this.#local !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
    const partial = this.#inEntry || this.#extended !== undefined || this.#padding > 0 || this.#heldBytes > 0;
    if (partial || (announced && this.#zeroBlocks === 0)) {
      throw new HoistError('corrupt', 'tar.truncated', 'the archive ends in the middle of an entry');
    }
    return { trailer: this.#zeroBlocks > 0 };
  }

  #skip(chunk: Buffer, at: number): number {
    const count = Math.min(this.#padding, chunk.length - at);
    this.#padding -= count;
    return at + count;
  }

  #headerPart(chunk: Buffer, at: number): number {
    if (this.#heldBytes === 0 && chunk.length - at >= blockSize) {
      this.#header(chunk, at);
      return at + blockSize;
    }
    const count = Math.min(blockSize - this.#heldBytes, chunk.length - at);
    this.#held.set(chunk.subarray(at, at + count), this.#heldBytes);
    this.#heldBytes += count;
    if (this.#heldBytes === blockSize) {
      this.#heldBytes = 0;
      this.#header(this.#held, 0);
    }
    return at + count;
  }

  #header(block: Buffer, at: number): void {
    if (isZeroBlock(block, at)) {
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) invalid('a header follows an end-of-archive block');
    checkSum(block, at);
    const type = String.fromCharCode(block[at + 156] ?? 0);
    if ('xgXLK'.includes(type)) this.#beginExtended(type, number(block, at + 124, 12, 'size of an extended header'));
    else this.#beginEntry(plainEntry(block, at, type, { path: this.#longName, link: this.#longLink }));
  }

  #beginEntry(plain: TarEntry): void {
    const global = this.#global;
    const local = this.#local;
    const entry =
      local === undefined && global.size === 0 ? plain : applyPax(plain, new Map([...global, ...(local ?? [])]));
    this.#local = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    checkNames(entry);
    this.#inEntry = true;
    this.#expect(entry.size);
    this.#sink.entry(entry);
    if (entry.size === 0) this.#endEntry();
  }

  #endEntry(): void {
    this.#inEntry = false;
    this.#sink.endEntry();
  }

  #beginExtended(type: string, size: number): void {
    if (size > maxExtended) invalid(`an extended header of ${size} bytes is more than the ${maxExtended} allowed`);
    this.#extended = { type, bytes: Buffer.alloc(size), filled: 0 };
    this.#expect(size);
    if (size === 0) this.#endExtended();
  }

  #endExtended(): void {
    const { type, bytes } = this.#extended ?? { type: '', bytes: Buffer.alloc(0) };
    this.#extended = undefined;
    if (type === 'L') this.#longName = cString(bytes, 0, bytes.length);
    else if (type === 'K') this.#longLink = cString(bytes, 0, bytes.length);
    else if (type === 'g') this.#global = parsePaxRecords(bytes, this.#global);
    else this.#local = parsePaxRecords(bytes, this.#local);
  }

  #expect(size: number): void {
    this.#dataLeft = size;
    this.#padding = -size & (blockSize - 1);
  }

  #data(chunk: Buffer, at: number): number {
    const count = Math.min(this.#dataLeft, chunk.length - at);
    const piece = chunk.subarray(at, at + count);
    this.#dataLeft -= count;
    const extended = this.#extended;
    if (extended !== undefined) {
      extended.bytes.set(piece, extended.filled);
      extended.filled += count;
      if (this.#dataLeft === 0) this.#endExtended();
    } else {
      this.#sink.data(piece);
      if (this.#dataLeft === 0) this.#endEntry();
    }
    return at + count;
  }
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
