// A file written from front to back in large, synchronous pieces: for threads that do nothing else. Full disks are told
// apart from other failures.

import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { translateWriteError } from '../base/errors.ts';

export interface OutputFile {
  /** Where the next byte goes. */
  readonly position: number;
  write(piece: Uint8Array): void;
  /** The next `count` bytes (at most 512 KiB), zeroed, to be filled in before the next call. */
  reserve(count: number): Buffer;
  /** Zeros up to the next multiple. */
  pad(multiple: number): void;
  writeAt(bytes: Uint8Array, position: number): void;
  /** To the kernel; close() alone drops what is still in the buffer. */
  flush(): void;
  sync(): void;
  close(): void;
}

const bufferSize = 1 << 20;

/** What a file's bytes gather in before they are written; files written one after the other may share one. */
export function outputBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(bufferSize);
}

/** Creates `path`, which must not exist. */
export function openOutput(path: string, buffer: Buffer = outputBuffer()): OutputFile {
  const fd = openSync(path, 'wx', 0o600);
  let flushed = 0;
  let filled = 0;
  let open = true;

  function put(bytes: Uint8Array, length: number, position: number): void {
    try {
      for (let at = 0; at < length; ) at += writeSync(fd, bytes, at, length - at, position + at);
    } catch (error) {
      throw translateWriteError(error, path);
    }
  }

  function flush(): void {
    put(buffer, filled, flushed);
    flushed += filled;
    filled = 0;
  }

  function reserve(count: number): Buffer {
    if (filled + count > bufferSize) flush();
    const view = buffer.subarray(filled, filled + count);
    view.fill(0);
    filled += count;
    return view;
  }

  return {
    get position() {
      return flushed + filled;
    },
    write(piece) {
      const large = piece.byteLength >= bufferSize / 2;
      if (large || filled + piece.byteLength > bufferSize) flush();
      if (large) {
        put(piece, piece.byteLength, flushed);
        flushed += piece.byteLength;
      } else {
        buffer.set(piece, filled);
        filled += piece.byteLength;
      }
    },
    reserve,
    pad(multiple) {
      const over = (flushed + filled) % multiple;
      if (over !== 0) reserve(multiple - over);
    },
    writeAt(bytes, position) {
      flush();
      put(bytes, bytes.byteLength, position);
    },
    flush,
    sync() {
      flush();
      try {
        fsyncSync(fd);
      } catch (error) {
        throw translateWriteError(error, path);
      }
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
