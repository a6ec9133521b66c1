// Bad input: one sentence, the right exit code, nothing left behind, and the engine as good as before.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { get } from './clients.ts';
import { gzipLayer, type Layer, layImage, type Registry, sha256, startRegistry } from './registry.ts';
import { type Entry, tar } from './tar.ts';
import { busybox, eventually, inWorld, openWorld, type World } from './world.ts';

const hostilePort = 5001;

async function registries(world: World): Promise<Registry> {
  const hostile = fileURLToPath(new URL('./hostile.ts', import.meta.url));
  world.start([process.execPath, '--import', import.meta.resolve('tsx'), hostile, String(hostilePort)], {
    timeout: 600,
  });
  await eventually('the hostile registry listens', async () => (await get(world, '127.0.0.1', hostilePort)) === '{}');
  return startRegistry(world);
}

/** What a pull may leave: nothing. */
function leftBehind(root: string): string[] {
  return ['content/blobs/sha256', 'layers', 'tmp'].flatMap((dir) =>
    existsSync(path.join(root, dir)) ? readdirSync(path.join(root, dir)) : [],
  );
}

/** stderr is one sentence, perhaps with a hint. */
function assertSentence(stderr: string, words: RegExp): void {
  const lines = stderr.trim().split('\n');
  assert.match(stderr, words);
  assert.ok(
    lines.length === 1 || (lines.length === 2 && /^hint: /.test(lines[1] ?? '')),
    `more than a sentence:\n${stderr}`,
  );
  assert.doesNotMatch(stderr, /^\s+at |internal error|undefined|\[object/m);
}

async function refuses(world: World, reference: string, words: RegExp): Promise<void> {
  const result = await world.hoist(['pull', '-q', reference], { timeout: 60 });
  assert.equal(result.code, 1, `${reference}: ${result.stderr}${result.stdout}`);
  assertSentence(result.stderr, words);
  assert.equal(await world.ok(['images', '-q']), '');
  await eventually(`nothing of ${reference} is left`, () => leftBehind(world.root).length === 0, 5);
}

const file = (name: string, data = 'x'): Entry => ({ name, data });

inWorld(
  'layers that are refused',
  { needs: ['docker-registry'], env: { HOIST_MAX_LAYER_BYTES: String(50 << 20) } },
  (check) => {
    let registry: Registry | undefined;
    const lay = (name: string, layers: readonly Layer[]): string => {
      layImage(registry ?? assert.fail('no registry'), `${name}:latest`, layers);
      return `localhost:5000/${name}`;
    };

    check('(the registries start; a good image is pulled and removed)', async (world) => {
      registry = await registries(world);
      const good = lay('good', [gzipLayer(tar([file('a')])), gzipLayer(tar([file('b')]))]);
      await world.ok(['pull', good]);
      await world.ok(['rmi', good]);
      assert.deepEqual(leftBehind(world.root), []);
    });

    check('bytes that are not their digest; fewer or more than the manifest says; another diffID', async (world) => {
      const honest = gzipLayer(tar([file('f')]));
      const other = gzipSync(tar([file('g')]));
      await refuses(
        world,
        lay('digest', [{ ...honest, bytes: other, size: other.length }]),
        /other content than its name says/,
      );
      await refuses(world, lay('short', [{ ...honest, size: honest.size + 1000 }]), /bytes|size|short/i);
      await refuses(world, lay('long', [{ ...honest, size: honest.size - 10 }]), /bytes|size|more/i);
      await refuses(
        world,
        lay('diffid', [{ ...honest, diffId: sha256('something else') }]),
        /diffID|unpacks to|digest/i,
      );
      const good = gzipLayer(tar([file('good')]));
      await refuses(world, lay('second', [good, { ...honest, diffId: sha256('else') }]), /diffID|unpacks to|digest/i);
    });

    check('a truncated gzip, garbage, a truncated archive, under digests that are right', async (world) => {
      const whole = gzipLayer(tar([file('f', 'x'.repeat(100_000))]));
      const make = (bytes: Buffer): Layer => ({
        digest: sha256(bytes),
        diffId: whole.diffId,
        size: bytes.length,
        bytes,
      });
      await refuses(
        world,
        lay('cut', [make((whole.bytes ?? Buffer.alloc(0)).subarray(0, whole.size - 40))]),
        /truncated|unexpected end|ends/i,
      );
      await refuses(world, lay('garbage', [make(Buffer.alloc(4096, 'garbage'))]), /not a valid tar archive|gzip/i);
      await refuses(
        world,
        lay('cuttar', [gzipLayer(tar([file('f', 'y'.repeat(5000))]).subarray(0, 1024))]),
        /truncated|ends|unexpected/i,
      );
    });

    const escapes: [string, Entry[]][] = [
      ['a name with ../', [file('../../../../escape')]],
      ['../ in the middle of a name', [file('a/../../escape')]],
      ['a hard link out of the layer', [{ name: 'l', type: '1', link: '../../../../etc/passwd' }]],
      ['a hard link to what is not there', [{ name: 'l', type: '1', link: 'etc/passwd' }]],
      ['a file below a symlink', [{ name: 'd', type: '2', link: '/etc' }, file('d/escape')]],
      ['a file below a symlink upwards', [{ name: 'd', type: '2', link: '../../..' }, file('d/tmp/escape')]],
      [
        'a hard link through a symlink',
        [
          { name: 'd', type: '2', link: '/etc' },
          { name: 'l', type: '1', link: 'd/passwd' },
        ],
      ],
      ['a whiteout with ../', [file('a/.wh...', '')]],
      ['a file in place of the root', [file('.')]],
      ['an unknown type of entry', [{ name: 'x', type: 'Z', data: 'z' }, file('../y')]],
    ];
    for (const [attack, entries] of escapes) {
      check(`attack: ${attack}`, async (world) => {
        const name = `localhost:5000/${attack.replace(/\W+/g, '-').replace(/-$/, '').toLowerCase()}`;
        lay(name.slice('localhost:5000/'.length), [gzipLayer(tar(entries))]);
        const result = await world.hoist(['pull', '-q', name]);
        if (result.code === 0) {
          // taken: then what it says lies inside the image's root, and nowhere else
          const found = JSON.parse(await world.ok(['image', 'inspect', name])) as unknown[];
          assert.equal(found.length, 1);
          await world.ok(['rmi', name]);
        } else assertSentence(result.stderr, /layer|entry|link|name/i);
        await eventually('nothing is left', () => leftBehind(world.root).length === 0, 5);
        for (const place of ['/escape', '/etc/escape', '/tmp/escape', `${world.dir}/escape`])
          assert.ok(!existsSync(place), place);
      });
    }

    check('attack: zeros that unpack to more than HOIST_MAX_LAYER_BYTES', async (world) => {
      const bomb = tar([file('zeros', '\0'.repeat(60 << 20))]);
      await refuses(world, lay('bomb', [gzipLayer(bomb)]), /larger|limit|too (large|big)|more than/i);
    });

    check('documents that are no images: empty, cut off, of other types, of schema 1', async (world) => {
      for (const name of ['empty', 'cut', 'old', 'list', 'numbers', 'deep'])
        await refuses(world, `localhost:${hostilePort}/${name}/image`, /manifest|JSON|document/i);
    });

    check('not there: a tag, a repository, a registry, a name that is none', async (world) => {
      await refuses(world, 'localhost:5000/good:nope', /not found|manifest unknown/i);
      await refuses(world, 'localhost:5000/nobody', /not found|manifest unknown|does not exist/i);
      await refuses(world, 'localhost:5999/x', /refuses connections/);
      await refuses(world, 'lab/UPPER', /invalid reference format/);
      const run = await world.hoist(['run', '--rm', 'localhost:5000/nobody', 'true']);
      assert.equal(run.code, 125);
    });

    check('a registry that answers 429, 500, HTML, a manifest of 100 MB', async (world) => {
      const from = (name: string): string => `localhost:${hostilePort}/${name}/image`;
      await refuses(world, from('busy'), /429|too many requests|slow down|try again/i);
      await refuses(world, from('html'), /web page|HTML/i);
      await refuses(world, from('huge'), /larger|too (large|big)|limit|bytes/i);
      await refuses(world, from('unsized'), /larger|too (large|big)|limit|bytes/i);
      await refuses(world, from('five'), /500|out of order/i);
    });

    check('Ctrl-C during a pull from a registry that hangs, in words or in the middle of a layer', async (world) => {
      for (const name of ['hang', 'half']) {
        const pull = world.startHoist(['pull', `localhost:${hostilePort}/${name}/image`], { timeout: 20 });
        await new Promise((resolve) => setTimeout(resolve, 500));
        pull.child.kill('SIGINT');
        const { code } = await pull.ended;
        assert.notEqual(code, 0);
        assert.equal(await world.ok(['images', '-q']), '');
        // whole blobs may stay for the next attempt; nothing half-written does
        await eventually(
          'nothing half-written is left',
          () => readdirSync(path.join(world.root, 'tmp')).length === 0,
          5,
        );
      }
    });

    check(
      'kill -9 of the engine during a pull: nothing half-written has a name, the next pull works',
      async (world) => {
        const good = lay('good', [gzipLayer(tar([file('a')])), gzipLayer(tar([file('b')]))]);
        const pulls = [
          world.startHoist(['pull', `localhost:${hostilePort}/half/image`]),
          world.startHoist(['pull', good]),
        ];
        await new Promise((resolve) => setTimeout(resolve, 400));
        process.kill(await world.enginePid(), 'SIGKILL');
        for (const pull of pulls) await pull.ended;
        assert.match(await world.ok(['pull', good]), /Status: /);
        assert.deepEqual(readdirSync(path.join(world.root, 'tmp')), []);
        await world.ok(['rmi', good]);
        await eventually('nothing is left', () => leftBehind(world.root).length === 0, 5);
      },
    );

    check('a full disk: pull, import, run and create say so; with room again all works', async (world) => {
      const small = path.join(world.dir, 'small');
      execFileSync('mkdir', [small]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', small]);
      const full = await openWorld({ HOIST_ROOT: path.join(small, 'root') });
      try {
        await busybox(full);
        const size = statfsSync(small);
        const ballast = path.join(small, 'ballast');
        execFileSync('sh', ['-c', `head -c ${size.bavail * size.bsize - 200_000} /dev/zero >${ballast}`]);
        const archive = tar([file('big', 'b'.repeat(4 << 20))]);
        const imported = await full.hoist(['import', '-', 'big'], { input: archive });
        assert.equal(imported.code, 1);
        assertSentence(imported.stderr, /no space left/);
        execFileSync('sh', ['-c', `head -c 1000000 /dev/zero >>${ballast} 2>/dev/null; true`]);
        const run = await full.hoist(['run', '--rm', 'busybox', 'true']);
        assert.ok([0, 125].includes(run.code), `${run.code} ${run.stderr}`);
        const create = await full.hoist(['create', '--name', 'none', 'busybox', 'true']);
        assert.equal(create.code, 1, create.stdout);
        assert.match(create.stderr, /no space left/);
        execFileSync('rm', [ballast]);
        await full.ok(['run', '--rm', '--name', 'none', 'busybox', 'true']);
        await full.ok(['import', '-', 'big'], { input: archive });
        assert.deepEqual(readdirSync(path.join(full.root, 'tmp')), []);
      } finally {
        await full[Symbol.asyncDispose]();
      }
    });
  },
);
