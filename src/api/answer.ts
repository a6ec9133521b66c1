// Writing answers: documents, lines that are flushed one by one, tars; at the pace of the client, until it is gone.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { PathStat } from '../spec/docker/container.ts';
import type { ProgressLine } from '../spec/docker/progress.ts';
import type { Answer, ApiMinor, OutputStream } from './route.ts';
import { streamType } from './stream/wire.ts';

/** A source that has not failed by then is taken for one that works: its client must not wait for a first line that may never come. */
const graceMs = 50;

export function sendJson(response: ServerResponse, status: number, document: unknown): void {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  if (response.headersSent) return void response.end(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.byteLength });
  response.end(body);
}

export interface SendOptions {
  readonly minor: ApiMinor;
  /** The client is gone. */
  readonly signal: AbortSignal;
  /** The sentence for a failure that comes too late for a status. */
  readonly failed: (error: unknown) => string;
}

/** What a handler returned. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  value: unknown,
  { signal, minor, failed }: SendOptions,
): Promise<void> {
  switch (answer.kind) {
    case 'json':
      return sendJson(response, answer.status, value);
    case 'empty':
      response.writeHead(answer.status, answer.status === 204 ? {} : { 'Content-Length': 0 });
      response.end();
      return;
    case 'lines':
      return sendLines(response, value as AsyncIterable<unknown>, signal, { grace: true, failed: undefined });
    case 'progress':
      return sendLines(response, value as AsyncIterable<unknown>, signal, { grace: false, failed });
    case 'tar':
      return sendBytes(response, value as AsyncIterable<Uint8Array>, signal);
    case 'archive': {
      const { stat, tar } = value as { readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> };
      response.setHeader('X-Docker-Container-Path-Stat', statHeader(stat));
      return sendBytes(response, tar, signal);
    }
    case 'stat':
      response.writeHead(200, { 'X-Docker-Container-Path-Stat': statHeader(value as PathStat), 'Content-Length': 0 });
      response.end();
      return;
    case 'ping':
      return sendPing(response);
    case 'output': {
      const { tty, bytes } = value as OutputStream;
      response.setHeader('Content-Type', streamType(tty, minor));
      return sendOutput(response, bytes, signal);
    }
    case 'hijack':
    case 'websocket':
      return; // carried by the handler
  }
}

const statHeader = (stat: PathStat): string => Buffer.from(JSON.stringify(stat)).toString('base64');

function sendPing(response: ServerResponse): void {
  response.writeHead(200, {
    'Builder-Version': '1',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': 2,
  });
  response.end('OK');
}

async function sendLines(
  response: ServerResponse,
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
  { grace, failed }: { readonly grace: boolean; readonly failed: ((error: unknown) => string) | undefined },
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  const begin = (): void => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
  };
  try {
    let next = iterator.next();
    await (grace ? inGrace(next) : next);
    begin();
    for (let item = await next; item.done !== true; item = await next) {
      await write(response, Buffer.from(`${JSON.stringify(item.value)}\r\n`), signal);
      if (signal.aborted) return;
      next = iterator.next();
    }
    response.end();
  } catch (error) {
    if (!response.headersSent || failed === undefined) throw error;
    const message = failed(error);
    const line: ProgressLine = { errorDetail: { message }, error: message };
    response.end(`${JSON.stringify(line)}\r\n`);
  } finally {
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

async function sendBytes(
  response: ServerResponse,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let item = await iterator.next(); // what fails at once gets a status
    response.writeHead(200, { 'Content-Type': 'application/x-tar' });
    for (; item.done !== true; item = await iterator.next()) {
      await write(response, item.value, signal);
      if (signal.aborted) return;
    }
    response.end();
  } finally {
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** A first line may never come; what fails at once gets a status. */
async function sendOutput(
  response: ServerResponse,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    await inGrace(next);
    response.writeHead(200);
    response.flushHeaders();
    for (let item = await next; item.done !== true; item = await next) {
      await write(response, item.value, signal);
      if (signal.aborted) return;
      next = iterator.next();
    }
    response.end();
  } finally {
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

const inGrace = (first: Promise<unknown>): Promise<unknown> =>
  Promise.race([first, new Promise((resolve) => setTimeout(resolve, graceMs))]);

/** Waits where the client is slow. */
async function write(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (signal.aborted || response.write(bytes)) return;
  await once(response, 'drain', { signal }).catch(() => {});
}
