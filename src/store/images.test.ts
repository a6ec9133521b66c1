import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { isHoistError } from '../base/errors.ts';
import { exists } from '../base/files.ts';
import { type Descriptor, mediaTypes } from '../spec/oci/image.ts';
import { scratchDirectory, scratchStore } from './store.fixture.ts';
import type { StoredImage } from './store.ts';

const descriptor = (letter: string): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: `sha256:${letter.repeat(64)}`,
  size: 7,
  platform: { os: 'linux', architecture: 'amd64' },
});

const image = (name: string | undefined, letter: string): StoredImage => ({
  name,
  manifest: descriptor(letter),
  repoDigest: `sha256:${'f'.repeat(64)}`,
  taggedAt: '2024-05-06T07:08:09.123456789Z',
});

const names = (rows: readonly StoredImage[]) => rows.map((row) => `${row.name ?? '<none>'}=${row.manifest.digest[7]}`);

test('names survive a restart, and index.json is one that other tools read', async (t) => {
  const store = await scratchStore(t);
  await store.images.tag(image('docker.io/library/a:1', 'a'));
  await store.images.tag({ ...image('docker.io/library/b:1', 'b'), repoDigest: undefined });
  const again = await scratchStore(t, { root: store.root });
  assert.deepEqual(again.images.list(), store.images.list());
  assert.deepEqual(again.images.list()[0], image('docker.io/library/a:1', 'a'));
  assert.equal(await readFile(join(store.root, 'content/oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}\n');
  const index = JSON.parse(await readFile(join(store.root, 'content/index.json'), 'utf8'));
  assert.equal(index.schemaVersion, 2);
  assert.equal(index.manifests[0].annotations['org.opencontainers.image.ref.name'], 'docker.io/library/a:1');
  assert.equal(index.manifests[0].digest, descriptor('a').digest);
});

test('a name that moves leaves its image dangling, unless that has another name', async (t) => {
  const { images } = await scratchStore(t);
  await images.tag(image('x', 'a'));
  await images.tag(image('y', 'a'));
  await images.tag(image('x', 'b'));
  assert.deepEqual(names(images.list()), ['y=a', 'x=b']);
  await images.tag(image('y', 'b'));
  assert.deepEqual(names(images.list()), ['x=b', '<none>=a', 'y=b']);
});

test('a dangling image that gets a name is dangling no more', async (t) => {
  const { images } = await scratchStore(t);
  await images.tag(image(undefined, 'a'));
  await images.tag(image('x', 'a'));
  assert.deepEqual(names(images.list()), ['x=a']);
});

test('the same name for the same image again is one row', async (t) => {
  const { images } = await scratchStore(t);
  await images.tag(image('x', 'a'));
  await images.tag({ ...image('x', 'a'), taggedAt: '2025-01-01T00:00:00Z' });
  assert.deepEqual(images.list(), [{ ...image('x', 'a'), taggedAt: '2025-01-01T00:00:00Z' }]);
});

test('untag with and without a dangling rest; forget takes every name', async (t) => {
  const { images } = await scratchStore(t);
  for (const [name, letter] of [
    ['x', 'a'],
    ['y', 'a'],
    ['z', 'b'],
  ] as const)
    await images.tag(image(name, letter));
  await images.untag('x', { keepDangling: true });
  assert.deepEqual(names(images.list()), ['y=a', 'z=b']);
  await images.untag('y', { keepDangling: true });
  assert.deepEqual(names(images.list()), ['z=b', '<none>=a']);
  await images.untag('z', { keepDangling: false });
  await images.forget(descriptor('a').digest);
  assert.deepEqual(images.list(), []);
  await assert.rejects(images.untag('x', { keepDangling: true }), (error) => isHoistError(error, 'image.not_found'));
  await images.tag(image('after', 'a'));
  assert.deepEqual(names(images.list()), ['after=a'], 'a failed change does not stop the next one');
});

test('many changes at once all happen, in one write', async (t) => {
  const store = await scratchStore(t);
  let writes = 0;
  const watcher = watch(join(store.root, 'content'), (_, file) => {
    if (file === 'index.json') writes++;
  });
  t.after(() => watcher.close());
  const tags = Array.from({ length: 30 }, (_, i) => store.images.tag(image(`n${i}`, 'a')));
  const absent = store.images.untag('absent', { keepDangling: false });
  await assert.rejects(absent, (error) => isHoistError(error, 'image.not_found'));
  await Promise.all(tags);
  await store.images.untag('n7', { keepDangling: false });
  await setTimeout(50); // For the watcher.
  assert.equal(writes, 2);
  assert.equal((await scratchStore(t, { root: store.root })).images.list().length, 29);
});

test('changes that cannot be written have not happened', async (t) => {
  const store = await scratchStore(t);
  await store.images.tag(image('x', 'a'));
  await rename(join(store.root, 'content'), join(store.root, 'elsewhere'));
  const changes = await Promise.allSettled([
    store.images.tag(image('y', 'a')),
    store.images.forget(descriptor('a').digest),
  ]);
  assert.deepEqual(
    changes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(names(store.images.list()), ['x=a']);
  await rename(join(store.root, 'elsewhere'), join(store.root, 'content'));
  await store.images.tag(image('y', 'b'));
  assert.deepEqual(names(store.images.list()), ['x=a', 'y=b']);
});

test('what a crash left of an index is gone at the next start', async (t) => {
  const store = await scratchStore(t);
  const half = join(store.root, 'content/.index.json.0123456789ab.tmp');
  await writeFile(half, '{');
  await scratchStore(t, { root: store.root });
  assert.equal(await exists(half), false);
});

test('on a full disk nothing gets a name, and images can be removed', async (t) => {
  const root = await scratchDirectory(t);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', root]);
  if (mounted.status !== 0) return t.skip('a file system cannot be mounted here');
  try {
    const store = await scratchStore(t, { root });
    await store.images.tag(image('x', 'a'));
    await store.images.tag(image('y', 'b'));
    const isFull = (error: unknown) => isHoistError(error, 'disk.full');
    await assert.rejects(writeFile(join(root, 'fill'), Buffer.alloc(8 << 20)));
    await assert.rejects(store.images.tag(image('z', 'c')), isFull);
    await store.images.forget(descriptor('a').digest);
    assert.deepEqual(names(store.images.list()), ['y=b']);
    const again = await scratchStore(t, { root });
    assert.deepEqual(names(again.images.list()), ['y=b']);
  } finally {
    spawnSync('umount', [root]);
  }
});

test('a row is found by its name', async (t) => {
  const store = await scratchStore(t);
  await store.images.tag(image('x', 'a'));
  await store.images.tag(image('y', 'a'));
  await store.images.untag('y', { keepDangling: false });
  for (const { images } of [store, await scratchStore(t, { root: store.root })]) {
    assert.deepEqual(images.named('x'), image('x', 'a'));
    assert.equal(images.named('y'), undefined);
  }
});

test('documents are read from content, parsed, and refused when they are not what they should be', async (t) => {
  const { images, content } = await scratchStore(t);
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
  const configBlob = await content.put(Buffer.from(JSON.stringify(config)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, ...configBlob },
    layers: [],
  };
  const blob = await content.put(Buffer.from(JSON.stringify(manifest)));
  const parsed = await images.manifest({ mediaType: mediaTypes.ociManifest, ...blob });
  assert.deepEqual(parsed, manifest);
  assert.deepEqual(await images.config(parsed), config);
  assert.equal(await images.manifest({ mediaType: mediaTypes.ociManifest, ...blob }), parsed, 'kept in memory');
  const html = await content.put(Buffer.from('<html>'));
  await assert.rejects(images.manifest({ mediaType: mediaTypes.ociManifest, ...html }), (error) =>
    isHoistError(error, 'manifest.invalid'),
  );
  await assert.rejects(images.manifest(descriptor('c')), (error) => isHoistError(error, 'content.not_found'));
});
