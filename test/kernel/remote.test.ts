// Other engines: the same commands over the API, by socket, TLS and ssh; which engine a command means.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dockerSocket } from './api-client.ts';
import { binary, busybox, eventually, inWorld, type World } from './world.ts';

const host = (world: World): string => `unix://${dockerSocket(world)}`;
const over = (world: World, args: readonly string[]) => ['-H', host(world), ...args];

/** A CA, and certificates of it for `localhost` and for a client. */
function certificates(world: World): string {
  const directory = path.join(world.dir, 'certs');
  mkdirSync(directory);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=ca', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}-key.pem`, '-out', `${name}.csr`);
    writeFileSync(path.join(directory, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2', '-extfile', 'ext'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`);
  }
  return directory;
}

/** An sshd at 127.0.0.1:2222 whose users find this hoist, also as `docker`; the PATH of a client that trusts it. */
async function sshServer(world: World): Promise<string> {
  const dir = path.join(world.dir, 'sshd');
  const far = path.join(dir, 'far');
  const near = path.join(dir, 'near');
  for (const made of [far, near]) mkdirSync(made, { recursive: true });
  if (!existsSync('/run/sshd')) mkdirSync('/run/sshd', 0o755); // where Debian's sshd separates its privileges
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(dir, key)]);
  for (const name of ['docker', 'hoist']) symlinkSync(binary, path.join(far, name));
  const options = ['ListenAddress 127.0.0.1:2222', 'StrictModes no', 'UsePAM no', 'PidFile none'];
  const env = `SetEnv PATH=${far}:/usr/bin:/bin HOIST_ROOT=${world.root} HOIST_RUN_ROOT=${world.runRoot}`;
  const keys = [`HostKey ${dir}/host`, `AuthorizedKeysFile ${dir}/user.pub`, 'PermitRootLogin prohibit-password'];
  writeFileSync(path.join(dir, 'sshd_config'), [...options, ...keys, env, ''].join('\n'));
  const trust = ['IdentitiesOnly yes', 'StrictHostKeyChecking no', `UserKnownHostsFile ${dir}/known`];
  writeFileSync(path.join(dir, 'config'), [`IdentityFile ${dir}/user`, ...trust, 'LogLevel ERROR', ''].join('\n'));
  writeFileSync(path.join(near, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${dir}/config "$@"\n`);
  chmodSync(path.join(near, 'ssh'), 0o755);
  const sshd = world.start(['sh', '-c', `exec /usr/sbin/sshd -De -f ${dir}/sshd_config 2>&1`]);
  await sshd.until(/listening/);
  return `${near}:${world.env['PATH']}`;
}

const noSshd = ['/usr/sbin/sshd', '/usr/bin/ssh-keygen'].every((file) => existsSync(file)) ? undefined : 'no sshd here';

inWorld('other engines', { prepare: busybox, needs: ['script'] }, (check) => {
  check('run: streams, input, exit codes, --rm', async (world) => {
    const script = 'cat; echo out; echo err >&2; exit 7';
    const result = await world.hoist(over(world, ['run', '--rm', '-i', 'busybox', 'sh', '-c', script]), {
      input: 'in\n',
    });
    assert.deepEqual([result.code, result.stdout, result.stderr], [7, 'in\nout\n', 'err\n']);
    const missing = await world.hoist(over(world, ['run', '--rm', 'busybox', 'nosuch']));
    assert.equal(missing.code, 127);
    assert.match(missing.stderr, /^hoist: .*"nosuch": executable file not found in \$PATH/);
    assert.equal(await world.ok(['ps', '-aq']), '');
    const tail = await world.hoist(over(world, ['run', '--rm', 'busybox', 'seq', '1', '50000']));
    assert.equal(tail.stdout, Array.from({ length: 50000 }, (_, i) => `${i + 1}\n`).join(''));
  });

  check('a terminal: prompt, size, exit code', async (world) => {
    const command = `stty rows 31 cols 91; exec ${[binary, ...over(world, ['run', '--rm', '-it', 'busybox', 'sh'])].join(' ')}`;
    const tty = world.start(['script', '-qfec', command, '/dev/null'], { env: { SHELL: '/bin/sh' } });
    await tty.until(/# /);
    tty.send('stty size; exit 9\r');
    await tty.until(/31 91\r\n/);
    assert.equal((await tty.ended).code, 9);
  });

  check('exec, logs, attach, and signals', async (world) => {
    const script = 'trap "echo bye; exit 5" TERM; echo one; echo two >&2; while :; do sleep 0.1; done';
    await world.ok(over(world, ['run', '-d', '--name', 'there', 'busybox', 'sh', '-c', script]));
    const exec = await world.hoist(over(world, ['exec', '-i', 'there', 'sh', '-c', 'cat; exit 6']), { input: 'x' });
    assert.deepEqual([exec.code, exec.stdout], [6, 'x']);
    await eventually('both lines', async () => {
      const logs = await world.hoist(over(world, ['logs', 'there']));
      return logs.stdout === 'one\n' && logs.stderr === 'two\n';
    });
    const [time] = (await world.ok(over(world, ['logs', '-t', '--tail', '1', 'there']))).split(' ');
    assert.ok(time === '' || !Number.isNaN(Date.parse(time ?? '')));
    const following = world.startHoist(over(world, ['logs', '-f', 'there']));
    await following.until(/one/);
    following.child.kill('SIGINT');
    assert.equal((await following.ended).code, 130);
    const attached = world.startHoist(over(world, ['attach', 'there']));
    await eventually('it is joined', () => attached.child.exitCode === null);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    attached.child.kill('SIGTERM'); // goes to the container
    const ended = await attached.ended;
    assert.deepEqual([ended.code, ended.stdout], [5, 'bye\n']);
    await world.ok(over(world, ['rm', 'there']));
  });

  check('failures keep their sentences', async (world) => {
    const gone = await world.hoist(over(world, ['inspect', 'gone']));
    assert.deepEqual([gone.code, gone.stderr], [1, 'Error: No such object: gone\n']);
    const kill = await world.hoist(over(world, ['kill', 'gone']));
    assert.match(kill.stderr, /^Error response from daemon: .*No such container: gone\n$/);
    const nobody = await world.hoist(['-H', 'unix:///nowhere', 'ps']);
    assert.equal(nobody.code, 1);
    assert.equal(
      nobody.stderr,
      'Cannot connect to the Docker daemon at unix:///nowhere. Is the docker daemon running?\n',
    );
  });

  check('which engine a command means', async (world) => {
    const name = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
      const result = await world.hoist(args, { env });
      return result.code === 0 ? 'here' : (/unix:\/\/\/(\w+)\./.exec(result.stderr)?.[1] ?? result.stderr);
    };
    for (const one of ['aa', 'bb']) await world.ok(['context', 'create', one, '--docker', `host=unix:///${one}`]);
    assert.equal(await name(['ps']), 'here');
    assert.equal(await name(['-c', 'aa', 'ps']), 'aa');
    assert.equal(await name(['ps'], { DOCKER_CONTEXT: 'aa' }), 'aa');
    await world.ok(['context', 'use', 'bb']);
    assert.equal(await name(['ps']), 'bb');
    assert.equal(await name(['ps'], { DOCKER_CONTEXT: 'aa' }), 'aa');
    assert.equal(await name(['ps'], { DOCKER_CONTEXT: 'default' }), 'here');
    assert.equal(await name(['-c', 'default', 'ps']), 'here');
    assert.equal(await name(['ps'], { DOCKER_HOST: 'unix:///cc', DOCKER_CONTEXT: 'aa' }), 'cc');
    assert.equal(await name(['-H', 'unix:///dd', 'ps'], { DOCKER_HOST: 'unix:///cc' }), 'dd');
    assert.equal(await name(['-c', 'aa', 'ps'], { DOCKER_HOST: 'unix:///cc' }), 'aa');
    assert.match(await name(['-c', 'zz', 'ps']), /^Failed to initialize: .*context "zz": context not found/);
    assert.match(
      await name(['-c', 'aa', '-H', 'x', 'ps']),
      /^conflicting options: cannot specify both --host and --context/,
    );
    assert.equal(await world.ok(['context', 'show']), 'bb');
    await world.ok(['context', 'rm', '-f', 'aa', 'bb']);
    assert.equal(await world.ok(['context', 'show']), 'default');
    assert.equal(await name(['ps']), 'here');
  });

  check('plain text does not go over the network', async (world) => {
    const refused = await world.hoist(['-H', 'tcp://192.0.2.7:2375', 'ps'], { timeout: 10 });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^tcp:\/\/192\.0\.2\.7:2375 is plain text over the network/);
    const insecure = await world.hoist(['--insecure', '-H', 'tcp://192.0.2.7:2375', 'ps'], { timeout: 10 });
    assert.match(insecure.stderr, /^Cannot connect to the Docker daemon at tcp:\/\/192\.0\.2\.7:2375/);
  });

  check('ssh: the command there is dial-stdio', async (world) => {
    const bin = path.join(world.dir, 'bin');
    mkdirSync(bin);
    writeFileSync(
      path.join(bin, 'ssh'),
      `#!/bin/sh\necho "$@" >>${world.dir}/ssh.log\nwhile [ "$1" != -- ]; do shift; done\nshift 2\nexec sh -c "$*"\n`,
    );
    writeFileSync(path.join(bin, 'hoist'), `#!/bin/sh\nunset DOCKER_HOST\nexec ${binary} "$@"\n`);
    for (const file of ['ssh', 'hoist']) chmodSync(path.join(bin, file), 0o755);
    const env = { PATH: `${bin}:${world.env['PATH']}`, DOCKER_HOST: 'ssh://ada@there:2222' };
    const result = await world.hoist(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; exit 3'], {
      env,
      input: 'far',
    });
    assert.deepEqual([result.code, result.stdout], [3, 'far'], result.stderr);
    assert.match((await world.program(['cat', 'ssh.log'])).stdout, /-l ada -p 2222 -- there sh -c/);
    const option = await world.hoist(['-H', 'ssh://-oProxyCommand=touch%20x', 'ps']);
    assert.notEqual(option.code, 0);
  });

  check(
    'ssh: a real sshd, for hoist and for the docker client',
    async (world) => {
      const PATH = await sshServer(world);
      const at = 'ssh://root@127.0.0.1:2222';
      const bytes = 'x'.repeat(3 << 20);
      const options = { env: { PATH }, input: bytes };
      const clients = [binary, ...(spawnSync('docker', ['--version']).status === 0 ? ['docker'] : [])];
      for (const client of clients) {
        const words = [client, '-H', at, 'run', '--rm', '-i', 'busybox', 'sh', '-c', 'wc -c; echo err >&2; exit 5'];
        const result = await world.program(words, options);
        assert.deepEqual([result.code, result.stdout, result.stderr], [5, `${bytes.length}\n`, 'err\n'], client);
      }
      const nobody = await world.hoist(['-H', 'ssh://root@127.0.0.1:2223', 'ps'], { env: { PATH } });
      assert.equal(nobody.code, 1);
      assert.match(nobody.stderr, /^error during connect: ssh:\/\/root@127.0.0.1:2223: .*Connection refused/);
    },
    noSshd,
  );

  check(
    'TLS: a certificate of the CA on both sides, or nothing',
    async (world) => {
      const certs = certificates(world);
      const file = (name: string): string => path.join(certs, `${name}.pem`);
      const server = ['--tlscacert', file('ca'), '--tlscert', file('server'), '--tlskey', file('server-key')];
      await world.ok(['engine', 'stop']);
      await world.ok(['engine', 'start', '--host', 'tcp://127.0.0.1:2376', '--tlsverify', ...server]);
      const client = ['--tlscacert', file('ca'), '--tlscert', file('client'), '--tlskey', file('client-key')];
      const at = ['-H', 'tcp://localhost:2376', '--tlsverify'];
      const run = await world.hoist([...at, ...client, 'run', '--rm', '-i', 'busybox', 'cat'], { input: 'secret' });
      assert.deepEqual([run.code, run.stdout], [0, 'secret'], run.stderr);
      const docker = `host=tcp://localhost:2376,ca=${file('ca')},cert=${file('client')},key=${file('client-key')}`;
      await world.ok(['context', 'create', 'tls', '--docker', docker]);
      assert.equal(await world.ok(['-c', 'tls', 'images', '--format', '{{.Repository}}']), 'busybox');
      const anonymous = await world.hoist([...at, '--tlscacert', file('ca'), 'ps']);
      assert.notEqual(anonymous.code, 0);
      const untrusted = await world.hoist([...at, 'ps']);
      assert.match(untrusted.stderr, /^error during connect: /);
      await world.ok(['context', 'rm', 'tls']);
    },
    spawnSync('openssl', ['version']).status === 0 ? undefined : 'no openssl here',
  );
});
