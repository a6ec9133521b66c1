import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { isHoistError } from '../base/errors.ts';
import { decompress } from './decompress.ts';
import { simple, streamOf, zstdSimple } from './store.fixture.ts';

const data = Buffer.concat(
  Array.from({ length: 12 }, () => Buffer.concat([randomBytes(1 << 20), Buffer.alloc(1 << 20)])),
);

async function taken(source: AsyncIterable<Uint8Array>, pause: () => Promise<unknown>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of source) {
    pieces.push(piece);
    await pause();
  }
  return Buffer.concat(pieces);
}

test('nothing is lost, however slowly it is taken', async () => {
  const compressed = gzipSync(data, { level: 1 });
  for (const pause of [
    async () => {},
    () => new Promise(setImmediate),
    () => new Promise((resolve) => setTimeout(resolve, 10)),
  ]) {
    assert.ok((await taken(decompress(streamOf(compressed), 'gzip'), pause)).equals(data));
    assert.ok((await taken(decompress(streamOf(compressed, 5_000_000), 'detect'), pause)).equals(data));
  }
  assert.ok(
    (await taken(decompress(streamOf(zstdSimple(), 1000), 'zstd'), () => new Promise(setImmediate))).equals(simple),
  );
});

test('a taker that stops lets the source go', async () => {
  let closed = false;
  async function* source() {
    try {
      const compressed = gzipSync(data, { level: 1 });
      for (;;) yield* streamOf(compressed);
    } finally {
      closed = true;
    }
  }
  for await (const _ of decompress(source(), 'gzip')) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(closed);
});

test('zeros after the end are padding, as tape and gzip(1) have it', async () => {
  const padded = Buffer.concat([gzipSync(simple), Buffer.alloc(10_000)]);
  assert.ok((await taken(decompress(streamOf(padded), 'gzip'), async () => {})).equals(simple));
});

test('a source that fails shows its own error', async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gzipSync(data, { level: 1 }).subarray(0, 1000);
    throw new Error('the peer went away');
  }
  await assert.rejects(
    taken(decompress(failing(), 'gzip'), async () => {}),
    /the peer went away/,
  );
});

test('compressions that are not supported are named', async () => {
  for (const [head, name] of [
    ['fd377a585a00', /xz/],
    ['425a6839314159', /bzip2/],
  ] as const) {
    const attempt = taken(decompress(streamOf(Buffer.from(head, 'hex')), 'detect'), async () => {});
    await assert.rejects(attempt, (error) => isHoistError(error, 'layer.compression') && name.test(error.message));
  }
});
