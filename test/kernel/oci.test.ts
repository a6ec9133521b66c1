// `hoist oci`: runc's command line, on bare bundles, with and without an engine; and as the runtime of Podman.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyNoContainers } from '../machine.ts';
import type { Result, RunOptions } from './program.ts';
import { binary, openWorld, type World } from './world.ts';

const skip = whyNoContainers() ?? false;
const installed = (name: string): boolean => ['/usr/bin', '/usr/sbin'].some((dir) => existsSync(`${dir}/${name}`));

interface Spec {
  process: { args: string[]; terminal: boolean; user: { uid: number; gid: number } };
  hooks?: object;
  annotations?: object;
}

/** A bundle of busybox with the configuration that `spec` makes. */
async function bundle(world: World, name: string, args: string[], change: (spec: Spec) => void = () => {}) {
  const dir = path.join(world.dir, name);
  for (const one of ['bin', 'proc', 'dev', 'sys', 'tmp']) mkdirSync(path.join(dir, 'rootfs', one), { recursive: true });
  cpSync('/bin/busybox', path.join(dir, 'rootfs/bin/busybox'));
  for (const one of ['sh', 'sleep', 'cat', 'true', 'tty'])
    if (!existsSync(path.join(dir, 'rootfs/bin', one))) symlinkSync('busybox', path.join(dir, 'rootfs/bin', one));
  rmSync(path.join(dir, 'config.json'), { force: true });
  assert.equal((await world.hoist(['oci', 'spec', '--bundle', dir])).code, 0);
  const spec = JSON.parse(readFileSync(path.join(dir, 'config.json'), 'utf8')) as Spec;
  spec.process.args = args;
  spec.process.terminal = false;
  change(spec);
  writeFileSync(path.join(dir, 'config.json'), JSON.stringify(spec));
  return dir;
}

const rootOf = (world: World): string => path.join(world.dir, 'oci');
const oci = (world: World, args: string[], options?: RunOptions): Promise<Result> =>
  world.hoist(['oci', '--root', rootOf(world), ...args], options);
/** `create`, whose process keeps the streams that it is given. */
const create = (world: World, ...args: string[]): Promise<Result> =>
  world.program([
    'sh',
    '-c',
    'exec "$@" </dev/null >/dev/null 2>&1',
    'sh',
    binary,
    'oci',
    '--root',
    rootOf(world),
    'create',
    ...args,
  ]);
const statusOf = async (world: World, id: string): Promise<string> =>
  (JSON.parse((await oci(world, ['state', id])).stdout) as { status: string }).status;

