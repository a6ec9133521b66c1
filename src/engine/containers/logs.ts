// logs: reads what the keeper writes (native/log.c), also while it writes, across rotations.

import { watch } from 'node:fs';
import path from 'node:path';
import { fail } from '../../base/errors.ts';
import type { LogLine, LogOptions } from '../engine.ts';
import { detailsOf } from '../logging/message.ts';
import { isReadable } from '../logging/options.ts';
import { refuseStart } from '../logging/values.ts';
import type { ContainerPool, Live } from './deps.ts';
import { type Entry, LogCursor } from './log-files.ts';
import { isAlive, pathsOf } from './record.ts';

export async function* readLogs(pool: ContainerPool, live: Live, options: LogOptions): AsyncGenerator<LogLine> {
  const { LogConfig } = live.record.hostConfig;
  if (!isReadable(LogConfig)) {
    fail('unsupported', 'logs.none', 'configured logging driver does not support reading', {
      hint: `this container was created with ${LogConfig.Type === 'none' ? '--log-driver none' : '--log-opt cache-disabled'}`,
    });
  }
  const details = detailsOf(live.record, refuseStart);
  for await (const line of linesOf(pool, live, options)) yield details === undefined ? line : { ...line, details };
}

async function* linesOf(pool: ContainerPool, live: Live, options: LogOptions): AsyncGenerator<LogLine> {
  const file = pathsOf(pool.deps.paths, live.record.id).log;
  const wanted = (line: Entry): boolean =>
    (line.stream === 'stdout' ? options.stdout : options.stderr) && inTime(line, options);
  const cursor = new LogCursor(file);
  try {
    let kept: Entry[] = [];
    const { tail } = options;
    for await (const line of cursor.more()) {
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
    await cursor[Symbol.asyncDispose]();
  }
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
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000 + Number(`0${time.slice(19, -1)}`);
  return (since === 0 || seconds >= since) && (until === 0 || seconds <= until);
}

/** Reads on as the keeper writes, until the container has ended and all is read. */
async function* follow(
  live: Live,
  file: string,
  cursor: LogCursor,
  wanted: (line: Entry) => boolean,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let wake = (): void => {};
  const watcher = watch(path.dirname(file), () => wake());
  const onEnd = (): void => wake();
  signal.addEventListener('abort', onEnd);
  try {
    while (!signal.aborted) {
      const running = isAlive(live.record.state);
      // armed before reading: what is written in between wakes the next turn
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      live.exited.add(onEnd);
      for await (const line of cursor.more()) if (wanted(line)) yield line;
      if (!running || !isAlive(live.record.state)) {
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
