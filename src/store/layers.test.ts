// Layers that are honest, and what happens when something else goes wrong.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { sha256Of } from '../base/digest.ts';
import { HoistError, isHoistError } from '../base/errors.ts';
import type { TarFixtureEntry } from '../base/tar.fixture.ts';
import {
  drivers,
  generousLimits,
  never,
  nothingLeft,
  scratchDirectory,
  scratchStore,
  simple,
  streamOf,
  unpackBytes,
  unpackEntries,
  zstdSimple,
} from './store.fixture.ts';

const run = promisify(execFile);
const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

test('plain, gzip and zstd streams unpack to one and the same layer, byte for byte', async (t) => {
  const images: Buffer[] = [];
  for (const [compression, bytes] of [
    ['none', simple],
    ['gzip', gzipSync(simple)],
    ['gzip', Buffer.concat([gzipSync(simple.subarray(0, 1000)), gzipSync(simple.subarray(1000))])],
    ['zstd', zstdSimple()],
    ['detect', simple],
    ['detect', gzipSync(simple)],
    ['detect', zstdSimple()],
  ] as const) {
    const store = await scratchStore(t);
    const info = await unpackBytes(store, bytes, { compression, diffId: sha256Of(simple) });
    assert.equal(info.diffId, sha256Of(simple));
    assert.ok(info.source.kind === 'erofs');
    images.push(await readFile(info.source.file));
  }
  for (const image of images) assert.ok(image.equals(images[0] as Buffer));
});

/** `simple` in zstd frames of raw blocks (RFC 8878), two of them, as `pzstd` makes several. */
test('a layer is known by its diffID, also after a restart, until it is removed', async (t) => {
  for (const driver of drivers) {
    const store = await scratchStore(t, { driver });
    const info = await unpackBytes(store, simple);
    assert.equal(info.size, 22 + 100_000);
    assert.deepEqual(await unpackBytes(store, simple), info);
    const again = await scratchStore(t, { driver, root: store.root });
    assert.deepEqual(await again.layers.info(info.diffId), info);
    assert.ok(await again.layers.has(info.diffId));
    assert.deepEqual(await again.layers.list(), [info.diffId]);
    await again.layers.remove(info.diffId);
    assert.equal(await again.layers.has(info.diffId), false);
    await assert.rejects(again.layers.info(info.diffId), (error) => isHoistError(error, 'layer.not_found'));
    await again.layers.remove(info.diffId);
    await nothingLeft(again);
  }
});

test('what is known of a layer is read once', async (t) => {
  const store = await scratchStore(t);
  const { diffId } = await unpackBytes(store, simple);
  const again = await scratchStore(t, { root: store.root });
  const info = await again.layers.info(diffId);
  await rm(join(store.root, 'layers', diffId.slice(7), 'layer.json'));
  assert.equal(await again.layers.info(diffId), info);
});

test('two unpacks of one layer at once are one; without its diffID, they agree in the end', async (t) => {
  const store = await scratchStore(t);
  let started = 0;
  async function* counted() {
    started++;
    yield* streamOf(simple);
  }
  const options = { compression: 'none', limits: generousLimits, signal: never } as const;
  const diffId = sha256Of(simple);
  const both = await Promise.all([1, 2].map(() => store.layers.unpack(counted(), { ...options, diffId })));
  assert.equal(started, 1);
  assert.deepEqual(both[0], both[1]);
  const other = await scratchStore(t);
  const pair = await Promise.all([unpackBytes(other, simple), unpackBytes(other, simple)]);
  assert.deepEqual(pair[0], pair[1]);
  assert.deepEqual(await readdir(join(other.root, 'tmp')), []);
});

