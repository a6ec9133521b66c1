import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256Of } from '../base/digest.ts';
import { tarOf } from '../base/tar.fixture.ts';
import { type Descriptor, mediaTypes } from '../spec/oci/image.ts';
import { scratchStore, unpackBytes } from './store.fixture.ts';
import type { Store } from './store.ts';

const nobody: ReadonlySet<string> = new Set();

/** An image of one layer, with all of its blobs and its layer in the store, and no name. */
async function addImage(store: Store, text: string): Promise<{ manifest: Descriptor; all: string[]; diffId: string }> {
  const tar = tarOf([{ path: 'file', data: text }]);
  const compressed = gzipSync(tar);
  const { diffId } = await unpackBytes(store, compressed);
  assert.equal(diffId, sha256Of(tar));
  const layer = { mediaType: mediaTypes.ociLayerGzip, ...(await store.content.put(compressed)) };
  const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [diffId] } };
  const configBlob = {
    mediaType: mediaTypes.ociConfig,
    ...(await store.content.put(Buffer.from(JSON.stringify(config)))),
  };
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: configBlob, layers: [layer] };
  const manifest = {
    mediaType: mediaTypes.ociManifest,
    ...(await store.content.put(Buffer.from(JSON.stringify(document)))),
  };
  return { manifest, diffId, all: [manifest.digest, configBlob.digest, layer.digest, diffId].sort() };
}

const row = (name: string | undefined, manifest: Descriptor) => ({
  name,
  manifest,
  repoDigest: undefined,
  taggedAt: '2024-01-01T00:00:00Z',
});

test('collect removes what no name reaches, and only that', async (t) => {
  const store = await scratchStore(t);
  const kept = await addImage(store, 'kept');
  const dangling = await addImage(store, 'dangling');
  const lost = await addImage(store, 'lost');
  await store.images.tag(row('a', kept.manifest));
  await store.images.tag(row(undefined, dangling.manifest));
  assert.deepEqual([...(await store.collect(nobody))].sort(), lost.all);
  for (const { manifest, diffId } of [kept, dangling]) {
    assert.ok(await store.content.has(manifest.digest));
    assert.ok(await store.layers.has(diffId));
  }
  assert.equal(await store.layers.has(lost.diffId), false);
  assert.deepEqual(await store.collect(nobody), []);
  await store.images.forget(kept.manifest.digest);
  assert.deepEqual([...(await store.collect(nobody))].sort(), kept.all);
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
});

test('what a container uses is kept without a name', async (t) => {
  const store = await scratchStore(t);
  const used = await addImage(store, 'used');
  assert.deepEqual(await store.collect(new Set([used.manifest.digest])), []);
  assert.deepEqual([...(await store.collect(nobody))].sort(), used.all);
});

test('a plain tar is not kept for the sake of a layer that has its digest', async (t) => {
  const store = await scratchStore(t);
  const kept = await addImage(store, 'x');
  await store.images.tag(row('kept', kept.manifest));
  const { digest } = await store.content.put(tarOf([{ path: 'file', data: 'x' }]));
  assert.equal(digest, kept.diffId);
  assert.deepEqual(await store.collect(nobody), [digest]);
  assert.equal(await store.content.has(digest), false);
  assert.ok(await store.layers.has(kept.diffId));
});

test('images that share a layer: it goes with the last of them', async (t) => {
  const store = await scratchStore(t);
  const one = await addImage(store, 'shared');
  const document = JSON.parse(Buffer.from(await store.content.read(one.manifest.digest, 1 << 20)).toString());
  const other = {
    mediaType: mediaTypes.ociManifest,
    ...(await store.content.put(Buffer.from(JSON.stringify({ ...document, annotations: { a: 'b' } })))),
  };
  await store.images.tag(row('one', one.manifest));
  await store.images.tag(row('other', other));
  await store.images.forget(one.manifest.digest);
  assert.deepEqual(await store.collect(nobody), [one.manifest.digest]);
  assert.ok(await store.layers.has(one.diffId));
});

test('an index that the registry served is kept with its image', async (t) => {
  const store = await scratchStore(t);
  const { manifest } = await addImage(store, 'x');
  const index = await store.content.put(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [manifest] })));
  await store.images.tag({ ...row('x', manifest), repoDigest: index.digest });
  assert.deepEqual(await store.collect(nobody), []);
});

test('a lease holds what has no name yet: a pull under way', async (t) => {
  const store = await scratchStore(t);
  const pulled = await addImage(store, 'pulled');
  const lease = store.lease();
  for (const digest of pulled.all) lease.hold(digest);
  assert.deepEqual(await store.collect(nobody), []);
  await lease[Symbol.asyncDispose]();
  assert.equal((await store.collect(nobody)).length, 4);
});

test('a lease on a manifest holds all of its image', async (t) => {
  const store = await scratchStore(t);
  const { manifest } = await addImage(store, 'x');
  const lease = store.lease();
  lease.hold(manifest.digest);
  assert.deepEqual(await store.collect(nobody), []);
  await lease[Symbol.asyncDispose]();
});

test('a missing or broken document of a named image does not stop the collection', async (t) => {
  const store = await scratchStore(t);
  const broken = await store.content.put(Buffer.from('{'));
  await store.images.tag(row('broken', { mediaType: mediaTypes.ociManifest, ...broken }));
  await store.images.tag(
    row('absent', { mediaType: mediaTypes.ociManifest, digest: `sha256:${'0'.repeat(64)}`, size: 1 }),
  );
  const lost = await addImage(store, 'lost');
  assert.deepEqual([...(await store.collect(nobody))].sort(), lost.all);
});
