// The body of a request: a stream of bytes, or JSON with Docker's refusals.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fail, isHoistError } from '../base/errors.ts';
import { collectBytes } from '../base/streams.ts';
import { Refusal } from './failure.ts';

/** No document that a client sends is near to it. */
const jsonLimit = 16 * 2 ** 20;

/** undefined where there is none. */
export async function readJson(request: IncomingMessage, body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const declared = request.headers['content-type'];
  const has = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (Number(request.headers['content-length'] ?? 0) > jsonLimit) tooLarge();
  if (has && declared?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    fail(
      'invalid',
      'body.content_type',
      `unsupported Content-Type header (${declared ?? ''}): must be 'application/json'`,
    );
  const bytes = await collectBytes(body, jsonLimit, 'the body').catch((error: unknown) =>
    isHoistError(error, 'stream.too_large') ? tooLarge() : Promise.reject(error),
  );
  const text = Buffer.from(bytes).toString('utf8').trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail('invalid', 'body.json', `invalid JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function tooLarge(): never {
  throw new Refusal(413, `the body is larger than ${jsonLimit} bytes`);
}

/**
 * On a connection that is to become another protocol Node leaves the body to us: takes it off the connection. What was
 * sent behind it is the new protocol's.
 */
export async function takeBody(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): Promise<{ readonly body: Uint8Array; readonly rest: Uint8Array }> {
  if (request.headers['transfer-encoding'] !== undefined)
    throw new Refusal(411, 'a body with Upgrade needs Content-Length');
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > jsonLimit) tooLarge();
  const chunks: Uint8Array[] = [head];
  let size = head.byteLength;
  while (size < length) {
    const chunk = (socket.read() as Buffer | null) ?? (await nextChunk(socket));
    chunks.push(chunk);
    size += chunk.byteLength;
  }
  const all = Buffer.concat(chunks);
  return { body: all.subarray(0, length), rest: all.subarray(length) };
}

function nextChunk(socket: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const end = (): void => done(() => reject(new Refusal(400, 'the body ends too early')));
    const readable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk !== null) done(() => resolve(chunk));
    };
    const done = (then: () => void): void => {
      socket.off('readable', readable).off('end', end).off('close', end);
      then();
    };
    socket.on('readable', readable).on('end', end).on('close', end);
  });
}
