// Images from docker-registry as they come: many layers and what they say about one another, indexes, digests, and the
// configuration that a container inherits.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  blobPath,
  gzipLayer,
  type Layer,
  layBlob,
  layImage,
  layManifest,
  type Registry,
  sha256,
  startRegistry,
} from './registry.ts';
import { type Entry, tar } from './tar.ts';
import { inWorld, type World } from './world.ts';

const busyboxFile: Entry = { name: 'bin/busybox', mode: 0o755, data: readFileSync('/bin/busybox') };
const base = [
  { name: 'bin', type: '5' },
  busyboxFile,
  ...['sh', 'cat', 'ls', 'stat', 'id', 'echo', 'find', 'sleep', 'pwd', 'env'].map((name) => ({
    name: `bin/${name}`,
    type: '2',
    link: 'busybox',
  })),
  { name: 'tmp', type: '5', mode: 0o1777 },
];

inWorld(
  'images of a registry',
  { needs: ['docker-registry'], prepare: (world) => startRegistry(world).then(() => {}) },
  (check) => {
    const registryOf = (world: World): Registry =>
      ({ host: 'localhost:5000', storage: path.join(world.dir, 'registry') }) as Registry;
    const lay = (world: World, name: string, layers: readonly Entry[][], config = {}): string => {
      layImage(
        registryOf(world),
        name,
        layers.map((entries) => gzipLayer(tar(entries))),
        config,
      );
      return `localhost:5000/${name}`;
    };
    const sh = (world: World, image: string, script: string): Promise<string> =>
      world.ok(['run', '--rm', '-q', image, 'sh', '-c', script]);

    check('layers: later ones replace, hide, and empty directories of earlier ones', async (world) => {
      const image = lay(world, 'lab/layers:1', [
        [
          ...base,
          { name: 'd', type: '5' },
          { name: 'd/one', data: '1' },
          { name: 'd/two', data: '2' },
          { name: 'o', type: '5' },
          { name: 'o/old', data: 'x' },
          { name: 'f', data: 'first' },
          { name: 'dir-then-file', type: '5' },
          { name: 'dir-then-file/x', data: 'x' },
          { name: 'file-then-dir', data: 'f' },
        ],
        [
          { name: 'd/.wh.one' },
          { name: 'o', type: '5', mode: 0o700 },
          { name: 'o/.wh..wh..opq' },
          { name: 'o/new', data: 'n' },
          { name: 'f', data: 'second' },
          { name: 'dir-then-file', data: 'file' },
          { name: 'file-then-dir', type: '5' },
        ],
        [{ name: 'd/three', data: '3' }, { name: 'd/.wh.absent' }],
      ]);
      assert.equal(
        await sh(world, image, 'find d o f dir-then-file file-then-dir | busybox sort; cat f; stat -c %a o'),
        'd\nd/three\nd/two\ndir-then-file\nf\nfile-then-dir\no\no/new\nsecond700',
      );
    });

    check('modes, owners, times, hard links, set-uid, sticky, names in UTF-8 and long ones', async (world) => {
      const long = `${'l'.repeat(60)}/${'m'.repeat(39)}`;
      const image = lay(world, 'lab/attributes:1', [
        [
          ...base,
          { name: 'suid', mode: 0o4755, data: 's' },
          { name: 'hard', type: '1', link: 'suid' },
          { name: 'naïve ☃', data: 'u' },
          { name: long, data: 'deep' },
          { name: 'fifo', type: '6', mode: 0o622 },
          { name: 'empty', type: '5', mode: 0o2775 },
        ],
      ]);
      const text = await sh(
        world,
        image,
        `stat -c '%a %h %F' suid empty fifo tmp; cat 'naïve ☃' ${long}; ls -i suid hard | busybox cut -d' ' -f1 | busybox uniq | busybox wc -l`,
      );
      assert.equal(text, '4755 2 regular file\n2775 2 directory\n622 1 fifo\n1777 2 directory\nudeep1');
    });

    check(
      'the image decides user, directory, environment, entrypoint, command, ports, stop signal, labels',
      async (world) => {
        const passwd = { name: 'etc/passwd', data: 'root:x:0:0::/root:/bin/sh\nada:x:42:43::/home/ada:/bin/sh\n' };
        const config = {
          User: 'ada',
          WorkingDir: '/home/ada',
          Env: ['PATH=/bin', 'FROM=image'],
          Entrypoint: ['sh', '-c'],
          Cmd: ['id -u; pwd; echo $FROM $HOME'],
          ExposedPorts: { '80/tcp': {} },
          StopSignal: 'SIGUSR2',
          Labels: { lab: 'yes' },
        };
        const image = lay(world, 'lab/config:1', [[...base, passwd]], config);
        assert.equal(await world.ok(['run', '--rm', '-q', image]), '42\n/home/ada\nimage /home/ada');
        assert.equal(await world.ok(['run', '--rm', image, 'echo other']), 'other');
        assert.equal(await world.ok(['run', '--rm', '--entrypoint', 'echo', image, 'word']), 'word');
        assert.equal(await world.ok(['run', '--rm', '-e', 'FROM=user', image]), '42\n/home/ada\nuser /home/ada');
        await world.ok(['run', '-d', '-P', '--name', 'cfg', image, 'trap "exit 3" USR2; while :; do sleep 0.05; done']);
        assert.ok((await world.inspect('cfg')).NetworkSettings.Ports['80/tcp']?.[0]?.HostPort);
        assert.deepEqual((await world.inspect('cfg')).Config['Labels'], { lab: 'yes' });
        await new Promise((resolve) => setTimeout(resolve, 200));
        await world.ok(['stop', 'cfg']);
        assert.equal((await world.inspect('cfg')).State.ExitCode, 3);
        await world.ok(['rm', 'cfg']);
      },
    );

    check(
      'an index: the image of this machine; another platform on request, refused where it is not there',
      async (world) => {
        const registry = registryOf(world);
        const own = process.arch === 'arm64' ? 'arm64' : 'amd64';
        const other = own === 'amd64' ? 'arm64' : 'amd64';
        const digest = layImage(registry, 'lab/multi:own', [gzipLayer(tar([...base, { name: 'which', data: 'own' }]))]);
        const manifest = readFileSync(blobPath(registry, digest));
        const descriptor = (architecture: string, bytes: Buffer, extra = {}) => ({
          mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
          digest: sha256(bytes),
          size: bytes.length,
          platform: { os: 'linux', architecture },
          ...extra,
        });
        const index = (list: unknown[]) =>
          Buffer.from(
            JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: list }),
          );
        const attestation = {
          ...descriptor('unknown', manifest),
          platform: { os: 'unknown', architecture: 'unknown' },
        };
        const top = index([attestation, descriptor(own, manifest)]);
        layManifest(registry, 'lab/multi', 'latest', top);
        await world.ok(['pull', '-q', 'localhost:5000/lab/multi']);
        assert.equal(await sh(world, 'localhost:5000/lab/multi', 'cat which'), 'own');
        const document = JSON.parse(await world.ok(['image', 'inspect', 'localhost:5000/lab/multi'])) as [
          { RepoDigests: string[]; Architecture: string },
        ];
        assert.deepEqual(
          [document[0].RepoDigests, document[0].Architecture],
          [[`localhost:5000/lab/multi@${sha256(top)}`], own],
        );
        const missing = await world.hoist(['pull', '-q', '--platform', `linux/${other}`, 'localhost:5000/lab/multi']);
        assert.equal(missing.code, 1);
        assert.match(missing.stderr, new RegExp(`linux/${other}`));
      },
    );

    check('by digest, by tag and digest, all tags', async (world) => {
      const one = lay(world, 'lab/tags:one', [[...base, { name: 'n', data: '1' }]]);
      lay(world, 'lab/tags:two', [[...base, { name: 'n', data: '2' }]]);
      const digest = /sha256:[0-9a-f]{64}/.exec(await world.ok(['pull', one]))?.[0] ?? assert.fail();
      await world.ok(['rmi', one]);
      assert.equal(await sh(world, `localhost:5000/lab/tags@${digest}`, 'cat n'), '1');
      await world.ok(['pull', '-q', '-a', 'localhost:5000/lab/tags']);
      assert.equal(await sh(world, 'localhost:5000/lab/tags:two', 'cat n'), '2');
      const wrong = await world.hoist(['pull', '-q', `localhost:5000/lab/tags@sha256:${'1'.repeat(64)}`]);
      assert.equal(wrong.code, 1);
    });

    check(
      'layers in zstd and uncompressed ones',
      async (world) => {
        const registry = registryOf(world);
        const archive = tar([...base, { name: 'made', data: 'with zstd' }]);
        const bytes = spawnSync('zstd', ['-c', '-q'], { input: archive, maxBuffer: 1 << 30 }).stdout;
        const plain = tar([{ name: 'plain', data: 'as it is' }]);
        const layers: (Layer & { mediaType: string })[] = [
          {
            digest: sha256(bytes),
            diffId: sha256(archive),
            size: bytes.length,
            bytes,
            mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
          },
          {
            digest: sha256(plain),
            diffId: sha256(plain),
            size: plain.length,
            bytes: plain,
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
          },
        ];
        const config = Buffer.from(
          JSON.stringify({
            architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
            os: 'linux',
            config: { Env: ['PATH=/bin'] },
            rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
          }),
        );
        const descriptor = (mediaType: string, { digest, size }: { digest: string; size: number }) => ({
          mediaType,
          digest,
          size,
        });
        const configBlob = { digest: sha256(config), size: config.length, bytes: config };
        for (const blob of [...layers, configBlob]) layBlob(registry, 'lab/zstd', blob);
        layManifest(
          registry,
          'lab/zstd',
          'latest',
          Buffer.from(
            JSON.stringify({
              schemaVersion: 2,
              mediaType: 'application/vnd.oci.image.manifest.v1+json',
              config: descriptor('application/vnd.oci.image.config.v1+json', configBlob),
              layers: layers.map((layer) => descriptor(layer.mediaType, layer)),
            }),
          ),
        );
        assert.equal(await sh(world, 'localhost:5000/lab/zstd', 'cat made plain'), 'with zstdas it is');
      },
      spawnSync('zstd', ['--version']).status === 0 ? undefined : 'no zstd here',
    );

    check('run pulls what is missing and says so on stderr; --pull never and always', async (world) => {
      const image = lay(world, 'lab/pull:1', [[...base, { name: 'v', data: 'old' }]]);
      const never = await world.hoist(['run', '--rm', '--pull', 'never', image, 'cat', 'v']);
      assert.deepEqual([never.code, /No such image/.test(never.stderr)], [125, true]);
      const first = await world.hoist(['run', '--rm', image, 'cat', 'v']);
      assert.deepEqual([first.code, first.stdout], [0, 'old']);
      assert.match(
        first.stderr,
        /^Unable to find image 'localhost:5000\/lab\/pull:1' locally\n[\s\S]*Status: Downloaded newer image for localhost:5000\/lab\/pull:1\n$/,
      );
      lay(world, 'lab/pull:1', [[...base, { name: 'v', data: 'new' }]]);
      assert.equal((await world.hoist(['run', '--rm', image, 'cat', 'v'])).stdout, 'old');
      assert.equal((await world.hoist(['run', '--rm', '--pull', 'always', '-q', image, 'cat', 'v'])).stdout, 'new');
    });

    check('the same image pulled eight times at once; layers that images share are there once', async (world) => {
      const shared = [...base, { name: 'shared', data: 's'.repeat(1 << 20) }];
      const a = lay(world, 'lab/shared-a:1', [shared, [{ name: 'n', data: 'a' }]]);
      const b = lay(world, 'lab/shared-b:1', [shared, [{ name: 'n', data: 'b' }]]);
      const before = readdirSync(path.join(world.root, 'layers')).length;
      await Promise.all([a, a, b, a, b, a, b, b].map((image) => world.ok(['pull', '-q', image])));
      assert.equal(readdirSync(path.join(world.root, 'layers')).length, before + 3);
      assert.equal((await sh(world, a, 'cat n')) + (await sh(world, b, 'cat n')), 'ab');
      await world.ok(['rmi', a]);
      assert.equal(await sh(world, b, 'cat n; busybox wc -c <shared'), 'b1048576');
    });

    check(
      'rmi: not while a container needs it, unless forced; a running one is never pulled from under',
      async (world) => {
        const image = lay(world, 'lab/used:1', [[...base, { name: 'n', data: 'x' }]]);
        await world.ok(['run', '-d', '-q', '--name', 'user', image, 'sleep', '100']);
        const refused = await world.hoist(['rmi', image]);
        assert.deepEqual([refused.code, /conflict/.test(refused.stderr)], [1, true], refused.stderr);
        await world.ok(['rmi', '-f', image]).catch(() => undefined);
        assert.equal(await world.ok(['exec', 'user', 'cat', '/n']), 'x');
        await world.ok(['restart', '-t', '0', 'user']);
        assert.equal(await world.ok(['exec', 'user', 'cat', '/n']), 'x');
        await world.ok(['rm', '-f', 'user']);
      },
    );

    check('import: a directory tree and its flags; what is not a tar is refused', async (world) => {
      const tree = path.join(world.dir, 'tree');
      mkdirSync(path.join(tree, 'bin'), { recursive: true });
      execFileSync('cp', ['/bin/busybox', path.join(tree, 'bin/sh')]);
      const archive = execFileSync('tar', ['-C', tree, '-c', '.'], { maxBuffer: 1 << 30 });
      const id = await world.ok(
        ['import', '-c', 'CMD ["/bin/sh", "-c", "echo imported $X"]', '-c', 'ENV X=env', '-', 'made:here'],
        { input: archive },
      );
      assert.match(id, /^sha256:[0-9a-f]{64}$/);
      assert.equal(await world.ok(['run', '--rm', 'made:here']), 'imported env');
      assert.equal(await world.ok(['run', '--rm', id.slice(7, 19)]), 'imported env');
      const garbage = await world.hoist(['import', '-', 'no:good'], { input: Buffer.alloc(3000, 'no tar') });
      assert.equal(garbage.code, 1);
      assert.doesNotMatch(await world.ok(['images']), /no +good/);
    });
  },
);
