import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import zlib from 'node:zlib';
import { applyChanges } from './changes.ts';
import { type TarMember, tarball } from './tarball.ts';
import { contentsOf, layerTar, openWorld, type World } from './testing.fixture.ts';

const signal = new AbortController().signal;

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await body(world);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const importBytes = (
  world: World,
  bytes: Uint8Array,
  options: { reference?: string; changes?: string[]; message?: string; platform?: string } = {},
) => world.images.import(pieces(bytes), { message: '', changes: [], platform: '', signal, ...options });

test('import: plain, gzip and zstd archives, kept as they came', () =>
  inWorld(async (world) => {
    const tar = layerTar('etc/passwd', 'root:x:0:0::/root:/bin/sh\n');
    const zstd = execFileSync('zstd', ['-q', '-c'], { input: tar });
    for (const [name, bytes, type] of [
      ['plain', tar, 'tar'],
      ['gzip', zlib.gzipSync(tar), 'tar+gzip'],
      ['zstd', zstd, 'tar+zstd'],
    ] as const) {
      const id = await importBytes(world, bytes, { reference: `${name}:1`, message: 'hello', platform: 'linux/arm64' });
      const image = await world.images.inspect(`${name}:1`);
      assert.equal(image.Id, id);
      assert.equal(image.Comment, 'hello');
      assert.equal(image.Architecture, 'arm64');
      const row = world.store.images.list().find((each) => each.name === `docker.io/library/${name}:1`);
      assert.ok(row);
      const [layer] = (await world.store.images.manifest(row.manifest)).layers;
      assert.equal(layer?.mediaType, `application/vnd.oci.image.layer.v1.${type}`);
      assert.ok(bytes.equals(await world.store.content.read(layer.digest, 1 << 20)));
      const { files } = await world.store.layers.info(image.RootFS.Layers[0] ?? '');
      assert.match(files['etc/passwd'] ?? '', /^root:/);
    }
    assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
  }));

test('import: without a name the image is dangling', () =>
  inWorld(async (world) => {
    const id = await importBytes(world, layerTar('a', 'b'));
    assert.deepEqual(
      (await world.images.list({ all: false, filters: { dangling: ['true'] } })).map(({ Id }) => Id),
      [id],
    );
    assert.equal((await world.images.inspect(id)).Comment, 'Imported from -');
  }));

test('import: refused with one sentence, nothing left behind', () =>
  inWorld(async (world) => {
    const file = (path: string, text: string): TarMember => ({
      kind: 'file',
      path,
      mode: 0o644,
      data: Buffer.from(text),
    });
    const hex = 'a'.repeat(64);
    const layout = Buffer.concat([
      ...tarball([file('oci-layout', '{}'), file('index.json', '{}'), file(`blobs/sha256/${hex}`, 'x')], 1),
    ]);
    const saved = Buffer.concat([
      ...tarball(
        [
          { kind: 'directory', path: 'blobs', mode: 0o755 },
          { kind: 'directory', path: 'blobs/sha256', mode: 0o755 },
          file(`blobs/sha256/${hex}`, 'x'),
        ],
        1,
      ),
    ]);
    const old = Buffer.concat([
      ...tarball([{ kind: 'directory', path: hex.slice(0, 60), mode: 0o755 }, file('manifest.json', '[]')], 1),
    ]);
    for (const image of [layout, saved, zlib.gzipSync(layout)]) {
      await assert.rejects(importBytes(world, image), { code: 'import.image', hint: /hoist load/ });
    }
    assert.ok(await importBytes(world, old), 'a file system may have a manifest.json');
    await world.store.images.forget(world.store.images.list()[0]?.manifest.digest ?? '');
    await world.store.collect(new Set());

    await assert.rejects(importBytes(world, execFileSync('xz', ['-c'], { input: layout })), {
      code: 'archive.compression',
      message: /xz/,
    });
    await assert.rejects(importBytes(world, Buffer.from('this is no archive at all'.repeat(100))), { kind: 'corrupt' });
    await assert.rejects(importBytes(world, zlib.gzipSync(layerTar('a', Buffer.alloc(5000, 'x'))).subarray(0, 60)), {
      kind: 'corrupt',
    });
    await assert.rejects(importBytes(world, layerTar('../evil', 'x')), { kind: 'corrupt' });
    await assert.rejects(importBytes(world, layerTar('zeros', Buffer.alloc(60_000_000))), { code: 'layer.too_large' });
    await assert.rejects(importBytes(world, layerTar('a', 'b'), { reference: `x@sha256:${hex}` }), {
      code: 'import.reference',
    });
    await assert.rejects(importBytes(world, layerTar('a', 'b'), { reference: 'Bad' }), { code: 'reference.invalid' });
    await assert.rejects(importBytes(world, layerTar('a', 'b'), { changes: ['FROM x'] }), { code: 'change.invalid' });
    assert.deepEqual(world.store.images.list(), []);
    assert.deepEqual(await contentsOf(world.store), { blobs: 0, layers: 0 });
    assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
  }));

