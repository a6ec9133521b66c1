// logs: reads what the keeper writes (native/log.c), also while it writes, across rotations.
// An entry: `2026-01-02T03:04:05.000000006Z stdout F text`. P instead of F: the line goes on in the next entry.

import { watch } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail } from '../../base/errors.ts';
import type { LogLine, LogOptions } from '../engine.ts';
import type { ContainerPool, Live } from './deps.ts';
import { pathsOf } from './record.ts';

const newline = 10;

export async function* readLogs(pool: ContainerPool, live: Live, options: LogOptions): AsyncGenerator<LogLine> {
  if (live.record.hostConfig.LogConfig.Type === 'none') {
    fail('unsupported', 'logs.none', 'configured logging driver does not support reading', {
      hint: 'this container was created with --log-driver none',
    });
  }
  const file = pathsOf(pool.deps.paths, live.record.id).log;
  const wanted = (line: Entry): boolean =>
    (line.stream === 'stdout' ? options.stdout : options.stderr) && inTime(line, options);
  const cursor = new Cursor(file);
  try {
    let kept: Entry[] = [];
    const { tail } = options;
    for await (const line of cursor.everything()) {
      if (!wanted(line)) continue;
      if (tail === undefined) yield line;
      else {
        kept.push(line);
        if (kept.length > tail * 2 + 1000) kept = lastLines(kept, tail);
      }
    }
    if (tail !== undefined) yield* lastLines(kept, tail);
    if (options.follow) yield* follow(live, file, cursor, wanted, options.signal);
  } finally {
    await cursor.close();
  }
}

interface Entry extends LogLine {
  /** The end of a line. */
  readonly whole: boolean;
}

/** The entries of the last `count` lines: parts of one line count once. */
function lastLines(entries: readonly Entry[], count: number): Entry[] {
  let lines = 0;
  let at = entries.length;
  while (at > 0) {
    if (entries[at - 1]?.whole || at === entries.length) lines++;
    if (lines > count) break;
    at--;
  }
  return entries.slice(at);
}

function inTime({ time }: Entry, { since, until }: LogOptions): boolean {
  if (since === 0 && until === 0) return true;
  const seconds = Date.parse(time) / 1000 + Number(`0.000${/\.\d{3}(\d{6})Z$/.exec(time)?.[1] ?? '0'}`);
  return (since === 0 || seconds >= since) && (until === 0 || seconds <= until);
}

/** Reads on as the keeper writes, until the container has ended and all is read. */
async function* follow(
  live: Live,
  file: string,
  cursor: Cursor,
  wanted: (line: Entry) => boolean,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let wake = (): void => {};
  const watcher = watch(path.dirname(file), () => wake());
  const onEnd = (): void => wake();
  signal.addEventListener('abort', onEnd);
  try {
    while (!signal.aborted) {
      const running = live.record.state.status === 'running';
      // armed before reading: what is written in between wakes the next turn
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      live.exited.add(onEnd);
      for await (const line of cursor.more()) if (wanted(line)) yield line;
      if (!running || live.record.state.status !== 'running') {
        for await (const line of cursor.more()) if (wanted(line)) yield line;
        return;
      }
      await woken;
    }
  } finally {
    watcher.close();
    live.exited.delete(onEnd);
    signal.removeEventListener('abort', onEnd);
  }
}

/** A place in a container's log: where reading went on to, over the rotated files and the current one. */
class Cursor {
  readonly #file: string;
  #handle: Awaited<ReturnType<typeof open>> | undefined;
  #position = 0;
  #rest: Buffer = Buffer.alloc(0);
  #inode = 0n;

  constructor(file: string) {
    this.#file = file;
  }

  /** From the oldest file that is left to the end of the current one. */
  async *everything(): AsyncGenerator<Entry> {
    const base = path.basename(this.#file);
    const numbers = (await readdir(path.dirname(this.#file)))
      .map((name) => (name.startsWith(`${base}.`) ? Number(name.slice(base.length + 1)) : Number.NaN))
      .filter((n) => Number.isInteger(n))
      .sort((a, b) => b - a);
    for (const n of numbers) {
      const old = new Cursor(`${this.#file}.${n}`);
      try {
        yield* old.more();
      } finally {
        await old.close();
      }
    }
    yield* this.more();
  }

  /** What has been written since the last time. */
  async *more(): AsyncGenerator<Entry> {
    if (!(await this.#openCurrent())) return;
    yield* this.#readOn();
    if (await this.#rotated()) {
      yield* this.#readOn(); // what came between reading and rotation
      await this.close();
      this.#position = 0;
      this.#rest = Buffer.alloc(0);
      if (await this.#openCurrent()) yield* this.#readOn();
    }
  }

  async #openCurrent(): Promise<boolean> {
    if (this.#handle) return true;
    try {
      this.#handle = await open(this.#file, 'r');
      this.#inode = (await this.#handle.stat({ bigint: true })).ino;
      return true;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false; // nothing was started yet
      throw error;
    }
  }

  async #rotated(): Promise<boolean> {
    const current = await open(this.#file, 'r').catch(() => undefined);
    if (!current) return false;
    const { ino } = await current.stat({ bigint: true });
    await current.close();
    return ino !== this.#inode;
  }

  async *#readOn(): AsyncGenerator<Entry> {
    const room = Buffer.allocUnsafe(1 << 18);
    for (;;) {
      const { bytesRead } = (await this.#handle?.read(room, 0, room.length, this.#position)) ?? { bytesRead: 0 };
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const bytes = Buffer.concat([this.#rest, room.subarray(0, bytesRead)]);
      let at = 0;
      for (let end = bytes.indexOf(newline, at); end >= 0; end = bytes.indexOf(newline, at)) {
        const entry = parseEntry(bytes.subarray(at, end));
        if (entry) yield entry;
        at = end + 1;
      }
      this.#rest = Buffer.from(bytes.subarray(at));
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
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
