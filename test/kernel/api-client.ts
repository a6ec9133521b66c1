// A client of docker.sock that does what a test wants to see, and nothing by itself: requests, and connections taken over.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import path from 'node:path';
import type { World } from './world.ts';

export const dockerSocket = (world: World): string => path.join(world.runRoot, 'docker.sock');

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

export function ask(world: World, method: string, target: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers =
      text === '' ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const asked = request({ socketPath: dockerSocket(world), method, path: `/v1.51${target}`, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

/** A container of busybox that is made, and not started. */
export async function make(world: World, config: Readonly<Record<string, unknown>>): Promise<string> {
  const made = await ask(world, 'POST', '/containers/create', { Image: 'busybox', ...config });
  assert.equal(made.status, 201, made.body.toString());
  return (JSON.parse(made.body.toString()) as { Id: string }).Id;
}

export async function start(world: World, id: string): Promise<void> {
  const started = await ask(world, 'POST', `/containers/${id}/start`);
  assert.equal(started.status, 204, started.body.toString());
}

export interface Joined {
  readonly socket: Socket;
  /** Status line and headers. */
  readonly head: string;
  /** All that came behind them. */
  readonly said: () => Buffer;
  readonly ended: Promise<Buffer>;
}

/** Writes the request as it is; resolves when the headers of the answer are here. */
export function join(world: World, lines: readonly string[], body = ''): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(dockerSocket(world));
    let head: Buffer | undefined = Buffer.alloc(0); // until its end is here
    const chunks: Buffer[] = [];
    const said = (): Buffer => Buffer.concat(chunks);
    const ended = new Promise<Buffer>((done) => {
      socket.on('end', () => done(said()));
      socket.on('close', () => done(said()));
    });
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      if (head === undefined) return void chunks.push(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      chunks.push(head.subarray(end + 4));
      resolve({ socket, head: head.subarray(0, end).toString(), said, ended });
      head = undefined;
    });
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`, 'Content-Type: application/json'];
    socket.write(`${[...lines, 'Host: x', ...length].join('\r\n')}\r\n\r\n${body}`);
  });
}

export function attach(world: World, id: string, query: string): Promise<Joined> {
  return join(world, [`POST /v1.51/containers/${id}/attach?${query} HTTP/1.1`, 'Connection: Upgrade', 'Upgrade: tcp']);
}

/** What is in the frames of each stream. */
export function framesOf(bytes: Buffer): { readonly out: string; readonly err: string } {
  const streams: Buffer[][] = [[], [], []];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    const stream = bytes[at] ?? 0;
    assert.ok(stream === 1 || stream === 2, `stream ${stream}`);
    streams[stream]?.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  const text = (stream: number): string => Buffer.concat(streams[stream] ?? []).toString('latin1');
  return { out: text(1), err: text(2) };
}
