// The verbs of images as a user types them: names, archives, history, removal, registries with and without a password.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { startRegistry } from './registry.ts';
import { busybox, inWorld, type World } from './world.ts';

const idOf = (world: World, name: string): Promise<string> => world.ok(['inspect', '-f', '{{.Id}}', name]);

async function fails(world: World, args: readonly string[], sentence: string, code = 1): Promise<void> {
  const result = await world.hoist(args);
  assert.deepEqual([result.code, result.stderr.split('\n')[0]], [code, sentence], args.join(' '));
}

async function eventsOf(world: World, act: () => Promise<unknown>): Promise<readonly string[]> {
  await new Promise((resolve) => setTimeout(resolve, 2)); // what came before is not of this millisecond
  const since = (Date.now() / 1000).toFixed(3);
  await act();
  const args = ['events', '--since', since, '--until', (Date.now() / 1000).toFixed(3), '--filter', 'type=image'];
  const lines = (
    await world.ok([...args, '--format', '{{.Action}} {{.Actor.ID}} {{index .Actor.Attributes "name"}}'])
  ).split('\n');
  return lines.filter((line) => line !== '');
}

/** A registry of our own making: whoever knows ann's password gets in. */
const basicRegistry = `require('http').createServer((q, s) => {
  if (q.url.startsWith('/v1/search')) return s.end(JSON.stringify({results: [{name: 'a/b', description: 'one', star_count: 1}, {name: 'c', description: 'x'.repeat(60), star_count: 9, is_official: true}]}));
  if (q.headers.authorization === 'Basic ' + Buffer.from('ann:word').toString('base64')) return s.end('{}');
  s.writeHead(401, {'www-authenticate': 'Basic realm="r"'}).end('{}');
}).listen(5001, '127.0.0.1', () => console.log('up'))`;

