// Reads the log files of a container in the order in which they were written: from the oldest rotated one to the one
// that its keeper writes, also while they are rotated underneath (native/log.c).
// An entry: `2026-01-02T03:04:05.000000006Z stdout F text`. P instead of F: the line goes on in the next entry.

import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../base/errors.ts';
import type { LogLine } from '../engine.ts';

const newline = 10;

export interface Entry extends LogLine {
  /** The end of a line. */
  readonly whole: boolean;
}

interface LogFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
}

/** Where a reader is: in which file, and how far. */
export interface LogPlace {
  readonly inode: string;
  readonly position: number;
}

/** A place in a container's log: `more` reads on from where it ended the last time. */
export class LogCursor implements AsyncDisposable {
  readonly #file: string;
  #current: LogFile | undefined;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);
  /** After the last entry that was given out. */
  #given = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Behind the last entry that was given out; undefined before the first file. */
  get place(): LogPlace | undefined {
    return this.#current && { inode: String(this.#current.inode), position: this.#given };
  }

  /** Goes on from a place of another cursor; false where that file is no more: it begins with the oldest then. */
  async goTo({ inode, position }: LogPlace): Promise<boolean> {
    for (const name of await this.#names()) {
      const found = await openLog(name);
      if (String(found?.inode) === inode && found && Number((await found.handle.stat()).size) >= position) {
        this.#current = found;
        this.#position = position;
        this.#given = position;
        return true;
      }
      await found?.handle.close();
    }
    return false;
  }

  /** What has been written since the last time; the first time, all that is left. */
  async *more(): AsyncGenerator<Entry> {
    for (;;) {
      yield* this.#readOn();
      const next = await this.#openNext();
      if (!next) return;
      yield* this.#readOn(); // what came between reading to the end and the rotation
      await this.#current?.handle.close();
      this.#current = next;
      this.#position = 0;
      this.#given = 0;
      this.#rest = Buffer.alloc(0);
    }
  }

  /**
   * The file that was begun after the current one, or the oldest when that is gone; undefined: there is none.
   * Opened from the newest to the oldest, against the direction in which a rotation moves them: none is passed over.
   */
  async #openNext(): Promise<LogFile | undefined> {
    let next: LogFile | undefined;
    for (const name of await this.#names()) {
      const found = await openLog(name);
      if (!found) continue;
      if (found.inode === this.#current?.inode || found.inode === next?.inode) {
        await found.handle.close();
        if (found.inode === this.#current?.inode) break;
        continue;
      }
      await next?.handle.close();
      next = found;
    }
    return next;
  }

  /** The newest first: log, log.1, log.2 … */
  async #names(): Promise<readonly string[]> {
    const base = path.basename(this.#file);
    const there = await readdir(path.dirname(this.#file)).catch((): string[] => []); // the container may be removed
    const numbers = there
      .map((name) => (name.startsWith(`${base}.`) ? Number(name.slice(base.length + 1)) : Number.NaN))
      .filter((n) => Number.isInteger(n))
      .sort((a, b) => a - b);
    return [this.#file, ...numbers.map((n) => `${this.#file}.${n}`)];
  }

  async *#readOn(): AsyncGenerator<Entry> {
    if (!this.#current) return;
    const room = Buffer.allocUnsafe(1 << 18);
    for (;;) {
      const { bytesRead } = await this.#current.handle.read(room, 0, room.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const bytes = Buffer.concat([this.#rest, room.subarray(0, bytesRead)]);
      const start = this.#position - bytes.length;
      let at = 0;
      for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
        const entry = parseEntry(bytes.subarray(at, end));
        at = end + 1;
        this.#given = start + at;
        if (entry) yield entry;
      }
      this.#rest = Buffer.from(bytes.subarray(at));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.handle.close();
    this.#current = undefined;
  }
}

async function openLog(file: string): Promise<LogFile | undefined> {
  try {
    const handle = await open(file, 'r');
    return { handle, inode: (await handle.stat({ bigint: true })).ino };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined; // nothing was started yet, or rotated away just now
    throw error;
  }
}

/** A torn line (the machine lost power while it was written) is passed over. */
function parseEntry(bytes: Buffer): Entry | undefined {
  const first = bytes.indexOf(32);
  const second = bytes.indexOf(32, first + 1);
  if (first < 0 || second < 0 || bytes[second + 2] !== 32) return undefined;
  const stream = bytes.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const whole = bytes[second + 1] === 'F'.charCodeAt(0);
  const text = bytes.subarray(second + 3);
  return {
    time: bytes.toString('latin1', 0, first),
    stream,
    whole,
    data: whole ? Buffer.concat([text, Buffer.from('\n')]) : Buffer.from(text),
  };
}
