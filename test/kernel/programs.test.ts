// Real programs of Debian, pulled from a real registry: Python and nginx behind -p, Redis and PostgreSQL with their data
// on the host, apt-get as root inside.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { get, talk } from './clients.ts';
import { debianLayer } from './debian.ts';
import { layImage, startRegistry } from './registry.ts';
import { eventually, inWorld, type World } from './world.ts';

const image = 'localhost:5000/lab/debian:test';

async function debian(world: World): Promise<void> {
  const registry = await startRegistry(world);
  layImage(registry, 'lab/debian:test', [debianLayer()]);
  const said = await world.ok(['pull', image], { timeout: 180 });
  assert.match(said, /Pull complete|Status: Downloaded newer image for localhost:5000\/lab\/debian:test/);
}

const directory = (world: World, name: string): string => {
  const dir = path.join(world.dir, name);
  mkdirSync(dir);
  return dir;
};

const needs = ['docker-registry', 'mmdebstrap'];

inWorld('real programs', { prepare: debian, needs }, (check) => {
  check('the image that was pulled: listed, inspected, its files as they were made', async (world) => {
    assert.match(await world.ok(['images']), /^localhost:5000\/lab\/debian +test +[0-9a-f]{12} /m);
    const document = JSON.parse(await world.ok(['image', 'inspect', image])) as [
      { RepoDigests: string[]; Size: number },
    ];
    assert.match(document[0].RepoDigests[0] ?? '', /^localhost:5000\/lab\/debian@sha256:[0-9a-f]{64}$/);
    assert.ok(document[0].Size > 100e6);
    const owners = await world.ok([
      'run',
      '--rm',
      image,
      'sh',
      '-c',
      'stat -c "%n %U:%G %a" /var/lib/postgresql /usr/bin/passwd /tmp /etc/shadow; dpkg --verify base-files coreutils bash; dpkg -l | grep -c ^ii',
    ]);
    assert.match(
      owners,
      /^\/var\/lib\/postgresql postgres:postgres 755\n\/usr\/bin\/passwd root:root 4755\n\/tmp root:root 1777\n\/etc\/shadow root:shadow 640\n/,
    );
    assert.match(await world.ok(['pull', image]), /Image is up to date/);
    await world.ok(['run', '--rm', '--pull', 'always', '-q', image, 'true']);
  });

  check("Python's http.server behind -p", async (world) => {
    const page = directory(world, 'page');
    writeFileSync(path.join(page, 'index.html'), 'from python\n');
    await world.ok([
      'run',
      '-d',
      '--name',
      'py',
      '-p',
      '8000:8000',
      '-v',
      `${page}:/srv:ro`,
      '-w',
      '/srv',
      '-u',
      'nobody',
      image,
      'python3',
      '-u',
      '-m',
      'http.server',
      '8000',
    ]);
    await eventually('python serves', async () => (await get(world, '127.0.0.1', 8000)) === 'from python\n');
    await world.ok(['stop', '-t', '1', 'py']);
    assert.match((await world.hoist(['logs', 'py'])).stderr, /"GET \/ HTTP\/1\.0" 200/);
    await world.ok(['rm', 'py']);
  });

  check('nginx behind -p, its workers as www-data, stopped gracefully', async (world) => {
    const run = ['nginx', '-g', 'daemon off; error_log /dev/stderr; '];
    await world.ok(['run', '-d', '--name', 'web', '-p', '8080:80', '--stop-signal', 'QUIT', image, ...run]);
    await eventually(
      'nginx serves',
      async () => (await get(world, '127.0.0.1', 8080))?.includes('Welcome to nginx') === true,
    );
    const users = await world.ok([
      'exec',
      'web',
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do stat -c %U $p; done | sort -u',
    ]);
    assert.equal(users, 'root\nwww-data');
    await world.ok(['stop', 'web']);
    assert.equal((await world.inspect('web')).State.ExitCode, 0);
    await world.ok(['rm', 'web']);
  });

  check('Redis: data on the host, found again by a second container', async (world) => {
    const data = directory(world, 'redis');
    const serve = [
      '-v',
      `${data}:/data`,
      '-p',
      '6379:6379',
      image,
      'redis-server',
      '--dir',
      '/data',
      '--bind',
      '0.0.0.0',
      '--protected-mode',
      'no',
      '--appendonly',
      'yes',
    ];
    const ask = (command: string) => talk(world, ['tcp', '127.0.0.1', 6379], `${command}\\r\\nQUIT\\r\\n`);
    await world.ok(['run', '-d', '--name', 'r1', ...serve]);
    await eventually('redis answers', async () => (await ask('PING'))?.startsWith('+PONG') === true);
    assert.match((await ask('SET lab open')) ?? '', /^\+OK/);
    await world.ok(['stop', 'r1']);
    assert.equal((await world.inspect('r1')).State.ExitCode, 0);
    await world.ok(['rm', 'r1']);
    assert.notDeepEqual(readdirSync(data), []);
    await world.ok(['run', '-d', '--name', 'r2', ...serve]);
    await eventually('redis answers', async () => (await ask('GET lab'))?.includes('open') === true);
    await world.ok(['rm', '-f', 'r2']);
  });

  check('PostgreSQL: initdb, a table, a second container with the same data', async (world) => {
    const data = directory(world, 'pg');
    const bin = '/usr/lib/postgresql/*/bin';
    const setUp = `chown postgres /pg && su postgres -c "${bin}/initdb -A trust -D /pg/data >/dev/null"`;
    await world.ok(['run', '--rm', '-v', `${data}:/pg`, image, 'bash', '-c', setUp]);
    const serve = [
      '-u',
      'postgres',
      '--shm-size',
      '128m',
      '-v',
      `${data}:/pg`,
      image,
      'bash',
      '-c',
      `exec ${bin}/postgres -D /pg/data -c listen_addresses='*' -k /tmp`,
    ];
    const sql = (name: string, text: string) =>
      world.hoist(['exec', '-u', 'postgres', name, 'psql', '-h', '/tmp', '-At', '-c', text]);
    await world.ok(['run', '-d', '--name', 'pg1', '--stop-signal', 'INT', ...serve]);
    await eventually('postgres answers', async () => (await sql('pg1', 'select 1')).stdout === '1\n', 30);
    assert.equal(
      (await sql('pg1', 'create table t as select generate_series(1, 1000) n; select sum(n) from t')).code,
      0,
    );
    await world.ok(['stop', 'pg1']);
    assert.equal((await world.inspect('pg1')).State.ExitCode, 0);
    await world.ok(['rm', 'pg1']);
    await world.ok(['run', '-d', '--name', 'pg2', ...serve]);
    await eventually(
      'postgres answers',
      async () => (await sql('pg2', 'select sum(n) from t')).stdout === '500500\n',
      30,
    );
    await world.ok(['rm', '-f', 'pg2']);
  });

  check(
    'PostgreSQL in the VOLUME of its image: a new volume has the whole cluster, and keeps what is written',
    async (world) => {
      const bin = '/usr/lib/postgresql/*/bin';
      const setUp = `install -d -o postgres -m 700 /srv/pg && su postgres -c "${bin}/initdb -A trust -D /srv/pg >/dev/null"`;
      await world.ok(['run', '--name', 'made', image, 'bash', '-c', setUp]);
      const serve = `CMD ["bash", "-c", "exec ${bin}/postgres -D /srv/pg -k /tmp"]`;
      const changes = ['VOLUME /srv/pg', 'USER postgres', 'STOPSIGNAL SIGINT', serve];
      await world.ok(['commit', ...changes.flatMap((one) => ['--change', one]), 'made', 'pg']);
      await world.ok(['rm', '-v', 'made']);
      const sql = async (name: string, text: string) =>
        (await world.hoist(['exec', name, 'psql', '-h', '/tmp', '-At', '-c', text])).stdout;
      const run = (name: string, ...args: string[]) =>
        world.ok(['run', '-d', '--rm', '--name', name, '--shm-size', '128m', ...args, 'pg']);
      await run('pg1', '-v', 'cluster:/srv/pg');
      await eventually('postgres answers', async () => (await sql('pg1', 'select 1')) === '1\n', 30);
      await sql('pg1', 'create table t as select generate_series(1, 1000) n');
      await world.ok(['stop', 'pg1']);
      await run('pg2', '-v', 'cluster:/srv/pg');
      await run('other');
      await eventually('the data is there', async () => (await sql('pg2', 'select sum(n) from t')) === '500500\n', 30);
      await eventually('a cluster of its own', async () => (await sql('other', 'select 1')) === '1\n', 30);
      assert.equal(await sql('other', 'select sum(n) from t'), '');
      assert.equal((await world.ok(['volume', 'ls', '-q'])).split('\n').length, 2);
      await world.ok(['stop', 'pg2', 'other']);
      await eventually('its volume went', async () => (await world.ok(['volume', 'ls', '-q'])) === 'cluster');
      await world.ok(['volume', 'rm', 'cluster']);
      await world.ok(['rmi', 'pg']);
    },
  );

  check('apt-get update and install as root inside, from a repository in the world', async (world) => {
    const repo = directory(world, 'repo');
    const tree = directory(world, 'deb');
    mkdirSync(path.join(tree, 'DEBIAN'));
    mkdirSync(path.join(tree, 'usr/bin'), { recursive: true });
    writeFileSync(path.join(tree, 'usr/bin/greet'), '#!/bin/sh\necho "installed as $(id -un)"\n', { mode: 0o755 });
    writeFileSync(
      path.join(tree, 'DEBIAN/control'),
      'Package: greet\nVersion: 1\nArchitecture: all\nMaintainer: a test <t@example.org>\nDescription: greets\n',
    );
    writeFileSync(
      path.join(tree, 'DEBIAN/postinst'),
      '#!/bin/sh\nset -e\nuseradd --system greeter\nchown greeter /usr/bin/greet\n',
      { mode: 0o755 },
    );
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', tree, path.join(repo, 'greet_1_all.deb')], {
      stdio: 'ignore',
    });
    const index =
      'cd /repo; (dpkg-deb --info greet_1_all.deb control; echo "Filename: ./greet_1_all.deb"; echo "Size: $(stat -c %s greet_1_all.deb)"; echo "SHA256: $(sha256sum greet_1_all.deb | cut -d" " -f1)"; echo) >Packages';
    // served over HTTP by another container: apt drops to its user _apt, opens sockets, forks
    await world.ok([
      'run',
      '-d',
      '--name',
      'mirror',
      '-v',
      `${repo}:/repo`,
      '-w',
      '/repo',
      image,
      'sh',
      '-c',
      `${index}; exec python3 -m http.server 80`,
    ]);
    const { IPAddress } = (await world.inspect('mirror')).NetworkSettings;
    await eventually(
      'the mirror serves',
      async () => (await get(world, IPAddress, 80, '/Packages'))?.includes('greet') === true,
    );
    const install = `set -e
      rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*; echo "deb [trusted=yes] http://${IPAddress} ./" >/etc/apt/sources.list
      apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -qy install greet; greet; stat -c %U /usr/bin/greet; apt-get -qy purge greet >/dev/null; [ ! -e /usr/bin/greet ]`;
    const { code, stdout, stderr } = await world.hoist(['run', '--rm', image, 'bash', '-c', install]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /installed as root\ngreeter\n/);
    await world.ok(['rm', '-f', 'mirror']);
  });

  check('the image goes, and everything of it', async (world) => {
    assert.match(await world.ok(['rmi', image]), /Deleted: sha256:/);
    assert.deepEqual(readdirSync(path.join(world.root, 'layers')), []);
    assert.deepEqual(readdirSync(path.join(world.root, 'content/blobs/sha256')), []);
  });
});
