// Containers of an ordinary user with subordinate ids: what root's do, without root.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { whyNot } from '../machine.ts';
import { neighbour, openUserWorld, ownAddress, type UserWorld, whyNoUsers } from './user-world.ts';
import { compile, eventually } from './world.ts';

const fetcher =
  'fetch(process.argv[1], { signal: AbortSignal.timeout(3000) }).then((r) => r.text()).then(console.log, () => {})';
const udpEcho = `#include <arpa/inet.h>
int main() { char b[100]; struct sockaddr_in a = {AF_INET, htons(53)}; socklen_t n; int s = socket(AF_INET, SOCK_DGRAM, 0);
bind(s, (void *)&a, sizeof a); for (;;) { n = sizeof a; int r = recvfrom(s, b, 100, 0, (void *)&a, &n); sendto(s, b, r, 0, (void *)&a, n); } }`;
const asker =
  "const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); s.close(); }); s.send('ping', 18053, '127.0.0.1'); setTimeout(() => process.exit(), 1000)";

test.suite('an ordinary user with subordinate ids', { skip: whyNoUsers() ?? false, timeout: 300_000 }, () => {
  let user: UserWorld;
  const check = (name: string, body: () => Promise<void>, skip?: string): void =>
    void test(name, { skip: skip ?? false, timeout: 60_000 }, async (context) => {
      try {
        await body();
      } catch (error) {
        context.diagnostic(`engine log: ${user.log().slice(-2000)}`);
        throw error;
      }
    });
  test.before(async () => {
    user = await openUserWorld({ subordinate: true });
    await user.ok(['image', 'bootstrap', 'busybox']);
  });
  test.after(() => user[Symbol.asyncDispose]());

  const web = async (name: string, ...flags: string[]): Promise<void> => {
    const serve = `mkdir /www; echo ${name} > /www/index.html; exec httpd -f -h /www`;
    await user.ok(['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', serve]);
  };
  /** From the host's side; '' where nobody answers. */
  const fetch = async (url: string): Promise<string> =>
    (await user.world.program([process.execPath, '-e', fetcher, url])).stdout.trim();
  const fetched = (url: string, text: string): Promise<void> =>
    eventually(`${url} answers ${text}`, async () => (await fetch(url)) === text, 5);

  check('root inside is the user outside; other ids are subordinate ones', async () => {
    const [own, rest] = (await user.ok(['run', '--rm', 'busybox', 'cat', '/proc/self/uid_map']))
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
    assert.deepEqual(own, [0, user.uid, 1]);
    assert.equal(rest?.[0], 1);
    assert.ok((rest?.[2] ?? 0) >= 65535);
    assert.equal(await user.ok(['run', '--rm', '-u', '1234:5', 'busybox', 'id', '-u']), '1234');
    const shared = path.join(user.home, 'shared');
    mkdirSync(shared, { mode: 0o777 });
    await user.ok(['run', '--rm', '-v', `${shared}:/s`, 'busybox', 'sh', '-c', 'chmod 777 /s'], {}).catch(() => '');
    const bound = path.join(user.home, 'bound');
    assert.equal((await user.program(['mkdir', bound])).code, 0);
    await user.ok([
      'run',
      '--rm',
      '-v',
      `${bound}:/s`,
      'busybox',
      'sh',
      '-c',
      'echo x > /s/a; echo y > /s/b; chown 7 /s/b',
    ]);
    assert.equal(statSync(path.join(bound, 'a')).uid, user.uid);
    assert.equal(statSync(path.join(bound, 'b')).uid, (rest?.[1] ?? 0) + 6);
  });

  check('run, exec, logs, ps, top, inspect, stop, start, rm', async () => {
    await user.ok([
      'run',
      '-d',
      '--name',
      'life',
      'busybox',
      'sh',
      '-c',
      'echo started; trap "exit 7" TERM; while :; do sleep 0.1; done',
    ]);
    assert.equal(await user.ok(['exec', 'life', 'id', '-u']), '0');
    await eventually('the log has it', async () => (await user.ok(['logs', 'life'])) === 'started');
    assert.match(await user.ok(['ps']), /life/);
    assert.match(await user.ok(['top', 'life']), /trap/);
    await user.ok(['stop', 'life']);
    assert.equal(await user.ok(['inspect', '-f', '{{.State.ExitCode}}', 'life']), '7');
    await user.ok(['start', 'life']);
    await user.ok(['rm', '-f', 'life']);
  });

  check('devices are those of the host, and no others can be made', async () => {
    const text = await user
      .ok([
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        'echo x > /dev/null && head -c 3 /dev/zero | wc -c; mknod /tmp/k c 1 11 2>&1',
      ])
      .catch(String);
    assert.match(text, /3/);
    assert.match(text, /Operation not permitted/);
  });

  check('a writable layer keeps deletions and replaced directories, through commit', async () => {
    await user.ok([
      'run',
      '--name',
      'made',
      'busybox',
      'sh',
      '-c',
      'rm /bin/vi; rm -r /root; mkdir /root; echo n > /root/new',
    ]);
    assert.match(await user.ok(['diff', 'made']), /^D \/bin\/vi$/m);
    await user.ok(['commit', 'made', 'second']);
    assert.equal(
      await user.ok(['run', '--rm', 'second', 'sh', '-c', 'ls /bin/vi 2>/dev/null; ls -A /root; cat /root/new']),
      'new\nn',
    );
    await user.ok(['rm', 'made']);
  });

  check('volumes keep their owners', async () => {
    await user.ok([
      'run',
      '--rm',
      '-v',
      'data:/d',
      'busybox',
      'sh',
      '-c',
      'echo v > /d/f; chown 42:42 /d/f; chmod 600 /d/f',
    ]);
    assert.equal(await user.ok(['run', '--rm', '-u', '42', '-v', 'data:/d', 'busybox', 'cat', '/d/f']), 'v');
    await user.ok(['volume', 'rm', 'data']);
  });

  check('containers of a network know each other by name', async () => {
    await user.ok(['network', 'create', 'lan']);
    await web('peer', '--network', 'lan');
    assert.equal(await user.ok(['run', '--rm', '--network', 'lan', 'busybox', 'wget', '-qO-', 'http://peer/']), 'peer');
    await user.ok(['rm', '-f', 'peer']);
    await user.ok(['network', 'rm', 'lan']);
  });

  check('published ports: at the address that was asked for, and nowhere else', async () => {
    await web('shop', '-p', '18080:80', '-p', '127.0.0.1:18081:80');
    await fetched('http://127.0.0.1:18080/', 'shop');
    assert.equal(await fetch(`http://${ownAddress}:18080/`), 'shop');
    assert.equal(await fetch('http://127.0.0.1:18081/'), 'shop');
    assert.equal(await fetch(`http://${ownAddress}:18081/`), '');
    await user.ok(['restart', '-t', '0', 'shop']);
    await fetched('http://127.0.0.1:18080/', 'shop');
    await user.ok(['rm', '-f', 'shop']);
    assert.equal(await fetch('http://127.0.0.1:18080/'), '');
  });

  check('a published UDP port carries questions and answers', async () => {
    const echo = compile(user.world, 'echo', udpEcho);
    await user.ok(['run', '-d', '--name', 'udp', '-p', '18053:53/udp', '-v', `${echo}:/echo`, 'busybox', '/echo']);
    const ask = () => user.world.program([process.execPath, '-e', asker]);
    await eventually('it answers', async () => (await ask()).stdout.trim() === 'ping', 10);
    await user.ok(['rm', '-f', 'udp']);
  });

  check('a port of root is refused in one sentence', async () => {
    const refused = await user.hoist(['run', '--rm', '-p', '80:80', 'busybox', 'true']);
    assert.equal(refused.code, 125);
    assert.match(
      refused.stderr,
      /failed to bind host port 0\.0\.0\.0:80\/tcp: permission denied\nhint: .*ip_unprivileged_port_start/,
    );
  });

  check('a limit that nothing here can hold is refused', async () => {
    const refused = await user.hoist(['run', '--rm', '-m', '100m', 'busybox', 'true']);
    if (refused.code === 0) return; // a machine that delegates cgroups to its users
    assert.match(refused.stderr, /--memory cannot hold here: no memory cgroup controller is delegated to this user/);
  });

  check(
    'pasta takes containers to the outside',
    async () => {
      const server = spawn('nsenter', [
        `--net=/run/netns/${user.world.network}n`,
        'busybox',
        'httpd',
        '-f',
        '-p',
        '8000',
        '-h',
        user.world.dir,
      ]);
      writeFileSync(path.join(user.world.dir, 'far'), 'far away');
      try {
        await eventually(
          'the neighbour serves',
          async () => (await fetch(`http://${neighbour}:8000/far`)) === 'far away',
        );
        assert.equal(
          await user.ok(['run', '--rm', 'busybox', 'wget', '-qO-', `http://${neighbour}:8000/far`]),
          'far away',
        );
      } finally {
        server.kill('SIGKILL');
      }
    },
    whyNot('pasta'),
  );

  check('an engine that is killed disturbs nothing; the next one comes into the same namespaces', async () => {
    await web('stays', '-p', '18082:80');
    const [engine = 0] = user.processes('hoist-engine');
    process.kill(engine, 'SIGKILL');
    await fetched('http://127.0.0.1:18082/', 'stays');
    assert.equal(await user.ok(['exec', 'stays', 'id', '-u']), '0');
    const address = await user.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'stays']);
    assert.equal(await user.ok(['run', '--rm', 'busybox', 'wget', '-qO-', `http://${address}/`]), 'stays');
    assert.equal(user.processes('hoist-namespace').length, 1);
    await user.ok(['rm', '-f', 'stays']);
  });

  check('info says what it is; the API is there for clients of the user', async () => {
    assert.match(await user.ok(['info', '-f', '{{.SecurityOptions}}']), /name=rootless/);
    assert.equal(statSync(path.join(user.run, 'docker.sock')).uid, user.uid);
    assert.equal(await user.ok(['info', '-f', '{{.DockerRootDir}}']), path.join(user.home, '.local/share/hoist'));
  });

  check('with the engine go its namespaces and pasta, once no container runs', async () => {
    await user.ok(['engine', 'stop']);
    await eventually('nothing of the user is left', () => user.processes('').length === 0);
    assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(user.home));
  });
});
