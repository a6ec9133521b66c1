// Takes a container's own log to where its driver wants it. The container never waits: what cannot be sent stays in the
// log, as far as that reaches back, and is tried again. A place on disk says how far it is, so that an engine that was
// killed goes on from there: every line is sent once at least.

import { renameSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readJsonNow } from '../../base/files.ts';
import { type Entry, LogCursor, type LogPlace } from '../containers/log-files.ts';
import type { Message } from './message.ts';
import type { Sink } from './sink.ts';

export interface ForwardOptions {
  /** The container's log. */
  readonly file: string;
  /** Where the place is kept. */
  readonly placeFile: string;
  readonly sink: Sink;
  /** Whether more lines may come. */
  readonly isAlive: () => boolean;
  /** The first wait after a failure; it doubles. */
  readonly retryMs: number;
  /** After so many failures lines are given up. */
  readonly maxRetries: number;
  /** The longest wait. */
  readonly maxRetryMs: number;
  /** What is in memory at one time. */
  readonly batch: { readonly messages: number; readonly bytes: number };
  readonly warn: (message: string) => void;
}

export interface Forwarder {
  /** Look again: the container has ended. */
  wake(): void;
  /** Resolves when all has been sent, or after `stop`. */
  readonly ended: Promise<void>;
  stop(): void;
}

const saveEveryMs = 200;

interface SavedPlace extends LogPlace {
  /** Of the last line sent: tells where to go on when its file is no more. */
  readonly time: string;
}

export function forward(options: ForwardOptions): Forwarder {
  const stopped = new AbortController();
  let wake = (): void => {};
  const places = placeKeeper(options);
  const run = async (): Promise<void> => {
    const watcher = watchFor(options.file, () => wake());
    const cursor = new LogCursor(options.file);
    try {
      const skip = await resume(cursor, places.read());
      while (!stopped.signal.aborted) {
        const alive = options.isAlive();
        // armed before reading: what is written in between wakes the next turn
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await sendAll(cursor, skip, options, places, stopped.signal);
        if (!alive) return;
        if (!stopped.signal.aborted) await woken;
      }
    } finally {
      watcher?.close();
      places.save();
      options.sink.close();
      await cursor[Symbol.asyncDispose]();
    }
  };
  const ended = run().catch((error: unknown) => options.warn(`forwarding ${options.file}: ${error}`));
  return {
    ended,
    wake: () => wake(),
    stop() {
      stopped.abort();
      wake();
    },
  };
}

function watchFor(file: string, changed: () => void): { close(): void } | undefined {
  try {
    return watch(path.dirname(file), changed).on('error', () => {});
  } catch {
    return undefined; // removed already
  }
}

/** Lines up to the time that is returned have been sent. */
async function resume(cursor: LogCursor, saved: SavedPlace | undefined): Promise<string> {
  if (saved === undefined || (await cursor.goTo(saved))) return '';
  return saved.time;
}

async function sendAll(
  cursor: LogCursor,
  skip: string,
  options: ForwardOptions,
  places: PlaceKeeper,
  signal: AbortSignal,
): Promise<void> {
  let batch: Message[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    const last = batch.at(-1);
    if (last === undefined || signal.aborted) return;
    await sendBatch(batch, options, signal);
    const { place } = cursor;
    if (place !== undefined && !signal.aborted) places.note({ ...place, time: last.time });
    batch = [];
    bytes = 0;
  };
  for await (const entry of cursor.more()) {
    if (entry.time <= skip) continue;
    batch.push(messageOf(entry));
    bytes += entry.data.length;
    if (batch.length >= options.batch.messages || bytes >= options.batch.bytes) await flush();
    if (signal.aborted) return;
  }
  await flush();
}

function messageOf({ stream, time, data, whole }: Entry): Message {
  return { stream, time, line: whole ? data.subarray(0, -1) : data, partial: !whole };
}

/** Tried until it succeeds, is given up, or nobody wants it any more. */
async function sendBatch(
  batch: readonly Message[],
  { sink, retryMs, maxRetries, maxRetryMs, warn, file }: ForwardOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      await unlessAborted(sink.send(batch), signal);
      return;
    } catch (error) {
      failures++;
      if (failures === 1)
        warn(`cannot forward ${file}: ${error instanceof Error ? error.message : error}; trying again`);
      if (failures > maxRetries) {
        warn(`${batch.length} lines of ${file} are given up after ${failures} attempts`);
        return;
      }
      await pause(Math.min(maxRetryMs, retryMs * 2 ** Math.min(failures - 1, 10)), signal);
    }
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {}); // where the abort came first
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

interface PlaceKeeper {
  read(): SavedPlace | undefined;
  note(place: SavedPlace): void;
  save(): void;
}

/** Written now and then: what was sent since is sent again by the next engine. */
function placeKeeper({ placeFile }: ForwardOptions): PlaceKeeper {
  let latest: SavedPlace | undefined;
  let timer: NodeJS.Timeout | undefined;
  const save = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (latest === undefined) return;
    try {
      const temporary = `${placeFile}.tmp`;
      writeFileSync(temporary, JSON.stringify(latest), { mode: 0o600 });
      renameSync(temporary, placeFile);
      latest = undefined;
    } catch {} // the container is removed, or the disk full: lines may be sent twice
  };
  return {
    save,
    note(place) {
      latest = place;
      timer ??= setTimeout(save, saveEveryMs).unref();
    },
    read() {
      try {
        const saved = readJsonNow(placeFile) as Partial<SavedPlace> | undefined;
        const { inode, position, time } = saved ?? {};
        if (typeof inode !== 'string' || typeof position !== 'number' || typeof time !== 'string') return undefined;
        return { inode, position, time };
      } catch {
        return undefined;
      }
    },
  };
}