for (const [how, env] of [
  ['with an engine', {}],
  ['without one', { HOIST_NO_ENGINE: '1' }],
] as const) {
  describe(`oci ${how}`, { skip }, () => {
    test('create, state, start, exec, kill, delete: each in its turn, and out of turn refused', async () => {
      await using world = await openWorld(env);
      if (how === 'with an engine') await world.ok(['ps']);
      const script = 'trap "exit 9" TERM; echo up > /tmp/up; while :; do sleep 0.1; done';
      const dir = await bundle(world, 'b', ['sh', '-c', script], (spec) => {
        spec.annotations = { who: 'me' };
        Object.assign(spec, { root: { path: 'rootfs', readonly: false } });
      });
      const pidFile = path.join(world.dir, 'pid');
      assert.equal((await create(world, '-b', dir, '--pid-file', pidFile, 'one')).code, 0);
      const state = JSON.parse((await oci(world, ['state', 'one'])).stdout) as Record<string, unknown>;
      assert.equal(state['status'], 'created');
      assert.equal(state['pid'], Number(readFileSync(pidFile, 'utf8')));
      assert.equal(state['bundle'], dir);
      assert.deepEqual(state['annotations'], { who: 'me' });
      assert.equal(existsSync(path.join(dir, 'rootfs/tmp/up')), false);
      assert.match((await oci(world, ['create', '-b', dir, 'one'])).stderr, /container with given ID already exists/);

      assert.equal((await oci(world, ['start', 'one'])).code, 0);
      assert.equal(await statusOf(world, 'one'), 'running');
      assert.match((await oci(world, ['start', 'one'])).stderr, /cannot start an already running container/);
      const exec = await oci(world, ['exec', '-e', 'A=b', '--cwd', '/bin', 'one', 'sh', '-c', 'echo $A $PWD; exit 7']);
      assert.deepEqual([exec.stdout, exec.code], ['b /bin\n', 7]);
      assert.equal((await oci(world, ['exec', 'one', 'cat'], { input: 'given' })).stdout, 'given');
      assert.match((await oci(world, ['exec', 'one', 'nonesuch'])).stderr, /executable file not found in \$PATH/);
      assert.match((await oci(world, ['delete', 'one'])).stderr, /that is not stopped: running/);
      assert.equal((await oci(world, ['list', '-q'])).stdout, 'one\n');
      assert.equal((await oci(world, ['pause', 'one'])).code, 0);
      assert.equal(await statusOf(world, 'one'), 'paused');
      assert.equal((await oci(world, ['resume', 'one'])).code, 0);

      assert.equal((await oci(world, ['kill', 'one', 'TERM'])).code, 0);
      for (let tries = 0; tries < 100 && (await statusOf(world, 'one')) !== 'stopped'; tries++) await sleep(20);
      assert.match((await oci(world, ['kill', 'one'])).stderr, /container not running/);
      assert.equal((await oci(world, ['delete', 'one'])).code, 0);
      assert.match((await oci(world, ['state', 'one'])).stderr, /container does not exist/);
      assert.equal((await oci(world, ['delete', '--force', 'one'])).code, 0);
    });

    test('run: its output, its exit code, nothing left; errors in the log as JSON', async () => {
      await using world = await openWorld(env);
      if (how === 'with an engine') await world.ok(['ps']);
      const dir = await bundle(world, 'b', ['sh', '-c', 'cat; echo err >&2; exit 3']);
      const ran = await oci(world, ['run', '-b', dir, 'r'], { input: 'in' });
      assert.deepEqual([ran.stdout, ran.stderr, ran.code], ['in', 'err\n', 3]);
      assert.equal((await oci(world, ['list', '-q'])).stdout, '');
      await bundle(world, 'b', ['nonesuch']);
      const log = path.join(world.dir, 'log');
      const failed = await oci(world, ['--log', log, '--log-format', 'json', 'create', '-b', dir, 'r']);
      assert.equal(failed.code, 1);
      const line = JSON.parse(readFileSync(log, 'utf8')) as Record<string, string>;
      assert.equal(line['level'], 'error');
      assert.match(line['msg'] ?? '', /exec: "nonesuch": executable file not found in \$PATH/);
      assert.equal(existsSync(path.join(rootOf(world), 'r')), false);
    });
  });
}