inWorld('verbs of images', { prepare: busybox, needs: ['docker-registry'] }, (check) => {
  check('tag: names, what is refused, events', async (world) => {
    const id = await idOf(world, 'busybox');
    const told = await eventsOf(world, async () => {
      await world.ok(['tag', 'busybox', 'imgx:1']);
      await world.ok(['image', 'tag', id.slice(7, 19), 'other/imgx']);
    });
    assert.deepEqual(told, [`tag ${id} imgx:1`, `tag ${id} other/imgx:latest`]);
    assert.equal(await idOf(world, 'other/imgx'), id);
    await fails(world, ['tag', 'nosuch:1', 'x'], 'Error response from daemon: No such image: nosuch:1');
    await fails(
      world,
      ['tag', 'imgx:1', 'Imgx:2'],
      'Error parsing reference: "Imgx:2" is not a valid repository/tag: invalid reference format: repository name (library/Imgx) must be lowercase',
    );
    await fails(
      world,
      ['tag', 'imgx:1', `i@sha256:${'a'.repeat(64)}`],
      'refusing to create a tag with a digest reference',
    );
    await fails(
      world,
      ['tag', 'imgx:1', 'sha256:abc'],
      'Error response from daemon: refusing to create an ambiguous tag using digest algorithm as name',
    );
  });

  check('save and load: the same bytes each time, names, ids, gzip; a name that moves', async (world) => {
    const id = await idOf(world, 'imgx:1');
    const file = path.join(world.dir, 'saved.tar');
    assert.deepEqual(await eventsOf(world, () => world.ok(['save', '-o', file, 'imgx:1', 'other/imgx'])), [
      `save ${id} ${id}`,
    ]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const piped = await world.hoist(['save', 'imgx:1', 'other/imgx']);
    assert.ok(piped.bytes.equals(readFileSync(file)));
    await world.ok(['rmi', 'imgx:1', 'other/imgx', 'busybox']);
    assert.equal(await world.ok(['images', '-q']), '');
    const told = await eventsOf(world, async () =>
      assert.equal(await world.ok(['load', '-i', file]), 'Loaded image: imgx:1\nLoaded image: other/imgx:latest'),
    );
    assert.deepEqual(told, [`load ${id} ${id}`]);
    assert.equal(await world.ok(['run', '--rm', 'imgx:1', 'echo', 'back']), 'back');
    const byId = await world.hoist(['save', id.slice(7, 19)]);
    await world.ok(['rmi', '-f', id]);
    const input = zlib.gzipSync(byId.bytes, { level: 1 });
    assert.equal((await world.hoist(['load'], { input })).stdout, `Loaded image ID: ${id}\n`);
    await world.ok(['load', '-q', '-i', file]);
    await world.ok(['tag', 'imgx:1', 'busybox']);
    await fails(world, ['save', 'nosuch'], 'Error response from daemon: No such image: nosuch');
    await fails(world, ['load', '-i', '/nosuch'], 'open /nosuch: no such file or directory');
    assert.ok(!existsSync(path.join(world.root, 'tmp/leftover')));
    // another image under a name that is taken
    const other = await world.hoist(['save', 'imgx:1']);
    await makeImage(world, 'imgx:1', 'other');
    const lost = await idOf(world, 'imgx:1');
    assert.match(
      (await world.hoist(['load'], { input: other.bytes })).stdout,
      new RegExp(`^The image imgx:1 already exists, renaming the old one with ID ${lost} to empty string\n`),
    );
  });

  check('history: steps, sizes, what is missing', async (world) => {
    const rows = (await world.ok(['history', '--format', '{{.ID}}|{{.Size}}|{{.Comment}}', 'imgx:1'])).split('\n');
    assert.equal(rows.length, 1);
    assert.match(rows[0] ?? '', /^[0-9a-f]{12}\|\d.*MB\|Bootstrapped from busybox-static$/);
    assert.equal(await world.ok(['history', '-q', '--no-trunc', 'imgx:1']), await idOf(world, 'imgx:1'));
    assert.match(
      await world.ok(['history', 'imgx:1']),
      /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} +.* ago /,
    );
    assert.match(
      await world.ok(['history', '-H=false', '--format', '{{.Size}} {{.CreatedSince}}', 'imgx:1']),
      /^\d+ \d{4}-/,
    );
  });

  check(
    'rmi: by id with several names, of running and stopped containers; untag and delete, in order',
    async (world) => {
      const id = await idOf(world, 'imgx:1');
      const short = id.slice(7, 19);
      await fails(
        world,
        ['rmi', short],
        `Error response from daemon: conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
      );
      const running = (await world.ok(['run', '-d', '--name', 'user', 'imgx:1', 'sleep', '100'])).slice(0, 12);
      await fails(
        world,
        ['rmi', '-f', short],
        `Error response from daemon: conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${running}`,
      );
      await world.ok(['rm', '-f', 'user']);
      await makeImage(world, 'two:1', 'two');
      const two = await idOf(world, 'two:1');
      const stopped = (await world.ok(['create', '--name', 'user', 'two:1', '/x'])).slice(0, 12);
      await fails(
        world,
        ['rmi', 'two:1'],
        `Error response from daemon: conflict: unable to remove repository reference "two:1" (must force) - container ${stopped} is using its referenced image ${two.slice(7, 19)}`,
      );
      await world.ok(['rm', 'user']);
      const told = await eventsOf(world, async () =>
        assert.match(
          await world.ok(['rmi', 'two:1']),
          new RegExp(`^Untagged: two:1\nDeleted: ${two}\nDeleted: sha256:`),
        ),
      );
      assert.deepEqual(told, [`untag ${two} ${two}`, `delete ${two} ${two}`]);
    },
  );

  check('prune: dangling ones, then all; labels; never what a container uses', async (world) => {
    await world.ok(['image', 'prune', '-f']);
    await makeImage(world, 'p:1', 'one', 'LABEL keep=yes');
    await makeImage(world, 'p:1', 'two');
    const dangling = await world.ok(['images', '-q', '--no-trunc', '-f', 'dangling=true']);
    assert.match(dangling, /^sha256:\w{64}$/);
    await fails(
      world,
      ['image', 'prune', '-f', '--filter', 'foo=1'],
      "Error response from daemon: invalid filter 'foo'",
    );
    assert.match(await world.ok(['image', 'prune', '-f', '--filter', 'label!=keep']), /^Total reclaimed space: 0B$/);
    const pruned = await world.ok(['image', 'prune', '-f', '--filter', 'label=keep=yes']);
    assert.match(
      pruned,
      new RegExp(`^Deleted Images:\ndeleted: ${dangling}\ndeleted: sha256:\\w{64}\n\nTotal reclaimed space: 3B$`),
    );
    await world.ok(['create', '--name', 'user', 'imgx:1', '/bin/true']);
    assert.match(await world.ok(['image', 'prune', '-a', '-f']), /^Deleted Images:\nuntagged: p:1\ndeleted: /);
    await world.ok(['rm', 'user']);
    assert.equal((await world.ok(['images', '-q'])).split('\n').length, 3);
    assert.match((await world.hoist(['image', 'prune'], { input: 'n\n' })).stdout, /\[y\/N\]/);
  });

  check('push: one tag, all tags, again; digests; what is not there; events', async (world) => {
    await startRegistry(world);
    const repository = 'localhost:5000/team/app';
    for (const tag of ['1', '2']) await world.ok(['tag', 'imgx:1', `${repository}:${tag}`]);
    const told = await eventsOf(world, async () => {
      assert.match(
        await world.ok(['push', `${repository}:1`]),
        /^The push refers to repository \[localhost:5000\/team\/app\]\n(\w{12}): Preparing\n\1: Pushed\n1: digest: sha256:\w{64} size: \d+$/,
      );
      assert.match(await world.ok(['push', `${repository}:1`]), /: Layer already exists\n1: digest: /);
      assert.match(await world.ok(['push', '-a', repository]), /\n1: digest: .*\n(?:.*\n)+2: digest: /);
    });
    const name = repository;
    assert.deepEqual(told, [`push ${name}:1 ${name}`, `push ${name}:1 ${name}`, `push ${name} ${name}`]);
    assert.equal(await world.ok(['push', '-q', `${repository}:2`]), `${repository}:2`);
    const digest = await world.ok(['inspect', '-f', '{{index .RepoDigests 0}}', `${repository}:1`]);
    assert.match(digest, /^localhost:5000\/team\/app@sha256:\w{64}$/);
    await fails(
      world,
      ['push', 'localhost:5000/none:1'],
      'An image does not exist locally with the tag: localhost:5000/none',
    );
    await fails(world, ['push', `${repository}:9`], `tag does not exist: ${repository}:9`);
    await fails(world, ['push', '-a', `${repository}:1`], "tag can't be used with --all-tags/-a");
    await fails(world, ['push', digest], 'cannot push a digest reference');
    await world.ok(['rmi', `${repository}:1`, `${repository}:2`]);
    assert.equal((await world.hoist(['pull', '-q', digest])).stdout, `${digest}\n`);
    await world.ok(['rmi', digest]);
  });

  check(
    'login: right, wrong, kept in config.json or by a helper; never in a list of processes; logout; search',
    async (world) => {
      const server = world.start([process.execPath, '-e', basicRegistry]);
      await server.until(/up/);
      const file = path.join(world.dir, '.docker/config.json');
      const login = (password: string, ...args: readonly string[]) =>
        world.hoist(['login', '-u', 'ann', '--password-stdin', ...args, 'localhost:5001'], { input: `${password}\n` });
      const wrong = await login('wrong');
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /unauthorized: incorrect username or password/);
      assert.ok(!existsSync(file));
      const right = await login('word');
      assert.deepEqual([right.code, right.stdout], [0, 'Login Succeeded\n'], right.stderr);
      assert.match(right.stderr, /WARNING! Your credentials are stored unencrypted in '.*config\.json'\./);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const auth = Buffer.from('ann:word').toString('base64');
      assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { auths: { 'localhost:5001': { auth } } });
      assert.match(
        (await world.hoist(['login', 'localhost:5001'])).stdout,
        /^Authenticating with existing credentials.*\[Username: ann\][\s\S]*Login Succeeded\n$/,
      );
      assert.equal(await world.ok(['logout', 'localhost:5001']), 'Removing login credentials for localhost:5001');
      assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { auths: {} });
      await fails(
        world,
        ['login', '--password-stdin', 'x:1'],
        'the --password-stdin option requires --username to be set',
      );
      await fails(world, ['login', 'x:1'], 'Error: Cannot perform an interactive login from a non TTY device');

      const tools = path.join(world.dir, 'tools');
      mkdirSync(tools);
      writeFileSync(
        path.join(tools, 'docker-credential-box'),
        `#!/bin/sh\necho "$@" >> ${tools}/calls\ncase $1 in store) cat > ${tools}/secret;; get) cat ${tools}/secret || { echo credentials not found in native keychain; exit 1; };; erase) rm ${tools}/secret;; esac\n`,
      );
      chmodSync(path.join(tools, 'docker-credential-box'), 0o755);
      writeFileSync(file, JSON.stringify({ credsStore: 'box', psFormat: 'x' }));
      const env = { PATH: `${tools}:${world.env['PATH']}` };
      const input = 'word';
      const kept = await world.hoist(['login', '-u', 'ann', '--password-stdin', 'localhost:5001'], { input, env });
      assert.deepEqual([kept.code, kept.stderr], [0, '']);
      assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
        credsStore: 'box',
        psFormat: 'x',
        auths: { 'localhost:5001': {} },
      });
      assert.deepEqual(JSON.parse(readFileSync(path.join(tools, 'secret'), 'utf8')), {
        ServerURL: 'localhost:5001',
        Username: 'ann',
        Secret: 'word',
      });
      await world.ok(['logout', 'localhost:5001'], { env });
      assert.ok(!existsSync(path.join(tools, 'secret')));
      assert.ok(!readFileSync(path.join(tools, 'calls'), 'utf8').includes('word'));

      const found = await world.ok(
        ['search', '--format', '{{.Name}} {{.Description}} {{.StarCount}} {{.IsOfficial}}', 'localhost:5001/x'],
        { env },
      );
      assert.equal(found, `c ${'x'.repeat(44)}… 9 [OK]\na/b one 1 `);
      assert.equal(
        await world.ok(['search', '-f', 'stars=5', '--format', '{{.Name}}', 'localhost:5001/x'], { env }),
        'c',
      );
      const none = await world.hoist(['search', 'foo'], { env });
      assert.equal(none.code, 1);
      assert.match(none.stderr, /^Error response from daemon: cannot search at index\.docker\.io: /);
      server.child.kill('SIGKILL');
    },
  );
});

/** An image of one small file. */
async function makeImage(world: World, name: string, content: string, ...changes: readonly string[]): Promise<void> {
  const directory = path.join(world.dir, `make-${content}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'file'), content);
  const tar = await world.program(['tar', '-C', directory, '-c', 'file']);
  const options = changes.flatMap((change) => ['-c', change]);
  const { code, stderr } = await world.hoist(['import', ...options, '-', name], { input: tar.bytes });
  assert.equal(code, 0, stderr);
}