test('import: a source that fails in the middle is the error', () =>
  inWorld(async (world) => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield layerTar('a', Buffer.alloc(200_000)).subarray(0, 150_000);
      throw new Error('the pipe broke');
    }
    await assert.rejects(
      world.images.import(broken(), { message: '', changes: [], platform: '', signal }),
      /the pipe broke/,
    );
    assert.deepEqual(await readdir(join(world.root, 'tmp')), []);
  }));

test('changes: Dockerfile instructions', () => {
  const config = applyChanges({}, [
    'CMD ["a", "b c"]',
    'entrypoint exec top -b',
    'ENV A=1 B="two words" C=$A/x D=\'$A\' E=three\\ words',
    'ENV OLD style value $A',
    'ENV A=2',
    'EXPOSE 80 443/udp 8000-8002',
    'LABEL a=b "quoted key"="quoted value"',
    'ONBUILD RUN make',
    'STOPSIGNAL SIGQUIT',
    'USER nobody:users',
    'VOLUME /data /more',
    'VOLUME ["/json"]',
    'WORKDIR /a',
    'WORKDIR b/../c',
    'HEALTHCHECK --interval=1m30s --retries=3 CMD curl -f localhost',
  ]);
  assert.deepEqual(config, {
    Cmd: ['a', 'b c'],
    Entrypoint: ['/bin/sh', '-c', 'exec top -b'],
    Env: ['A=2', 'B=two words', 'C=/x', 'D=$A', 'E=three words', 'OLD=style value 1'],
    ExposedPorts: { '80/tcp': {}, '443/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} },
    Labels: { a: 'b', 'quoted key': 'quoted value' },
    OnBuild: ['RUN make'],
    StopSignal: 'SIGQUIT',
    User: 'nobody:users',
    Volumes: { '/data': {}, '/more': {}, '/json': {} },
    WorkingDir: '/a/c',
    Healthcheck: { Test: ['CMD-SHELL', 'curl -f localhost'], Interval: 90e9, Retries: 3 },
  });
  assert.deepEqual(applyChanges({}, ['HEALTHCHECK NONE']).Healthcheck, { Test: ['NONE'] });
});

test('changes: what is no change is refused', () => {
  for (const change of [
    '',
    'RUN x',
    'FROM x',
    'CMD',
    'ENV A',
    'ENV =x',
    'ENV "a',
    'EXPOSE x',
    'EXPOSE 70000',
    'ONBUILD FROM x',
    'HEALTHCHECK --x=1 CMD a',
    'HEALTHCHECK RUN a',
    'WORKDIR a b',
    'constructor x',
  ]) {
    assert.throws(() => applyChanges({}, [change]), { code: 'change.invalid' }, change);
  }
});
