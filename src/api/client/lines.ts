// Bodies that do not end soon: JSON documents one after the other, and the lines of a container's log.

import type { Readable } from 'node:stream';
import { demultiplexer } from '../../base/multiplex.ts';
import type { LogLine } from '../../engine/engine.ts';

const newline = 10;

export async function* jsonLines<T>(source: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  for await (const line of linesOf(source)) {
    const text = line.toString('utf8').replaceAll('\x1e', '').trim(); // json-seq marks each record
    if (text !== '') yield JSON.parse(text) as T;
  }
}

/** With their newlines; the last one may have none. */
async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    let bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
      yield bytes.subarray(0, end + 1);
      bytes = bytes.subarray(end + 1);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield rest;
}

/** What was asked for with timestamps and details. Without frames (a terminal's) all is stdout. */
export async function* logLines(body: Readable, framed: boolean): AsyncGenerator<LogLine> {
  if (!framed) {
    for await (const line of linesOf(body)) yield logLine('stdout', line);
    return;
  }
  const ready: LogLine[] = [];
  let parts: Buffer[] = [];
  const take = demultiplexer((type, bytes, left) => {
    parts.push(bytes);
    if (left > 0) return;
    ready.push(logLine(type === 2 ? 'stderr' : 'stdout', Buffer.concat(parts)));
    parts = [];
  });
  for await (const chunk of body) {
    take(chunk as Uint8Array);
    yield* ready;
    ready.length = 0;
  }
}

/** `2026-01-02T03:04:05.000000006Z key=value,… text`; a further part of a line has nothing in front. */
function logLine(stream: LogLine['stream'], bytes: Buffer): LogLine {
  const head = bytes.subarray(0, 40).toString('latin1');
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z /.exec(head)?.[0];
  if (time === undefined) return { stream, time: '', data: bytes };
  const end = bytes.indexOf(' ', time.length);
  const attributes = bytes.subarray(time.length, end).toString('utf8');
  const details = attributes === '' ? {} : { details: detailsOf(attributes) };
  return { stream, time: time.trim(), data: bytes.subarray(end + 1), ...details };
}

function detailsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [key = '', ...value] = pair.split('=');
      return [decodeURIComponent(key), decodeURIComponent(value.join('='))];
    }),
  );
}
