import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
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

test('pull: all layers kept and unpacked in one pass, named, told in Docker’s phases', () =>
  inWorld(async ({ registry, store, pull, progress }) => {
    const { digest, id } = addImage(registry, three);
    const pulled = await pull(`${registry.host}/app:v1`);
    assert.deepEqual(pulled, { reference: `${registry.host}/app:v1`, id, digest, changed: true });
    assert.deepEqual(await contentsOf(store), { blobs: 5, layers: 3 });
    const [row] = store.images.list();
    assert.equal(row?.name, `${registry.host}/app:v1`);
    assert.equal(row?.repoDigest, digest);
    const { config, layers } = await store.images.manifest(row.manifest);
    assert.equal(config.digest, id);
    const requests = registry.requests.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url);
    assert.equal(new Set(requests).size, requests.length, 'no blob is fetched twice');
    assert.deepEqual(progress[0], { kind: 'message', text: 'v1: Pulling from app' });
    for (const layer of layers) {
      const short = layer.digest.slice(7, 19);
      const phases = progress.flatMap((step) => (step.kind === 'layer' && step.id === short ? [step.phase] : []));
      assert.deepEqual([phases[0], phases.at(-1)], ['Pulling fs layer', 'Pull complete']);
      for (const phase of ['Downloading', 'Verifying Checksum', 'Download complete', 'Extracting'])
        assert.ok(phases.includes(phase), phase);
    }
  }));

test('pull again: nothing is fetched and nothing changes', () =>
  inWorld(async ({ registry, store, pull, progress }) => {
    addImage(registry, three);
    await pull(`${registry.host}/app:v1`);
    const [before] = store.images.list();
    registry.requests.length = 0;
    progress.length = 0;
    const again = await pull(`${registry.host}/app:v1`);
    assert.equal(again.changed, false);
    assert.deepEqual(store.images.list(), [before]);
    assert.ok(!registry.requests.some(({ url }) => url.includes('/blobs/')));
    assert.deepEqual(progress, [{ kind: 'message', text: 'v1: Pulling from app' }]);
  }));

test('another image with the same layers: they exist already', () =>
  inWorld(async ({ registry, pull, progress }) => {
    addImage(registry, three);
    addImage(registry, { ...three, tag: 'v2', config: { author: 'another' } });
    await pull(`${registry.host}/app:v1`);
    progress.length = 0;
    assert.equal((await pull(`${registry.host}/app:v2`)).changed, true);
    assert.deepEqual(
      progress.map((step) => (step.kind === 'layer' ? step.phase : '')),
      ['', 'Already exists', 'Already exists', 'Already exists'],
    );
  }));

test('gzip, zstd and plain layers; OCI and Docker media types', () =>
  inWorld(async ({ registry, store, pull }) => {
    const zstd = (tar: Buffer) => execFileSync('zstd', ['-q', '-c'], { input: tar });
    const layers = [layerTar('etc/passwd', 'root:x:0:0::/:/bin/sh\n')];
    addImage(registry, { name: 'gzip', tag: '1', layers: [layerTar('a', 'gzip')] });
    addImage(registry, {
      name: 'plain',
      tag: '1',
      layers: [layerTar('a', 'plain')],
      compress: (tar) => tar,
      layerType: mediaTypes.ociLayer,
    });
    addImage(registry, { name: 'zstd', tag: '1', layers, compress: zstd, layerType: mediaTypes.ociLayerZstd });
    addImage(registry, {
      name: 'docker',
      tag: '1',
      layers: [layerTar('a', 'docker')],
      manifestType: mediaTypes.dockerManifest,
    });
    for (const name of ['gzip', 'plain', 'zstd', 'docker']) await pull(`${registry.host}/${name}:1`);
    assert.equal(store.images.list().length, 4);
    const zstdRow = store.images.list().find(({ name }) => name?.includes('/zstd:'));
    assert.ok(zstdRow);
    const config = await store.images.config(await store.images.manifest(zstdRow.manifest));
    const info = await store.layers.info(config.rootfs.diff_ids[0] ?? '');
    assert.equal(info.files['etc/passwd'], 'root:x:0:0::/:/bin/sh\n');
  }));

test('an index: the platform of this machine, one that is asked for, one that is not there', () =>
  inWorld(async ({ registry, store, pull }) => {
    const at = (architecture: string) => {
      const { digest, size } = addImage(registry, {
        name: 'multi',
        tag: undefined,
        layers: [layerTar('arch', architecture)],
        architecture,
      });
      return { mediaType: mediaTypes.ociManifest, digest, size, platform: { os: 'linux', architecture } };
    };
    const attestation = { ...at('x'), platform: { os: 'unknown', architecture: 'unknown' } };
    const [arm64, amd64] = [at('arm64'), at('amd64')];
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [attestation, arm64, amd64] };
    const { digest } = registry.addManifest('multi', 'v1', mediaTypes.ociIndex, index);
    const ref = `${registry.host}/multi:v1`;
    assert.equal((await pull(ref)).digest, digest);
    assert.equal(store.images.list()[0]?.manifest.digest, amd64.digest);
    assert.equal((await pull(ref, { platform: 'linux/arm64/v8' })).changed, true);
    assert.equal(store.images.list().find(({ name }) => name === ref)?.manifest.digest, arm64.digest);
    const expected = {
      code: 'image.no_platform',
      kind: 'not_found',
      message: 'no matching manifest for linux/s390x in the manifest list entries',
    };
    await assert.rejects(pull(ref, { platform: 'linux/s390x' }), expected);
  }));

