import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { sha256 } from '../../registry/client/registry.fixture.ts';
import { mediaTypes } from '../../spec/oci/image.ts';
import type { ImagesDeps } from './deps.ts';
import { loadImages } from './load.ts';
import { type TarMember, tarball } from './tarball.ts';
import { contentsOf, layerTar, openWorld, type World } from './testing.fixture.ts';

const layers = [layerTar('a', 'one'), layerTar('b', 'two')];
const file = (path: string, data: Uint8Array | string): TarMember => ({
  kind: 'file',
  path,
  mode: 0o644,
  data: Buffer.from(data),
});
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const configOf = (architecture = 'amd64', diffIds = layers.map(sha256)) =>
  json({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: diffIds } });
const blob = (bytes: Uint8Array) => file(`blobs/${sha256(bytes).replace(':', '/')}`, bytes);
const describe = (mediaType: string, bytes: Uint8Array) => ({ mediaType, digest: sha256(bytes), size: bytes.length });

async function inWorld(
  body: (
    world: World,
    load: (members: TarMember[], platform?: string) => ReturnType<typeof loadImages>,
  ) => Promise<void>,
): Promise<void> {
  const world = await openWorld();
  const deps = {
    store: world.store,
    host: { os: 'linux', architecture: 'amd64' },
    limits: { maxLayerBytes: 10_000_000, maxLayerEntries: 1000 },
    heldManifests: () => new Set<string>(),
  } as unknown as ImagesDeps;
  async function* archive(members: TarMember[]): AsyncGenerator<Uint8Array> {
    const bytes = zlib.gzipSync(Buffer.concat([...tarball(members, 1)]));
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  }
  try {
    await body(world, (members, platform = '') =>
      loadImages(deps, archive(members), { platform, signal: new AbortController().signal }),
    );
    assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

/** An OCI layout of one image per architecture under an index, named in index.json. */
function layout(architectures: readonly string[], annotations: Record<string, string>): TarMember[] {
  const gzipped = layers.map((tar) => zlib.gzipSync(tar));
  const members = gzipped.map(blob);
  const manifests = architectures.map((architecture) => {
    const config = configOf(architecture);
    const bytes = json({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: describe(mediaTypes.ociConfig, config),
      layers: gzipped.map((tar) => describe(mediaTypes.ociLayerGzip, tar)),
    });
    members.push(blob(config), blob(bytes));
    return { ...describe(mediaTypes.ociManifest, bytes), platform: { os: 'linux', architecture } };
  });
  const index = json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const top = json({ schemaVersion: 2, manifests: [{ ...describe(mediaTypes.ociIndex, index), annotations }] });
  return [...members, blob(index), file('oci-layout', '{"imageLayoutVersion":"1.0.0"}'), file('index.json', top)];
}

test('load: an OCI layout, for this machine and for another', () =>
  inWorld(async (world, load) => {
    const members = layout(['arm64', 'amd64'], { 'io.containerd.image.name': 'docker.io/library/app:1' });
    assert.deepEqual(await load(members), [{ reference: 'app:1', id: sha256(configOf('amd64')) }]);
    assert.deepEqual(await contentsOf(world.store), { blobs: 4, layers: 2 });
    assert.deepEqual(await load(members, 'linux/arm64'), [
      { reference: 'app:1', id: sha256(configOf('arm64')), replaced: sha256(configOf('amd64')) },
    ]);
    await assert.rejects(load(members, 'linux/s390x'), { code: 'image.no_platform' });
  }));

test('load: a layout whose image has only a tag, or no name', () =>
  inWorld(async (world, load) => {
    assert.deepEqual(await load(layout(['amd64'], { 'org.opencontainers.image.ref.name': 'latest' })), [
      { reference: undefined, id: sha256(configOf()) },
    ]);
    assert.equal((await world.images.list({ all: false, filters: { dangling: ['true'] } })).length, 1);
  }));

test('load: an archive of docker save, with old paths, links, plain and gzip layers, and two names', () =>
  inWorld(async (world, load) => {
    const [first = '', second = ''] = ['1'.repeat(40), '2'.repeat(40)];
    const config = configOf();
    const members: TarMember[] = [
      file(`${first}/layer.tar`, layers[0] ?? ''),
      file(`${second}/real.tar`, zlib.gzipSync(layers[1] ?? Buffer.alloc(0))),
      { kind: 'symlink', path: `${second}/layer.tar`, to: './real.tar' },
      file('config.json', config),
      file(
        'manifest.json',
        json([
          {
            Config: 'config.json',
            RepoTags: ['app:1', 'localhost:5000/me/app:2'],
            Layers: [`${first}/layer.tar`, `${second}/layer.tar`],
          },
        ]),
      ),
    ];
    const id = sha256(config);
    assert.deepEqual(await load(members), [
      { reference: 'app:1', id },
      { reference: 'localhost:5000/me/app:2', id },
    ]);
    assert.deepEqual((await world.images.inspect('app:1')).RepoTags, ['app:1', 'localhost:5000/me/app:2']);
    const [row] = world.store.images.list();
    assert.ok(row);
    const manifest = await world.store.images.manifest(row.manifest);
    assert.deepEqual(
      manifest.layers.map(({ mediaType }) => mediaType),
      [mediaTypes.ociLayer, mediaTypes.ociLayerGzip],
    );
  }));

test('load: refused with one sentence, nothing left behind', () =>
  inWorld(async (world, load) => {
    const good = layout(['amd64'], {});
    const evil = good.map((member) =>
      member.kind === 'file' && member.path.startsWith('blobs/') && member.data[0] === 0x1f
        ? { ...member, data: zlib.gzipSync(layerTar('a', 'evil')) }
        : member,
    );
    await assert.rejects(load(evil), { code: 'content.digest_mismatch' });
    await assert.rejects(load(good.slice(1)), { code: 'archive.incomplete' });
    await assert.rejects(load([file('hello', 'world')]), { code: 'archive.invalid' });
    await assert.rejects(load([file('manifest.json', '{')]), { code: 'archive.invalid' });
    const outside = json([{ Config: '../../../etc/passwd', RepoTags: [], Layers: [] }]);
    await assert.rejects(load([file('manifest.json', outside)]), { code: 'archive.incomplete' });
    const link: TarMember = { kind: 'symlink', path: 'config.json', to: '/etc/passwd' };
    await assert.rejects(load([link, file('manifest.json', json([{ Config: 'config.json', Layers: [] }]))]), {
      code: 'archive.incomplete',
    });
    const lying = configOf('amd64', [`sha256:${'0'.repeat(64)}`]);
    const members = [
      file('c.json', lying),
      file('l.tar', layers[0] ?? ''),
      file('manifest.json', json([{ Config: 'c.json', RepoTags: ['app:1'], Layers: ['l.tar'] }])),
    ];
    await assert.rejects(load(members), { code: 'layer.diffid_mismatch' });
    await assert.rejects(load([file('big', Buffer.alloc(11_000_000))]), { code: 'archive.too_large' });
    assert.deepEqual(world.store.images.list(), []);
    assert.deepEqual(await contentsOf(world.store), { blobs: 0, layers: 0 });
  }));
