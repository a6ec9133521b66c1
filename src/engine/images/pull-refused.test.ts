import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { mediaTypes } from '../../spec/oci/image.ts';
import { addImage, contentsOf, layerTar, openWorld, type TestImage, type World } from './testing.fixture.ts';

async function inWorld(body: (world: World) => Promise<void>, ...args: Parameters<typeof openWorld>): Promise<void> {
  const world = await openWorld(...args);
  try {
    await body(world);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

const three: TestImage = {
  name: 'app',
  tag: 'v1',
  layers: [layerTar('a', 'aaa'), layerTar('b', randomBytes(600_000)), layerTar('c', 'ccc')],
};

/** A refused pull leaves no name, no blob, no layer and no temporary file. */
async function refused(world: World, ref: string, expected: object): Promise<void> {
  await assert.rejects(world.pull(ref), expected);
  assert.deepEqual(world.store.images.list(), []);
  assert.deepEqual(await contentsOf(world.store), { blobs: 0, layers: 0 });
  assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
}

test('attack: a layer whose bytes are not its digest', () =>
  inWorld(async (world) => {
    addImage(world.registry, { ...three, layers: [layerTar('a', 'good')] });
    const digest = [...world.registry.blobs].find(([, bytes]) => bytes[0] === 0x1f)?.[0] ?? '';
    const evil = zlib.gzipSync(layerTar('a', 'evil'), { level: 1 });
    const size = world.registry.blobs.get(digest)?.length ?? 0;
    // The same length: only the digest can tell.
    world.registry.blobs.set(
      digest,
      Buffer.concat([evil, Buffer.alloc(Math.max(0, size - evil.length))]).subarray(0, size),
    );
    await refused(world, `${world.registry.host}/app:v1`, { kind: 'corrupt' });
  }));

test('attack: a layer that unpacks to something else than its diffID', () =>
  inWorld(async (world) => {
    const config = { rootfs: { type: 'layers', diff_ids: [`sha256:${'0'.repeat(64)}`] } };
    addImage(world.registry, { ...three, layers: [layerTar('a', 'x')], config });
    await refused(world, `${world.registry.host}/app:v1`, { code: 'layer.diffid_mismatch' });
  }));

test('attack: a layer longer or shorter than the manifest says', () =>
  inWorld(async (world) => {
    for (const by of [-1, 1]) {
      addImage(world.registry, {
        ...three,
        change: (manifest) => ({
          ...manifest,
          layers: manifest.layers.map((layer) => ({ ...layer, size: layer.size + by })),
        }),
      });
      await refused(world, `${world.registry.host}/app:v1`, { code: 'registry.size_mismatch' });
    }
  }));

test('attack: a truncated gzip under a right digest', () =>
  inWorld(async (world) => {
    addImage(world.registry, {
      ...three,
      layers: [layerTar('a', randomBytes(50_000))],
      compress: (tar) => zlib.gzipSync(tar).subarray(0, 30_000),
    });
    await refused(world, `${world.registry.host}/app:v1`, { kind: 'corrupt' });
  }));

test('attack: zeros that unpack to more than the limit', () =>
  inWorld(async (world) => {
    addImage(world.registry, { ...three, layers: [layerTar('zeros', Buffer.alloc(60_000_000))] });
    await refused(world, `${world.registry.host}/app:v1`, { code: 'layer.too_large', kind: 'too_large' });
  }));

test('refused with a sentence: schema 1, artifacts, foreign and unknown layers, missing diffIDs, a document of two kinds', () =>
  inWorld(async (world) => {
    const { registry } = world;
    const ref = `${registry.host}/app:v1`;
    registry.addManifest('app', 'v1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', {
      schemaVersion: 1,
      fsLayers: [],
    });
    await refused(world, ref, { kind: 'unsupported', message: /schema version 1/ });
    const helm = 'application/vnd.cncf.helm.config.v1+json';
    addImage(registry, {
      ...three,
      change: (manifest) => ({ ...manifest, config: { ...manifest.config, mediaType: helm } }),
    });
    await refused(world, ref, {
      code: 'image.artifact',
      message: /is an artifact of type application\/vnd\.cncf\.helm/,
    });
    addImage(registry, { ...three, layerType: mediaTypes.dockerForeignLayerGzip });
    await refused(world, ref, { code: 'image.foreign_layer' });
    addImage(registry, { ...three, layerType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' });
    await refused(world, ref, { code: 'image.layer_type' });
    addImage(registry, { ...three, config: { rootfs: { type: 'layers', diff_ids: [] } } });
    await refused(world, ref, {
      code: 'image.layers',
      message: /lists 3 layers in its manifest and 0 in its configuration/,
    });
    addImage(registry, { ...three, change: (manifest) => ({ ...manifest, manifests: [] }) });
    await refused(world, ref, { code: 'manifest.invalid' });
  }));

test('a platform that the only image does not have is refused when asked for', () =>
  inWorld(async (world) => {
    addImage(world.registry, { ...three, architecture: 'arm64' });
    const ref = `${world.registry.host}/app:v1`;
    await assert.rejects(world.pull(ref, { platform: 'linux/s390x' }), { code: 'image.platform' });
    assert.deepEqual(world.store.images.list(), []);
  }));
