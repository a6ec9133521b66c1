// Log lines as the API's streams have them: with their times and details in front, in frames or (with a terminal) raw.

import { multiplexed } from '../../base/multiplex.ts';
import type { LogLine } from '../../engine/engine.ts';

export interface LogLook {
  readonly timestamps: boolean;
  readonly details: boolean;
}

const newline = 10;

/** Each line with what stands before it; a line in several parts has that once. */
export async function* logFrames(
  lines: AsyncIterable<LogLine>,
  look: LogLook,
): AsyncGenerator<readonly [stream: 1 | 2, bytes: Uint8Array]> {
  /** Streams whose last line is not at its end. */
  const open = new Set<string>();
  for await (const line of lines) {
    const prefix = open.has(line.stream) ? '' : prefixOf(line, look);
    if (line.data.at(-1) === newline) open.delete(line.stream);
    else open.add(line.stream);
    const bytes = prefix === '' ? line.data : Buffer.concat([Buffer.from(prefix), line.data]);
    yield [line.stream === 'stdout' ? 1 : 2, bytes];
  }
}

/** The body of an answer to ContainerLogs. */
export async function* logBody(lines: AsyncIterable<LogLine>, look: LogLook, tty: boolean): AsyncGenerator<Uint8Array> {
  for await (const [stream, bytes] of logFrames(lines, look)) yield tty ? bytes : multiplexed(stream, bytes);
}

function prefixOf({ time, details }: LogLine, look: LogLook): string {
  const attributes = Object.entries(details ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join(',');
  return `${look.timestamps ? `${time} ` : ''}${look.details ? `${attributes} ` : ''}`;
}