describe('oci', { skip }, () => {
  test('the name runc is enough; spec, features and version are what callers read', async () => {
    await using world = await openWorld();
    const runc = path.join(world.dir, 'runc');
    symlinkSync(binary, runc);
    const version = await world.program([runc, '--version']);
    assert.match(version.stdout, /^runc version 1\.2\.\d+\S*\n(.*\n)*spec: 1\.2\.0\n/);
    assert.match(version.stdout, /hoist/);
    const features = JSON.parse((await world.program([runc, 'features'])).stdout) as { ociVersionMax: string };
    assert.equal(features.ociVersionMax, '1.2.0');
    const wrong = await world.program([runc, '--root', rootOf(world), 'create', '--nonesuch', 'x']);
    assert.match(wrong.stderr, /flag provided but not defined: -nonesuch/);
    assert.match((await world.program([runc, 'checkpoint', 'x'])).stderr, /CRIU/);
  });

  test('hooks, in their order, with the state; one that fails undoes the creation', async () => {
    await using world = await openWorld();
    const notes = path.join(world.dir, 'notes');
    const hook = (name: string) => [
      { path: '/bin/sh', args: ['sh', '-c', `echo ${name} $(cat | grep -o '"status":"[a-z]*"') >> ${notes}`] },
    ];
    const outside = ['prestart', 'createRuntime', 'poststart', 'poststop'];
    const inside = { path: '/bin/sh', args: ['sh', '-c', 'cat > /dev/null'] };
    const dir = await bundle(world, 'b', ['true'], (spec) => {
      spec.hooks = { ...Object.fromEntries(outside.map((name) => [name, hook(name)])), startContainer: [inside] };
    });
    assert.equal((await create(world, '-b', dir, 'h')).code, 0);
    assert.equal((await oci(world, ['start', 'h'])).code, 0);
    for (let tries = 0; tries < 100 && (await statusOf(world, 'h')) !== 'stopped'; tries++) await sleep(20);
    assert.equal((await oci(world, ['delete', 'h'])).code, 0);
    const said = readFileSync(notes, 'utf8').trim().split('\n');
    assert.deepEqual(
      said.map((line) => line.split(' ')[0]),
      outside,
    );
    assert.match(said[3] ?? '', /stopped/);
    await bundle(world, 'b', ['true'], (spec) => {
      spec.hooks = { createRuntime: [{ path: '/bin/false' }] };
    });
    assert.equal((await oci(world, ['create', '-b', dir, 'h'])).code, 1);
    assert.equal(existsSync(path.join(rootOf(world), 'h')), false);
  });

  test('two creations of one id: one wins', async () => {
    await using world = await openWorld();
    await world.ok(['ps']);
    const dir = await bundle(world, 'b', ['sleep', '1000']);
    const both = await Promise.all([1, 2, 3].map(() => create(world, '-b', dir, 'same')));
    assert.equal(both.filter(({ code }) => code === 0).length, 1);
    assert.equal((await oci(world, ['delete', '-f', 'same'])).code, 0);
  });

  test('killed at any moment of its creation, delete --force leaves nothing', async () => {
    await using world = await openWorld();
    await world.ok(['ps']);
    const dir = await bundle(world, 'b', ['sleep', '4711']);
    for (const delay of [1, 3, 5, 8, 12, 18, 25, 40]) {
      const child = spawn(binary, ['oci', '--root', rootOf(world), 'create', '-b', dir, 'cut'], {
        env: world.env,
        stdio: 'ignore',
      });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await sleep(delay);
      child.kill('SIGKILL');
      await gone;
      await sleep(30); // an engine that was asked may still be writing
      assert.equal((await oci(world, ['delete', '-f', 'cut'])).code, 0);
      assert.equal(existsSync(path.join(rootOf(world), 'cut')), false);
      assert.equal(existsSync('/sys/fs/cgroup/pids/hoist-oci/cut'), false);
      assert.equal(execFileSync('sh', ['-c', 'pgrep -f "^sleep 471[1]" || true']).toString(), '');
    }
  });

  test('Podman runs containers with it', {
    skip: installed('podman') && installed('conmon') ? false : 'podman and conmon are not installed',
  }, async (t) => {
    await using world = await openWorld();
    const dir = await bundle(world, 'b', ['true']);
    const runc = path.join(world.dir, 'runc');
    symlinkSync(binary, runc);
    const at = (name: string): string => path.join(world.dir, 'podman', name);
    const where = ['--root', at('root'), '--runroot', at('run'), '--tmpdir', at('tmp'), '--storage-driver', 'vfs'];
    const general = [...where, '--cgroup-manager', 'cgroupfs', '--events-backend', 'file', '--runtime', runc];
    const podman = (...args: string[]): Promise<Result> => world.program(['podman', ...general, ...args]);
    execFileSync('tar', ['-C', path.join(dir, 'rootfs'), '-cf', path.join(world.dir, 'image.tar'), '.']);
    const imported = await podman('import', path.join(world.dir, 'image.tar'), 'bb:1');
    if (imported.code !== 0) return t.skip(`podman cannot import an image here: ${imported.stderr}`);
    const limits = ['--network', 'none', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=9999:9999'];
    const ran = await podman('run', '--rm', ...limits, 'bb:1', 'sh', '-c', 'echo hello; exit 42');
    assert.deepEqual([ran.stdout, ran.code], ['hello\n', 42], ran.stderr);
    assert.equal((await podman('run', '--rm', ...limits, 'bb:1', 'nonesuch')).code, 127);
    assert.equal((await podman('run', '-d', '--name', 'stays', ...limits, 'bb:1', 'sleep', '1000')).code, 0);
    const exec = await podman('exec', 'stays', 'sh', '-c', 'echo in; exit 5');
    assert.deepEqual([exec.stdout, exec.code], ['in\n', 5]);
    assert.equal((await podman('rm', '-f', '-t', '0', 'stays')).code, 0);
  });
});