test('passwd and group come along: contents, whiteouts, silence', async (t) => {
  const store = await scratchStore(t);
  const files = async (...entries: TarFixtureEntry[]) => (await unpackEntries(store, entries)).files;
  const passwd = { path: './etc/passwd', data: 'ü:x:1:1' };
  assert.deepEqual(await files({ path: 'x' }), {});
  assert.deepEqual(await files({ path: 'etc/other' }), {});
  assert.deepEqual(await files(passwd), { 'etc/passwd': 'ü:x:1:1' });
  assert.deepEqual(await files(passwd, { path: 'etc/.wh.group' }), { 'etc/passwd': 'ü:x:1:1', 'etc/group': null });
  assert.deepEqual(await files({ path: '.wh.etc' }), { 'etc/passwd': null, 'etc/group': null });
  assert.deepEqual(await files({ path: 'etc/.wh..wh..opq' }, passwd), { 'etc/passwd': 'ü:x:1:1', 'etc/group': null });
  assert.deepEqual(await files({ path: '.wh..wh..opq' }), { 'etc/passwd': null, 'etc/group': null });
  assert.deepEqual(await files({ path: 'etc', type: '2', link: 'usr/etc' }), { 'etc/passwd': null, 'etc/group': null });
  assert.deepEqual(await files({ path: 'etc/passwd' }), { 'etc/passwd': '' });
  assert.deepEqual(await files({ ...passwd, data: 'old' }, passwd), { 'etc/passwd': 'ü:x:1:1' });
  assert.deepEqual(await files(passwd, { path: 'etc', data: 'file' }), { 'etc/passwd': null, 'etc/group': null });
  assert.deepEqual(
    await files({ ...passwd, path: 'etc/passwd-' }, { path: 'etc/passwd', type: '1', link: 'etc/passwd-' }),
    { 'etc/passwd': 'ü:x:1:1' },
  );
  assert.deepEqual(await files({ path: 'etc/passwd', data: Buffer.alloc((1 << 20) + 1) }), { 'etc/passwd': null });
});

test('absolute names are names below the root, as in every unpacker', async (t) => {
  const store = await scratchStore(t);
  const info = await unpackEntries(store, [
    { path: '/etc/passwd', data: 'a' },
    { path: '/etc//./group', data: 'b' },
  ]);
  assert.deepEqual(info.files, { 'etc/passwd': 'a', 'etc/group': 'b' });
});

test('an archive without its end mark is taken when its digest vouches for it', async (t) => {
  const bytes = simple.subarray(0, simple.length - 1024);
  await unpackBytes(await scratchStore(t), bytes, { diffId: sha256Of(bytes) });
});

test('a source that fails or is cancelled leaves nothing behind', async (t) => {
  for (const driver of drivers) {
    const store = await scratchStore(t, { driver });
    const controller = new AbortController();
    const options = {
      compression: 'none',
      diffId: undefined,
      limits: generousLimits,
      signal: controller.signal,
    } as const;
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield simple.subarray(0, 10_000);
      throw new Error('the peer went away');
    }
    await assert.rejects(store.layers.unpack(failing(), options), /the peer went away/);
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield simple.subarray(0, 10_000);
      await new Promise(() => {});
    }
    setTimeout(() => controller.abort(new Error('cancelled')), 5);
    await assert.rejects(store.layers.unpack(hanging(), options), /cancelled/);
    await nothingLeft(store);
  }
});

test('a full disk is a sentence of its own, and nothing is left', {
  skip: mounts ? false : 'this machine, or this user, may not mount',
}, async (t) => {
  for (const driver of drivers) {
    const small = join(await scratchDirectory(t), 'small');
    await mkdir(small);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]);
    try {
      const store = await scratchStore(t, { driver, root: small });
      const attempt = unpackEntries(store, [{ path: 'big', data: Buffer.alloc(8 << 20, 'x') }]);
      await assert.rejects(attempt, (error) => error instanceof HoistError && error.kind === 'no_space');
      await nothingLeft(store);
      const bytes = Buffer.alloc(8 << 20);
      const blob = store.content.ingest({ digest: sha256Of(bytes), size: bytes.length }, streamOf(bytes), never);
      await assert.rejects(blob, (error) => error instanceof HoistError && error.kind === 'no_space');
      await nothingLeft(store);
    } finally {
      await run('umount', [small]);
    }
  }
});