test('by digest: the name is the digest, a tag beside it is decoration', () =>
  inWorld(async ({ registry, store, pull }) => {
    const { digest } = addImage(registry, three);
    await pull(`${registry.host}/app:nonesuch@${digest}`);
    assert.equal(store.images.list()[0]?.name, `${registry.host}/app@${digest}`);
  }));

test('all tags', () =>
  inWorld(async ({ registry, store, pull }) => {
    for (const tag of ['v1', 'v2', 'v3']) addImage(registry, { name: 'app', tag, layers: [layerTar('tag', tag)] });
    assert.equal((await pull(`${registry.host}/app`, { allTags: true })).reference, `${registry.host}/app`);
    assert.equal(store.images.list().length, 3);
    await assert.rejects(pull(`${registry.host}/app:v1`, { allTags: true }), { code: 'image.all_tags' });
  }));

test('the same layer twice in one image is fetched once', () =>
  inWorld(async ({ registry, store, pull }) => {
    const layer = layerTar('x', 'same');
    addImage(registry, { name: 'app', tag: 'v1', layers: [layer, layerTar('y', 'other'), layer] });
    await pull(`${registry.host}/app:v1`);
    assert.equal((await contentsOf(store)).layers, 2);
  }));

test('two pulls of one image at once fetch each layer once', () =>
  inWorld(async ({ registry, store, pull }) => {
    addImage(registry, three);
    await Promise.all([pull(`${registry.host}/app:v1`), pull(`${registry.host}/app:v1`)]);
    assert.deepEqual(await contentsOf(store), { blobs: 5, layers: 3 });
    const layers = registry.requests.filter(({ url }) => url.includes('/blobs/')).map(({ url }) => url);
    assert.ok(new Set(layers).size >= layers.length - 1, 'only the small configuration may come twice');
  }));

test('when the first of two pulls is cancelled, the second still succeeds', () =>
  inWorld(async ({ registry, store, pull }) => {
    addImage(registry, three);
    const abort = new AbortController();
    const held = new Set<string>();
    registry.intercept = (request, response) => {
      const digest = request.url?.split('/blobs/')[1] ?? '';
      const isLayer = (registry.blobs.get(digest)?.[0] ?? 0x7b) !== 0x7b; // a configuration begins with {
      if (!isLayer || held.has(digest)) return false;
      held.add(digest);
      setTimeout(() => abort.abort(), 50);
      setTimeout(() => response.destroy(), 400);
      return true;
    };
    const first = pull(`${registry.host}/app:v1`, { signal: abort.signal });
    const second = pull(`${registry.host}/app:v1`);
    await assert.rejects(first, { code: 'cancelled' });
    assert.equal((await second).changed, true);
    assert.equal((await contentsOf(store)).layers, 3);
  }));

test('a cancelled pull names nothing and leaves no temporary file', () =>
  inWorld(async ({ registry, store, pull, root }) => {
    const big = addImage(registry, { name: 'big', tag: 'v1', layers: [layerTar('x', randomBytes(20_000_000))] });
    assert.ok(big);
    registry.intercept = (request, response) => {
      const digest = request.url?.split('/blobs/')[1];
      const blob = registry.blobs.get(digest ?? '');
      if (blob === undefined || blob.length < 1_000_000) return false;
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 5_000_000));
      return true;
    };
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    await assert.rejects(pull(`${registry.host}/big:v1`, { signal: abort.signal }), { code: 'cancelled' });
    assert.deepEqual(store.images.list(), []);
    assert.deepEqual(await readdir(join(root, 'tmp')), []);
  }));

test('a layer that breaks off is resumed, and the image is whole', () =>
  inWorld(async ({ registry, store, pull }) => {
    addImage(registry, three);
    let breaks = 0;
    registry.intercept = (request, response) => {
      const blob = registry.blobs.get(request.url?.split('/blobs/')[1] ?? '');
      if (blob === undefined || blob.length < 100_000 || breaks > 0) return false;
      breaks++;
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 300_000), () => response.destroy());
      return true;
    };
    await pull(`${registry.host}/app:v1`);
    assert.equal(breaks, 1);
    assert.equal((await contentsOf(store)).layers, 3);
  }));

test('a moved tag leaves the old image dangling', () =>
  inWorld(async ({ registry, images, pull }) => {
    const ref = `${registry.host}/app:v1`;
    addImage(registry, three);
    const { id } = await pull(ref);
    addImage(registry, { ...three, layers: [layerTar('new', 'new')] });
    assert.equal((await pull(ref)).changed, true);
    const dangling = await images.list({ all: false, filters: { dangling: ['true'] } });
    assert.deepEqual(
      dangling.map(({ Id, RepoTags }) => ({ Id, RepoTags })),
      [{ Id: id, RepoTags: [] }],
    );
  }));
