// Output on its way to a client that may read slowly, or never: every byte is taken at once, so that the container that
// wrote it goes on. What the client has no room for waits in memory, then in a file without a name; a client that is too
// far behind is cut off.

import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Writable } from 'node:stream';

export interface SpoolLimits {
  /** Where the file is made. */
  readonly directory: string;
  /** Bytes that wait in memory. */
  readonly memory?: number;
  /** Bytes that wait in the file; with more, the client is cut off. */
  readonly file?: number;
}

export interface Spool {
  /** Takes the bytes. False: the file is slower than they come; wait for `onRoom`. */
  push(bytes: Buffer): boolean;
  /** Ends the output when everything is delivered. */
  end(): void;
  /** Resolves when everything is delivered, or the client is gone. */
  readonly done: Promise<void>;
}

const readBytes = 256 * 1024;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one small machine; its parts share what they count
export function spool(output: Writable, limits: SpoolLimits, onRoom: () => void): Spool {
  const memory = limits.memory ?? 1 << 20;
  const cap = limits.file ?? 1 << 30;
  let queue: Buffer[] = [];
  let queued = 0;
  let file: FileHandle | undefined;
  let written = 0; // into the file, from the beginning; it is used as a ring of `cap` bytes
  let taken = 0; // out of it
  let working = false;
  let ending = false;
  let dead = false;
  let refused = false;
  let wake = (): void => {};
  let finished = (): void => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const release = (): void => {
    dead = true;
    queue = [];
    queued = 0;
    wake();
    if (refused) onRoom();
    if (!working) void close().then(finished);
  };
  let closed: Promise<void> = Promise.resolve();
  const close = (): Promise<void> => {
    const open = file;
    file = undefined;
    if (open) closed = open.close().catch(() => undefined);
    return closed;
  };
  const finish = (): void => {
    void close();
    output.end(() => void closed.then(finished));
  };
  output.on('error', release);
  output.on('close', release);
  output.on('drain', () => wake());

  /** Moves bytes onward, one step at a time, until nothing waits. */
  const work = async (): Promise<void> => {
    working = true;
    try {
      while (!dead && (queued > 0 || written > taken)) {
        if (output.writableLength < memory / 2) {
          if (written > taken) await fromFile();
          else for (const bytes of takeQueue()) output.write(bytes);
        } else if (queued > memory / 2) await toFile();
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } catch {
      output.destroy(); // no room on the disk: the client is cut off, the container goes on
    } finally {
      working = false;
      if (dead) await close().then(finished);
      else if (ending) finish();
    }
  };
  const takeQueue = (): readonly Buffer[] => {
    const all = queue;
    queue = [];
    queued = 0;
    if (refused) {
      refused = false;
      onRoom();
    }
    return all;
  };
  const toFile = async (): Promise<void> => {
    file ??= await openUnnamed(limits.directory);
    for (const bytes of takeQueue()) {
      if (written + bytes.length - taken > cap) return void output.destroy();
      for (let at = 0; at < bytes.length; ) {
        const place = written % cap;
        const count = Math.min(bytes.length - at, cap - place);
        const { bytesWritten } = await file.write(bytes, at, count, place);
        at += bytesWritten;
        written += bytesWritten;
      }
    }
  };
  const fromFile = async (): Promise<void> => {
    const place = taken % cap;
    const room = Buffer.allocUnsafe(Math.min(readBytes, written - taken, cap - place));
    const read = await file?.read(room, 0, room.length, place);
    taken += read?.bytesRead ?? 0;
    output.write(room.subarray(0, read?.bytesRead));
    if (taken < written) return;
    taken = written = 0;
    await file?.truncate(0);
  };

  return {
    done,
    push(bytes) {
      if (dead || ending) return true;
      if (!working && output.writableLength < memory) {
        output.write(bytes);
        return true;
      }
      queue.push(bytes);
      queued += bytes.length;
      if (working) wake();
      else void work();
      refused = queued > memory;
      return !refused;
    },
    end() {
      if (ending || dead) return;
      ending = true;
      if (working) wake();
      else finish();
    },
  };
}

/** A file that is gone when it is closed, however that happens. */
async function openUnnamed(directory: string): Promise<FileHandle> {
  const name = path.join(directory, `spool-${randomBytes(8).toString('hex')}`);
  const file = await open(name, 'wx+', 0o600);
  await unlink(name);
  return file;
}
