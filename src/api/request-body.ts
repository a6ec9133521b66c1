// The body of a request: a stream of bytes, or JSON with Docker's refusals.

import type { IncomingMessage } from 'node:http';
import { fail, isHoistError } from '../base/errors.ts';
import { collectBytes } from '../base/streams.ts';
import { Refusal } from './failure.ts';

/** No document that a client sends is near to it. */
export const jsonLimit = 16 * 2 ** 20;

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
