// Byte streams as async iterables: gathering them with a limit, cutting them into large batches, looking at the first
// bytes. Nothing here keeps a chunk after it has asked for the next one.

import { fail } from './errors.ts';

/** All bytes of a stream; fails with `stream.too_large` as soon as there are more than `limit`. `what` is named. */
export async function collectBytes(
  source: AsyncIterable<Uint8Array>,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > limit) fail('too_large', 'stream.too_large', `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The same bytes in pieces of `size` (the last one may be shorter) in memory that threads share: few large writes, and
 * another thread reads them without a copy. What is in such memory already goes on as it is: batching twice is free.
 */
export async function* batches(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<SharedArrayBuffer>> {
  let batch: Uint8Array<SharedArrayBuffer> | undefined;
  let filled = 0;
  for await (const chunk of source) {
    if (batch === undefined && isShared(chunk)) {
      yield chunk;
      continue;
    }
    for (let at = 0; at < chunk.byteLength; ) {
      batch ??= new Uint8Array(new SharedArrayBuffer(size));
      const count = Math.min(chunk.byteLength - at, size - filled);
      batch.set(at === 0 && count === chunk.byteLength ? chunk : chunk.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < size) continue;
      yield batch;
      batch = undefined;
      filled = 0;
    }
  }
  if (batch !== undefined) yield batch.subarray(0, filled);
}

function isShared(chunk: Uint8Array): chunk is Uint8Array<SharedArrayBuffer> {
  return chunk.buffer instanceof SharedArrayBuffer;
}

/** The first bytes (at least `count`, fewer when the stream is shorter) and the whole stream, these bytes included. */
export async function peekBytes(
  source: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ readonly head: Uint8Array; readonly stream: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.byteLength < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.byteLength === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return { head, stream: rejoin(head, iterator) };
}

async function* rejoin(head: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

/** Ends the stream with the signal's reason, also while its next chunk does not come. */
export async function* abortableStream(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let finished = false;
  try {
    for (;;) {
      const next = await abortable(iterator.next(), signal);
      if (next.done === true) {
        finished = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a source that hangs in next() would hang here too.
    if (!finished) void iterator.return?.()?.then(undefined, () => {});
  }
}

/** The work's result, or the signal's reason as soon as there is one; the work itself is not stopped. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {}); // nobody will look at it any more
    throw signal.reason;
  }
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
