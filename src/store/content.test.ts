import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { sha256Of } from '../base/digest.ts';
import { isHoistError } from '../base/errors.ts';
import { never, scratchStore, streamOf } from './store.fixture.ts';
import type { Store } from './store.ts';

const body = Buffer.alloc(3_000_000, 'content ');
const expected = { digest: sha256Of(body), size: body.length };

async function leftovers(store: Store & { root: string }): Promise<string[]> {
  return [...(await readdir(join(store.root, 'tmp'))), ...(await readdir(join(store.root, 'content/blobs/sha256')))];
}

test('a blob goes in and comes out, under the name that an OCI layout gives it', async (t) => {
  const store = await scratchStore(t);
  assert.equal(await store.content.has(expected.digest), false);
  await store.content.ingest(expected, streamOf(body), never);
  assert.equal(await store.content.has(expected.digest), true);
  assert.equal(store.content.path(expected.digest), join(store.root, 'content/blobs/sha256', expected.digest.slice(7)));
  assert.ok((await readFile(store.content.path(expected.digest))).equals(body));
  assert.ok(Buffer.from(await store.content.read(expected.digest, body.length)).equals(body));
  assert.deepEqual(await store.content.list(), [expected.digest]);
  await store.content.remove(expected.digest);
  await assert.rejects(store.content.read(expected.digest, 10), (error) => isHoistError(error, 'content.not_found'));
});

test('put names bytes by themselves; an empty blob is one too', async (t) => {
  const store = await scratchStore(t);
  for (const bytes of [Buffer.from('abc'), Buffer.alloc(0)]) {
    const put = await store.content.put(bytes);
    assert.deepEqual(put, { digest: sha256Of(bytes), size: bytes.length });
    assert.deepEqual(Buffer.from(await store.content.read(put.digest, 3)), bytes);
  }
});

test('a blob with other content than its digest says leaves nothing behind', async (t) => {
  const store = await scratchStore(t);
  const forged = Buffer.from(body);
  forged[1_000_000] = 0;
  await assert.rejects(store.content.ingest(expected, streamOf(forged), never), (error) =>
    isHoistError(error, 'content.digest_mismatch'),
  );
  assert.deepEqual(await leftovers(store), []);
});

test('a blob that is too short or too long leaves nothing behind', async (t) => {
  const store = await scratchStore(t);
  const short = store.content.ingest(expected, streamOf(body.subarray(1)), never);
  await assert.rejects(short, (error) => isHoistError(error, 'content.size_mismatch'));
  const long = store.content.ingest({ ...expected, size: body.length - 1 }, streamOf(body), never);
  await assert.rejects(long, (error) => isHoistError(error, 'content.size_mismatch'));
  assert.deepEqual(await leftovers(store), []);
});

test('an endless blob is cut off at its declared size', async (t) => {
  const store = await scratchStore(t);
  let served = 0;
  async function* endless() {
    for (;;) {
      served += 100_000;
      yield Buffer.alloc(100_000);
    }
  }
  await assert.rejects(store.content.ingest(expected, endless(), never), (error) =>
    isHoistError(error, 'content.size_mismatch'),
  );
  assert.ok(served < 2 * body.length, `${served} bytes were taken`);
});

test('a digest that would be a path elsewhere', async (t) => {
  const store = await scratchStore(t);
  for (const digest of ['sha256:../../../index.json', '../x', 'sha256:']) {
    assert.throws(
      () => store.content.path(digest),
      (error) => isHoistError(error, 'digest.invalid'),
    );
    await assert.rejects(store.content.ingest({ digest, size: 1 }, streamOf('x'), never), (error) =>
      isHoistError(error, 'digest.invalid'),
    );
  }
});

test('a finished file becomes a blob by its name alone', async (t) => {
  const store = await scratchStore(t);
  const file = store.tempPath('.import');
  await writeFile(file, body);
  const { ino } = await stat(file);
  await store.content.adopt(file, expected);
  assert.equal((await stat(store.content.path(expected.digest))).ino, ino, 'moved, not copied');
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
  const second = store.tempPath('.import');
  await writeFile(second, body);
  await store.content.adopt(second, expected);
  assert.equal((await stat(store.content.path(expected.digest))).ino, ino, 'what is there stays');
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
});

test('a file of another size than it should have is no blob, and goes', async (t) => {
  const store = await scratchStore(t);
  const file = store.tempPath('.import');
  await writeFile(file, body.subarray(1));
  await assert.rejects(store.content.adopt(file, expected), (error) => isHoistError(error, 'content.size_mismatch'));
  await assert.rejects(store.content.adopt(file, expected), (error) => isHoistError(error, 'content.size_mismatch'));
  assert.deepEqual(await leftovers(store), []);
});

test('reading stops at the limit', async (t) => {
  const store = await scratchStore(t);
  const { digest } = await store.content.put(body);
  await assert.rejects(store.content.read(digest, 100), (error) => isHoistError(error, 'content.too_large'));
});

test('two ingests of one digest at once are one', async (t) => {
  const store = await scratchStore(t);
  let started = 0;
  async function* counted() {
    started++;
    yield* streamOf(body);
  }
  await Promise.all(Array.from({ length: 5 }, () => store.content.ingest(expected, counted(), never)));
  assert.equal(started, 1);
});

test('when the first of two ingests fails, the second goes its own way', async (t) => {
  const store = await scratchStore(t);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield body.subarray(0, 10);
    throw new Error('the peer went away');
  }
  const first = store.content.ingest(expected, failing(), never);
  const second = store.content.ingest(expected, streamOf(body), never);
  await assert.rejects(first, /the peer went away/);
  await second;
  assert.ok(await store.content.has(expected.digest));
});

test('a cancelled ingest ends at once, also when its source hangs, and does not take another one with it', async (t) => {
  const store = await scratchStore(t);
  const controller = new AbortController();
  async function* hanging(): AsyncGenerator<Uint8Array> {
    yield body.subarray(0, 10);
    await new Promise(() => {});
  }
  const first = store.content.ingest(expected, hanging(), controller.signal);
  const second = store.content.ingest(expected, streamOf(body), never);
  setTimeout(() => controller.abort(new Error('cancelled')), 5);
  await assert.rejects(first, /cancelled/);
  await second;
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
});

test('what a crash left half-written is gone at the next start', async (t) => {
  const store = await scratchStore(t);
  await writeFile(store.tempPath('.blob'), 'half');
  const again = await scratchStore(t, { root: store.root });
  assert.deepEqual(await leftovers(again), []);
});
