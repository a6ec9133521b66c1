import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { bootstrapImage } from './bootstrap.ts';
import { openWorld } from './testing.fixture.ts';

const signal = new AbortController().signal;

test('busybox from this machine’s package', {
  skip: existsSync('/bin/busybox') ? false : 'no /bin/busybox here',
}, async () => {
  const world = await openWorld();
  const lines: string[] = [];
  const onProgress = (step: { kind: string }) => void lines.push(JSON.stringify(step));
  const { reference, id } = await bootstrapImage(world.images, 'busybox', { env: process.env, onProgress, signal });
  assert.equal(reference, 'busybox:latest');
  const image = await world.images.inspect('busybox');
  assert.equal(image.Id, id);
  assert.deepEqual(image.Config?.Cmd, ['sh']);
  const { files } = await world.store.layers.info(image.RootFS.Layers[0] ?? '');
  assert.match(files['etc/passwd'] ?? '', /^root:x:0:0:root:\/root:\/bin\/sh\n/);
  assert.ok(lines.length > 0);
  // The same package gives the same layer.
  await bootstrapImage(world.images, 'busybox', { env: process.env, onProgress, signal, tag: 'again' });
  assert.deepEqual((await world.images.inspect('again')).RootFS, image.RootFS);
  await world[Symbol.asyncDispose]();
});

test('what cannot be bootstrapped is refused', async () => {
  const world = await openWorld();
  for (const what of ['fedora', 'busybox:1', 'debian:', 'debian:../x', '']) {
    const options = { env: process.env, onProgress: () => {}, signal };
    await assert.rejects(bootstrapImage(world.images, what, options), { kind: 'invalid' }, what);
  }
  await world[Symbol.asyncDispose]();
});

test('a Debian whose mirror fails leaves nothing behind', {
  skip: existsSync('/usr/bin/mmdebstrap') ? false : 'no mmdebstrap here',
}, async () => {
  const world = await openWorld();
  const options = { env: process.env, onProgress: () => {}, signal };
  await assert.rejects(bootstrapImage(world.images, 'debian:nosuchsuite', options), { code: 'bootstrap.failed' });
  assert.deepEqual(world.store.images.list(), []);
  assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
  await world[Symbol.asyncDispose]();
});
