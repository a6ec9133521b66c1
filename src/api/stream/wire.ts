// A connection that became a stream in both directions: taken over from HTTP (`Upgrade: tcp`), a plain request whose
// answer does not end, or a websocket (websocket.ts). What carries bytes over it does not know which.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';
import { fail } from '../../base/errors.ts';

export interface Wire {
  /** What the client sends; its end is the client's half-close. */
  readonly input: Readable;
  /** To the client. 'close' means that nobody reads any more. */
  readonly output: Writable;
}

const rawStream = 'application/vnd.docker.raw-stream';
const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

/** How often a client that has closed its half is asked whether it is still there. */
const probeMs = 3000;
/** How long a client may take to notice that the stream has ended. */
const lingerMs = 10_000;

/** The content type of a stream that is not a plain answer; before API 1.42 there was one name for both. */
export function streamType(tty: boolean, minor: number): string {
  return tty || minor < 42 ? rawStream : multiplexedStream;
}

/**
 * The body of a request that asks for an upgrade: Node's parser stops at its headers, the body comes from the socket.
 * What follows it stays in the socket.
 */
export async function bodyBeforeUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  limit: number,
): Promise<Buffer> {
  if (head.length > 0) socket.unshift(head);
  if (request.headers['transfer-encoding'] !== undefined)
    fail('invalid', 'api.upgrade_body', 'a request that asks for an upgrade needs a Content-Length');
  const length = Number(request.headers['content-length'] ?? 0);
  if (!Number.isSafeInteger(length) || length < 0) fail('invalid', 'api.length', 'invalid Content-Length');
  if (length > limit) fail('too_large', 'api.body', `the request's body is larger than ${limit} bytes`);
  if (length === 0) return Buffer.alloc(0);
  for (;;) {
    const body: Buffer | null = socket.read(length);
    if (body !== null && body.length === length) return body;
    if (socket.readableEnded || socket.destroyed || body !== null)
      fail('invalid', 'api.body', 'the request ended before its body');
    await new Promise<void>((resolve) => {
      const go = (): void => {
        for (const event of ['readable', 'end', 'close', 'error']) socket.off(event, go);
        resolve();
      };
      for (const event of ['readable', 'end', 'close', 'error']) socket.on(event, go);
    });
  }
}

/** Answers `101 UPGRADED` and takes the connection over. `head`: what Node had read already; empty where it was put back. */
export function hijack(socket: Duplex, head: Buffer, contentType: string): Wire {
  if (head.length > 0) socket.unshift(head);
  socket.on('error', () => {}); // 'close' follows
  socket.write(`HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  watchOver(socket, socket);
  return { input: socket, output: socket };
}

/** Without an upgrade: 200, and the stream until the connection ends. The request's body, if it has one, is the input. */
export function plainStream(request: IncomingMessage, response: ServerResponse): Wire {
  response.removeHeader('Transfer-Encoding'); // not in chunks
  response.writeHead(200, { 'Content-Type': rawStream, Connection: 'close' });
  response.flushHeaders();
  watchOver(request.socket, response);
  return { input: request, output: response };
}

/**
 * A client that has closed its half and then dies is not noticed by reading: from then on an empty write, every few seconds,
 * finds out. And one that does not notice the end is let go: not at once, since closing a socket with unread input takes
 * from the client what it has not read yet.
 */
function watchOver(socket: Duplex, output: Writable): void {
  let probe: NodeJS.Timeout | undefined;
  let linger: NodeJS.Timeout | undefined;
  socket.once('end', () => {
    if (!socket.destroyed) probe = setInterval(() => output.writable && socket.write(''), probeMs).unref();
  });
  output.once('finish', () => {
    clearInterval(probe);
    socket.resume();
    linger = setTimeout(() => socket.destroy(), lingerMs).unref();
  });
  socket.once('close', () => {
    clearInterval(probe);
    clearTimeout(linger);
  });
}
