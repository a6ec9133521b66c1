import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from './errors.ts';
import { abortable, abortableStream, batches, collectBytes, peekBytes } from './streams.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function texts(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = [];
  for await (const chunk of source) all.push(Buffer.from(chunk).toString());
  return all;
}

test('collecting stops at the limit', async () => {
  assert.equal(Buffer.from(await collectBytes(chunks('ab', 'c'), 3, 'it')).toString(), 'abc');
  await assert.rejects(collectBytes(chunks('ab', 'cd'), 3, 'it'), (error) => isHoistError(error, 'stream.too_large'));
});

test('batches have the size asked for and memory of their own', async () => {
  assert.deepEqual(await texts(batches(chunks('a', 'bcdef', '', 'gh'), 3)), ['abc', 'def', 'gh']);
  const seen = new Set<ArrayBufferLike>();
  for await (const batch of batches(chunks('abcdef'), 2)) seen.add(batch.buffer);
  assert.equal(seen.size, 3);
});

test('batches of batches are the same memory', async () => {
  const once: Uint8Array[] = [];
  for await (const batch of batches(chunks('abcdefgh', 'ijk'), 4)) once.push(batch);
  async function* again(): AsyncGenerator<Uint8Array> {
    yield* once;
  }
  const twice: Uint8Array[] = [];
  for await (const batch of batches(again(), 8)) twice.push(batch);
  assert.deepEqual(
    twice.map((batch) => Buffer.from(batch).toString()),
    ['abcd', 'efgh', 'ijk'],
  );
  assert.deepEqual(
    twice.map((batch) => once.some(({ buffer }) => buffer === batch.buffer)),
    [true, true, true],
  );
});

test('peeking takes nothing away', async () => {
  const { head, stream } = await peekBytes(chunks('a', 'b', 'cd', 'e'), 3);
  assert.equal(Buffer.from(head).toString(), 'abcd');
  assert.equal((await texts(stream)).join(''), 'abcde');
  const short = await peekBytes(chunks('a'), 3);
  assert.deepEqual(await texts(short.stream), ['a']);
});

test('a stream that hangs ends with the signal', async () => {
  const controller = new AbortController();
  async function* hang(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    await new Promise(() => {});
  }
  setTimeout(() => controller.abort(new Error('enough')), 5);
  await assert.rejects(texts(abortableStream(hang(), controller.signal)), /enough/);
  await assert.rejects(abortable(Promise.resolve(1), controller.signal), /enough/);
});

test('work that fails after the signal came is no unhandled rejection', async () => {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), 5));
  await assert.rejects(abortable(late, AbortSignal.abort(new Error('enough'))), /enough/);
  await new Promise((go) => setTimeout(go, 20));
});

test('a stream that is left is told so', async () => {
  let closed = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.from('a');
    } finally {
      closed = true;
    }
  }
  for await (const _ of abortableStream(source(), new AbortController().signal)) break;
  await new Promise(setImmediate);
  assert.ok(closed);
});
