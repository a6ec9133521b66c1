// Verbs over a fake engine: what they ask of it and what they print.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runCli } from '../app.ts';
import { completions } from '../complete.ts';
import { container, image, imageSummaries, summaries } from '../testing/documents.ts';
import { type FakeWorld, fakeEngine, id64 } from '../testing/engine.ts';
import { type FakeIoOptions, fakeIo } from '../testing/io.ts';
import { networks } from '../testing/world.ts';
import { allCommands } from './index.ts';

async function hoist(args: readonly string[], world: FakeWorld = {}, options: FakeIoOptions = {}) {
  const io = fakeIo(options);
  const engine = fakeEngine(world);
  const code = await runCli(args, io, () => engine);
  return { code, out: io.out(), err: io.err(), calls: engine.calls };
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

test('logs keep stdout and stderr apart, whole and binary', async () => {
  const logs = [
    { stream: 'stdout', time: '2026-01-02T03:04:05.000000006Z', data: bytes('out\n') },
    { stream: 'stderr', time: '2026-01-02T03:04:06.000000000Z', data: Buffer.from([0xff, 0x0a]) },
    { stream: 'stdout', time: '2026-01-02T03:04:07.000000000Z', data: bytes('no newline') },
  ] as const;
  const world: FakeWorld = { containers: [container], logs };
  assert.equal((await hoist(['logs', 'web'], world)).out, 'out\nno newline');
  assert.equal(
    (await hoist(['logs', '-t', 'web'], world)).out,
    '2026-01-02T03:04:05.000000006Z out\n2026-01-02T03:04:07.000000000Z no newline',
  );
  const [call] = (
    await hoist(['logs', '-fn', '5', '--since', '2026-01-01T00:00:00Z', '--until=1700000000.5', 'web'], world)
  ).calls;
  const { signal: _signal, ...options } = (call?.[2] ?? {}) as Record<string, unknown>;
  assert.deepEqual(options, {
    follow: true,
    since: 1767225600,
    until: 1700000000.5,
    tail: 5,
    stdout: true,
    stderr: true,
  });
});

test('ps passes filters and limits on, and looks at sizes only when they are shown', async () => {
  const asked = async (...args: readonly string[]) => (await hoist(['ps', ...args])).calls[0]?.[1];
  assert.deepEqual(
    await asked('-f', 'status=exited', '--filter', 'label=a=b', '-f', 'status=dead', '-f', '__proto__=x'),
    {
      all: false,
      limit: 0,
      size: false,
      filters: Object.fromEntries([
        ['status', ['exited', 'dead']],
        ['label', ['a=b']],
        ['__proto__', ['x']],
      ]),
    },
  );
  assert.deepEqual(await asked('-l'), { all: true, limit: 1, size: false, filters: {} });
  assert.deepEqual(await asked('-n', '3'), { all: true, limit: 3, size: false, filters: {} });
  assert.deepEqual(await asked('-a', '--format', '{{.Size}}'), { all: true, limit: 0, size: true, filters: {} });
});

test("the user's config.json gives formats where no flag does", async () => {
  const files = { '/root/.docker/config.json': '{"psFormat":"{{.Names}}","imagesFormat":"{{.Repository}}"}' };
  const world = { summaries: summaries(0), imageSummaries: imageSummaries(0) };
  assert.equal((await hoist(['ps'], world, { files })).out, 'web\ndb\né-üñ\n');
  assert.match((await hoist(['images'], world, { files })).out, /^nginx\nnginx\n/);
  assert.equal((await hoist(['ps', '--format', '{{.State}}'], world, { files })).out, 'running\nexited\ncreated\n');
  const broken = await hoist(['ps'], world, { files: { '/root/.docker/config.json': '{' } });
  assert.deepEqual([broken.code, broken.err.startsWith('WARNING: Error loading config file: ')], [0, true]);
});

test('pull says what Docker says, in a pipe', async () => {
  const { out, err, code } = await hoist(['pull', 'busybox']);
  assert.deepEqual([code, err], [0, '']);
  assert.equal(
    out,
    `Using default tag: latest\nlatest: Pulling from library/busybox\naaaaaaaaaaaa: Pulling fs layer\naaaaaaaaaaaa: Pull complete\nDigest: sha256:${id64('2')}\nStatus: Downloaded newer image for busybox:latest\ndocker.io/library/busybox:latest\n`,
  );
  assert.equal((await hoist(['pull', '-q', 'busybox'])).out, 'docker.io/library/busybox:latest\n');
});

test('pull draws bars on a terminal', async () => {
  const { out } = await hoist(['pull', 'busybox'], {}, { tty: true, size: { rows: 24, columns: 120 } });
  assert.match(out, /\u001b\[1A\u001b\[2K\raaaaaaaaaaaa: Pull complete/);
});

test('rmi prints what went, and -f forgives what is not there', async () => {
  const world = { images: [image] };
  assert.equal((await hoist(['rmi', 'nginx:1.27'], world)).out, `Untagged: nginx:1.27\nDeleted: sha256:${id64('1')}\n`);
  const missing = await hoist(['rmi', 'nope', 'nginx:1.27'], world);
  assert.deepEqual([missing.code, missing.err], [1, 'Error response from daemon: No such image: nope\n']);
  assert.match(missing.out, /^Untagged/);
  assert.equal((await hoist(['rmi', '-f', 'nope'], world)).code, 0);
});

test('import reads a file or stdin', async () => {
  const { calls, out } = await hoist(['import', '-c', 'CMD sh', '-m', 'hello', '-', 'a:b'], {}, { stdin: 'tar bytes' });
  assert.deepEqual(calls, [['import', 'tar bytes', 'a:b', 'hello', ['CMD sh']]]);
  assert.equal(out, `sha256:${id64('3')}\n`);
  assert.equal((await hoist(['import', 'x.tar'], {}, { files: { 'x.tar': 'T' } })).calls[0]?.[1], 'T');
  assert.equal((await hoist(['import', 'https://x/y.tar'])).code, 1);
});

test('version and info, as text, JSON and template', async () => {
  assert.match(
    (await hoist(['version'])).out,
    /^Client: Hoist\n Version: +0\.1\.0\n[\s\S]*Server: Hoist\n Engine:\n {2}Version: +0\.1\.0\n/,
  );
  assert.equal((await hoist(['version', '--format', '{{.Server.Version}} {{.Client.Os}}'])).out, '0.1.0 linux\n');
  assert.equal(JSON.parse((await hoist(['version', '-f', 'json'])).out).Server.ApiVersion, '1.51');
  const facts = {
    ID: 'i',
    Name: 'n',
    Containers: 3,
    ContainersRunning: 1,
    ContainersPaused: 0,
    ContainersStopped: 2,
    Images: 4,
    Driver: 'erofs',
    DriverStatus: [['Layers', '7']] as const,
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: '2',
    KernelVersion: '6.1',
    OperatingSystem: 'Debian',
    OSType: 'linux',
    Architecture: 'x86_64',
    NCPU: 2,
    MemTotal: 8_323_000_000,
    DockerRootDir: '/var/lib/hoist',
    ServerVersion: '0.1.0',
    SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
    Warnings: ['WARNING: no swap limit'],
  };
  const { out, err } = await hoist(['info'], { info: facts });
  assert.match(out, / Storage Driver: erofs\n {2}Layers: 7\n/);
  assert.match(out, / Security Options:\n {2}seccomp\n {3}Profile: builtin\n {2}cgroupns\n/);
  assert.match(out, / Total Memory: 7\.751GiB\n/);
  assert.equal(err, 'WARNING: no swap limit\n');
  assert.equal((await hoist(['info', '-f', '{{.Containers}} {{.Driver}}'], { info: facts })).out, '3 erofs\n');
});

test('explain prints the plan of run, create and exec, and runs nothing', async () => {
  const run = await hoist(['explain', 'run', '--rm', '-it', 'busybox', 'sh']);
  assert.deepEqual([run.code, run.out, run.calls], [0, 'plan of busybox\n', []]);
  assert.deepEqual(JSON.parse((await hoist(['explain', '--json', 'container', 'create', 'x'])).out), { image: 'x' });
  assert.equal((await hoist(['explain', 'exec', 'web', 'ls', '-l'])).out, 'plan of ls -l\n');
  const ps = await hoist(['explain', 'ps']);
  assert.deepEqual([ps.code, ps.err], [1, 'there is no plan for "ps": run, create and exec have one\n']);
});

test('image bootstrap passes the tag on, and says so where the engine makes none', async () => {
  const io = fakeIo();
  const engine = fakeEngine();
  const bootstrap = async (kind: string, { tag }: { readonly tag?: string }) => ({
    reference: tag ?? kind,
    id: 'sha256:x',
  });
  const images = { ...engine.images, bootstrap };
  assert.equal(await runCli(['image', 'bootstrap', '-t', 'base:1', 'busybox'], io, () => ({ ...engine, images })), 0);
  assert.deepEqual([io.out(), io.err()], ['sha256:x\n', 'Made base:1\n']);
  assert.equal((await hoist(['image', 'bootstrap', 'busybox'])).code, 1);
});

test('completion scripts ask for commands, flags, values and names', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) assert.match((await hoist(['completion', shell])).out, /__complete/);
  const world = { summaries: summaries(0), imageSummaries: imageSummaries(0), networks };
  const words = async (...typed: readonly string[]) =>
    (await completions(typed, allCommands, { engine: fakeEngine(world), io: fakeIo() })).map(
      (line) => line.split('\t', 1)[0],
    );
  assert.match((await hoist(['__complete', '--', '--ro'])).out, /^--root\t.*\n:end\n$/);
  assert.deepEqual(await words('ru'), ['run', ':end']);
  assert.deepEqual(await words('container', 'st'), ['start', 'stats', 'stop', ':end']);
  assert.deepEqual(await words('--root', '/x', 'stop', 'w'), ['web', ':end']);
  assert.deepEqual(await words('rm', 'web', ''), ['other/alias', 'db', 'é-üñ', ':end']);
  assert.deepEqual(await words('run', '--net', 'n'), ['net10', 'net9', 'none', ':end']);
  assert.deepEqual(await words('run', '--network', 'h'), ['host', ':end']);
  assert.deepEqual(await words('run', '-it', '--name', 'x', 'nginx'), ['nginx:1.27', 'nginx:latest', ':end']);
  assert.deepEqual(await words('run', 'nginx', ''), [':files']);
  assert.deepEqual(await words('run', '--name', ''), [':files']);
  assert.deepEqual(await words('--ro'), ['--root', ':end']);
  assert.deepEqual(await words('run', '--cpu-q'), ['--cpu-quota', ':end']);
  assert.deepEqual(await words('logs', 'web', ''), [':files']);
  assert.deepEqual(await words('run', '--restart', 'un'), ['unless-stopped', ':end']);
  assert.deepEqual(await words('run', '--restart=on'), ['--restart=on-failure', ':end']);
  assert.deepEqual(await words('kill', '-s', 'SIGT'), ['SIGTRAP', 'SIGTERM', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', ':end']);
  assert.deepEqual(await words('run', '--cap-add', 'CAP_NET_A'), ['CAP_NET_ADMIN', ':end']);
  assert.deepEqual(await words('run', '--log-driver', 'j'), ['journald', 'json-file', ':end']);
  assert.deepEqual(await words('run', '--network', 'container:d'), ['container:db', ':end']);
  assert.deepEqual(await words('network', 'connect', 'net1'), ['net10', ':end']);
  assert.deepEqual(await words('network', 'connect', 'net10', 'd'), ['db', ':end']);
  assert.deepEqual(await words('network', 'ls', '-f', 'd'), ['dangling=', 'driver=', ':end']);
  assert.deepEqual(await words('-c', 'de'), ['default', ':end']);
  assert.deepEqual(await words('context', 'use', ''), ['default', ':end']);
  assert.deepEqual(await words('exec', 'web', 'ls', '--'), [':files']);
});
