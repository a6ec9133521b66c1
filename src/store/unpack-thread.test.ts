import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { sha256Of } from '../base/digest.ts';
import { HoistError } from '../base/errors.ts';
import { tarOf } from '../base/tar.fixture.ts';
import { generousLimits, never, scratchDirectory, scratchStore, streamOf, unpackBytes } from './store.fixture.ts';

/** As the product's build does it. */
async function bundledWorker(t: TestContext): Promise<URL> {
  const outfile = join(await scratchDirectory(t), 'unpack-worker.mjs');
  const entry = new URL('unpack-worker.ts', import.meta.url).pathname;
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
  return pathToFileURL(outfile);
}

const archive = tarOf([
  { path: 'etc/passwd', data: 'root' },
  { path: 'big', data: Buffer.alloc(20 << 20, 'data ') },
]);

test('a thread unpacks what the same thread would', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  const info = await unpackBytes(store, gzipSync(archive), { diffId: sha256Of(archive) });
  const { source: _, ...facts } = info;
  const { source: __, ...inProcess } = await unpackBytes(await scratchStore(t), archive);
  assert.deepEqual(facts, inProcess);
});

test('many layers at once', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  const archives = Array.from({ length: 6 }, (_, i) => tarOf([{ path: 'f', data: `${i}` }]));
  const infos = await Promise.all(archives.map((bytes) => unpackBytes(store, gzipSync(bytes))));
  assert.deepEqual(
    infos.map(({ diffId }) => diffId),
    archives.map((bytes) => sha256Of(bytes)),
  );
});

test('one layer after the other: one thread; after a refusal, another one', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  let threads = 0;
  const count = () => threads++;
  process.on('worker', count);
  t.after(() => process.off('worker', count));
  for (let i = 0; i < 3; i++) {
    const bytes = tarOf([{ path: 'f', data: `${i}` }]);
    assert.equal((await unpackBytes(store, gzipSync(bytes))).diffId, sha256Of(bytes));
  }
  assert.equal(threads, 1);
  await assert.rejects(unpackBytes(store, tarOf([{ path: '../x' }])));
  await unpackBytes(store, archive);
  assert.equal(threads, 2);
});

test('what follows the end of one layer is not taken for a part of the next one', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  const small = tarOf([{ path: 'f', data: 'x' }]);
  const padded = Buffer.concat([gzipSync(small), Buffer.alloc(6 << 20)]);
  await Promise.all(
    [1, 2].map(async (n) => {
      const own = tarOf([{ path: `own-${n}`, data: Buffer.alloc(3 << 20, n) }]); // a layer that the other thread has not made
      assert.equal((await unpackBytes(store, padded)).diffId, sha256Of(small));
      assert.equal((await unpackBytes(store, own)).diffId, sha256Of(own));
    }),
  );
});

test('refusals cross the thread with code and sentence, and the source is let go', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  let taken = 0;
  async function* hostile() {
    yield tarOf([{ path: '../x' }]);
    for (; taken < 10_000; taken++) yield Buffer.alloc(100_000);
  }
  const options = {
    compression: 'none',
    diffId: undefined,
    limits: { ...generousLimits, maxLayerBytes: 1e12 },
    signal: never,
  } as const;
  await assert.rejects(store.layers.unpack(hostile(), options), (error) => {
    assert.ok(error instanceof HoistError);
    assert.deepEqual([error.kind, error.code], ['corrupt', 'layer.invalid']);
    assert.match(error.message, /has \.\. in its name/);
    return true;
  });
  const after = taken;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(taken, after, 'nothing is read after the refusal');
  assert.ok(taken < 500, `${taken} chunks were taken`);
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
});

test('a source that fails or is cancelled ends the thread and leaves nothing behind', async (t) => {
  const store = await scratchStore(t, { workerUrl: await bundledWorker(t) });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield* streamOf(archive.subarray(0, 5_000_000));
    throw new Error('the peer went away');
  }
  const controller = new AbortController();
  const options = {
    compression: 'none',
    diffId: undefined,
    limits: generousLimits,
    signal: controller.signal,
  } as const;
  await assert.rejects(store.layers.unpack(failing(), options), /the peer went away/);
  async function* hanging(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, 10_000);
    await new Promise(() => {});
  }
  setTimeout(() => controller.abort(new Error('cancelled')), 100);
  await assert.rejects(store.layers.unpack(hanging(), options), /cancelled/);
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
  assert.deepEqual(await readdir(join(store.root, 'layers')), []);
});
