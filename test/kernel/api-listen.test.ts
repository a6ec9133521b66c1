// Where the Engine API listens: docker.sock and its group, TCP on loopback, TLS with client certificates, systemd's sockets;
// and what a started engine remembers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { apiOf } from '../compat/api.ts';
import { eventually, inWorld, repository, type World } from './world.ts';

const socketOf = (world: World): string => path.join(world.runRoot, 'docker.sock');

const curl = async (world: World, ...args: string[]): Promise<string> => {
  const { code, stdout } = await world.program(['curl', '--silent', '--max-time', '5', ...args]);
  return code === 0 ? stdout : `curl: ${code}`;
};

/** A CA, and certificates of it for a server at 127.0.0.1 and a client. */
function certificates(dir: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
  writeFileSync(path.join(dir, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  for (const name of ['server', 'client']) {
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-extfile',
      'names',
      '-out',
      `${name}.pem`,
    );
  }
}

inWorld('where the Engine API listens', { needs: ['curl', 'openssl', 'perl'] }, (check) => {
  check('docker.sock is for root, or for a group that was named', async (world) => {
    await world.ok(['engine', 'start']);
    const mode = (): string => (statSync(socketOf(world)).mode & 0o777).toString(8);
    assert.deepEqual([mode(), statSync(socketOf(world)).gid], ['660', 0]);
    await world.ok(['engine', 'restart', '--group', 'daemon']);
    assert.deepEqual([mode(), statSync(socketOf(world)).gid], ['660', 1]);
    const unknown = await world.hoist(['engine', 'restart', '--group', 'nobody-has-this']);
    assert.deepEqual([unknown.code, /no group nobody-has-this/.test(unknown.stderr)], [1, true]);
  });

  check(
    'plain TCP on loopback alone, unless the word is said; settings survive a restart and a crash',
    async (world) => {
      const ping = (): Promise<string> => curl(world, 'http://127.0.0.1:2375/_ping');
      const open = await world.hoist(['engine', 'restart', '--host', 'tcp://0.0.0.0:2375']);
      assert.equal(open.code, 1);
      assert.match(open.stderr, /without TLS would make everyone who can reach it root[\s\S]*--insecure/);
      await world.ok(['engine', 'restart', '--host', 'tcp://127.0.0.1:2375']);
      assert.equal(await ping(), 'OK');
      await world.ok(['engine', 'restart']);
      assert.equal(await ping(), 'OK');
      process.kill(await world.enginePid(), 'SIGKILL');
      await world.ok(['ps']);
      assert.equal(await ping(), 'OK');
      const again = await world.hoist(['engine', 'start', '--host', 'tcp://127.0.0.1:2999']);
      assert.match(again.stderr, /an engine runs already/);
      await world.ok(['engine', 'restart', '--host', 'tcp://0.0.0.0:2375', '--insecure']);
      assert.equal(await ping(), 'OK');
      const taken = await world.hoist([
        'engine',
        'restart',
        '--host',
        'tcp://127.0.0.1:2375',
        '--host',
        'tcp://127.0.0.1:2375',
      ]);
      assert.match(taken.stderr, /cannot listen at tcp:\/\/127\.0\.0\.1:2375: EADDRINUSE/);
      await world.ok(['ps']);
      await world.ok(['engine', 'stop']);
      await world.ok(['ps']);
      assert.equal(await ping(), 'curl: 7', 'stop forgets');
    },
  );

  check('with TLS, clients need a certificate', async (world) => {
    certificates(world.dir);
    const address = ['--host', 'tcp://0.0.0.0:2376', '--tlsverify'];
    const files = ['--tlscacert', 'ca.pem', '--tlscert', 'server.pem', '--tlskey', 'server.key'];
    assert.match((await world.hoist(['engine', 'restart', ...address])).stderr, /--tlsverify needs --tlscacert/);
    await world.ok(['engine', 'restart', ...address, ...files]);
    const url = 'https://127.0.0.1:2376/_ping';
    assert.equal(await curl(world, '--cacert', 'ca.pem', '--cert', 'client.pem', '--key', 'client.key', url), 'OK');
    assert.notEqual(await curl(world, '--cacert', 'ca.pem', url), 'OK');
    assert.notEqual(await curl(world, 'http://127.0.0.1:2376/_ping'), 'OK');
    await world.ok(['engine', 'stop']);
  });

  check('sockets that systemd made are served', async (world) => {
    const program = `use Socket; use POSIX (); $^F = 10;
      socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un($ARGV[0])); listen($s, 10); POSIX::dup2(fileno($s), 3);
      $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec 'node', 'dist/engine.js'`;
    const socket = path.join(world.dir, 'passed.sock');
    const engine = world.start(['perl', '-e', program, socket], { cwd: repository });
    const api = apiOf(socket);
    await eventually('the engine answers there', async () => {
      const answer = await api('GET', '/_ping').catch(() => undefined);
      return answer?.text === 'OK';
    });
    assert.equal((await apiOf(socketOf(world))('GET', '/_ping')).text, 'OK');
    await world.ok(['engine', 'stop']);
    await engine.ended;

    const own = socketOf(world); // one at the place of docker.sock is not replaced, and stays when the engine goes
    const second = world.start(['perl', '-e', program, own], { cwd: repository });
    await eventually('the engine answers', async () => (await world.hoist(['engine', 'status'])).code === 0);
    const { ino } = statSync(own);
    assert.equal((await apiOf(own)('GET', '/_ping')).text, 'OK');
    await world.ok(['engine', 'stop']);
    await second.ended;
    assert.equal(statSync(own).ino, ino);
  });
});
