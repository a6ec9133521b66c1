// The real docker client against docker.sock: what its users do all day.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Result, RunOptions } from '../kernel/program.ts';
import { busybox, eventually, inWorld, type World } from '../kernel/world.ts';

const socketOf = (world: World): Readonly<Record<string, string>> => ({
  DOCKER_HOST: `unix://${world.runRoot}/docker.sock`,
});

const docker = (world: World, args: readonly string[], options: RunOptions = {}): Promise<Result> =>
  world.program(['docker', ...args], { ...options, env: { ...socketOf(world), ...options.env } });

/** It must succeed; stdout without its last newline. */
async function ok(world: World, ...args: readonly string[]): Promise<string> {
  const result = await docker(world, args);
  assert.equal(result.code, 0, `docker ${args.join(' ')} -> ${result.code}\n${result.stderr}${result.stdout}`);
  return result.stdout.replace(/\n$/, '');
}

async function refused(world: World, code: number, pattern: RegExp, ...args: readonly string[]): Promise<void> {
  const result = await docker(world, args);
  assert.equal(result.code, code, `docker ${args.join(' ')}\n${result.stdout}${result.stderr}`);
  assert.match(result.stderr, pattern);
}

/** In a terminal: util-linux's script gives the client one. */
async function inTerminal(world: World, command: string, input = ''): Promise<Result> {
  const running = world.start(['script', '-qec', command, '/dev/null'], { env: socketOf(world) });
  if (input !== '') {
    await running.until(/#|\$/);
    running.send(input);
  }
  return running.ended;
}

async function serve(world: World): Promise<void> {
  await world.ok(['engine', 'start']);
  await busybox(world);
}

inWorld('the docker client', { prepare: serve, needs: ['docker', 'script'] }, (check) => {
  check('version, info, context', async (world) => {
    assert.match(await ok(world, 'version'), /Server:[\s\S]*API version: +1\.51/);
    assert.match(await ok(world, 'info'), /Server Version:/);
    assert.equal((await docker(world, ['info'])).stderr, '');
    assert.equal(await ok(world, 'info', '-f', '{{.OSType}}'), 'linux');
  });

  check('run: output, exit codes, stdin, a terminal, detach, wait', async (world) => {
    assert.equal(await ok(world, 'run', '--rm', 'busybox', 'echo', 'hi'), 'hi');
    assert.equal((await docker(world, ['run', '--rm', 'busybox', 'sh', '-c', 'exit 42'])).code, 42);
    assert.equal((await docker(world, ['run', '--rm', 'busybox', 'nothing'])).code, 127);
    assert.equal((await docker(world, ['run', '--rm', 'busybox', '/etc'])).code, 126);
    assert.equal((await docker(world, ['run', '--rm', 'no-such-image-here:1'], { timeout: 60 })).code, 125);
    const piped = await docker(world, ['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; echo end >&2'], {
      input: 'through\n',
    });
    assert.deepEqual([piped.stdout, piped.stderr], ['through\n', 'end\n']);
    const terminal = await inTerminal(world, "docker run --rm -it busybox sh -c 'test -t 0 && echo yes; exit 3'");
    assert.match(terminal.stdout, /yes/);
    assert.equal(terminal.code, 3);
    const typed = await inTerminal(world, 'docker run --rm -it busybox sh', 'echo $((6*7)); exit 5\n');
    assert.match(typed.stdout, /42/);
    assert.equal(typed.code, 5);
    const id = await ok(world, 'run', '-d', '--name', 'later', 'busybox', 'sh', '-c', 'sleep 0.5; exit 6');
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(await ok(world, 'wait', 'later'), '6');
    await ok(world, 'rm', 'later');
  });

  check('a megabyte through run -i and back, untouched', async (world) => {
    const bytes = Buffer.alloc(1 << 20, 'the quick brown fox ');
    const back = await docker(world, ['run', '--rm', '-i', 'busybox', 'cat'], { input: bytes });
    assert.ok(back.bytes.equals(bytes), `${back.bytes.length} bytes came back`);
  });

  check('signals and Ctrl-C reach the container', async (world) => {
    const running = world.start(
      [
        'docker',
        'run',
        '--rm',
        'busybox',
        'sh',
        '-c',
        'trap "echo got; exit 9" TERM; echo on; while :; do sleep 0.1; done',
      ],
      { env: socketOf(world) },
    );
    await running.until(/on/);
    running.child.kill('SIGTERM');
    const { code, stdout } = await running.ended;
    assert.deepEqual([code, stdout], [9, 'on\ngot\n']);
  });

  check('ps, inspect, logs, exec, top, stats, port, rename, pause, update, restart, stop, kill, rm', async (world) => {
    await ok(
      world,
      'run',
      '-d',
      '--name',
      'box',
      '-p',
      '127.0.0.1::80',
      '-l',
      'k=v',
      '--health-cmd',
      'true',
      '--health-interval',
      '200ms',
      'busybox',
      'sh',
      '-c',
      'echo log line; busybox httpd -f -p 80',
    );
    assert.match(await ok(world, 'ps'), /box$/m);
    assert.match(await ok(world, 'ps', '--format', '{{.Ports}}'), /127\.0\.0\.1:\d+->80\/tcp/);
    assert.equal(
      await ok(world, 'ps', '-q', '--filter', 'label=k=v', '--filter', 'status=running'),
      (await ok(world, 'inspect', '-f', '{{.Id}}', 'box')).slice(0, 12),
    );
    await eventually('logs', async () => (await ok(world, 'logs', 'box')) === 'log line');
    await eventually('healthy', async () => (await ok(world, 'ps')).includes('(healthy)'));
    assert.equal(await ok(world, 'exec', '-e', 'A=b', 'box', 'sh', '-c', 'echo $A'), 'b');
    assert.equal((await docker(world, ['exec', 'box', 'sh', '-c', 'exit 8'])).code, 8);
    assert.match((await inTerminal(world, 'docker exec -it box sh', 'tty; exit\n')).stdout, /\/dev\/pts/);
    assert.match(await ok(world, 'top', 'box'), /httpd/);
    assert.match(
      await ok(world, 'stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}', 'box'),
      /box .*iB \/ .*iB/,
    );
    assert.match(await ok(world, 'port', 'box'), /^80\/tcp -> 127\.0\.0\.1:\d+$/);
    await ok(world, 'update', '--memory', '64m', '--memory-swap', '128m', '--restart', 'on-failure:3', 'box');
    assert.equal(
      await ok(world, 'inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}', 'box'),
      `${64 << 20} on-failure`,
    );
    await ok(world, 'rename', 'box', 'boxed');
    await ok(world, 'pause', 'boxed');
    assert.match(await ok(world, 'ps'), /Paused/);
    await refused(world, 1, /is paused/, 'exec', 'boxed', 'true');
    await ok(world, 'unpause', 'boxed');
    await ok(world, 'restart', '-t', '1', 'boxed');
    await ok(world, 'stop', '-t', '1', 'boxed');
    assert.match(await ok(world, 'ps', '-a', '--filter', 'name=boxed'), /Exited \(137\)|Exited \(143\)/);
    await ok(world, 'start', 'boxed');
    await ok(world, 'kill', '-s', 'KILL', 'boxed');
    await ok(world, 'wait', 'boxed');
    await ok(world, 'rm', 'boxed');
    await refused(world, 1, /No such container: boxed/, 'rm', 'boxed');
  });

  check('files: cp both ways, diff, export, commit', async (world) => {
    await ok(world, 'run', '-d', '--name', 'files', 'busybox', 'sleep', '100');
    const local = path.join(world.dir, 'local');
    mkdirSync(path.join(local, 'deep'), { recursive: true });
    writeFileSync(path.join(local, 'deep/one'), '1');
    await ok(world, 'cp', local, 'files:/copied');
    assert.equal(await ok(world, 'exec', 'files', 'cat', '/copied/deep/one'), '1');
    await ok(world, 'cp', 'files:/copied/deep/one', path.join(world.dir, 'back'));
    assert.equal(readFileSync(path.join(world.dir, 'back'), 'utf8'), '1');
    assert.match(await ok(world, 'diff', 'files'), /^A \/copied\/deep\/one$/m);
    await ok(world, 'export', '-o', path.join(world.dir, 'root.tar'), 'files');
    assert.match(
      (await world.program(['tar', '-tf', path.join(world.dir, 'root.tar')])).stdout,
      /^copied\/deep\/one$/m,
    );
    await ok(world, 'commit', '-m', 'copied', '-c', 'CMD ["cat","/copied/deep/one"]', 'files', 'committed:1');
    assert.equal(await ok(world, 'run', '--rm', 'committed:1'), '1');
    assert.match(await ok(world, 'history', 'committed:1'), /copied/);
    await ok(world, 'rm', '-f', 'files');
    await ok(world, 'rmi', 'committed:1');
  });

  check('images: ls, tag, save, load, import, rmi, prune', async (world) => {
    assert.match(await ok(world, 'images'), /^busybox +latest/m);
    await ok(world, 'tag', 'busybox', 'mine:1');
    const archive = path.join(world.dir, 'mine.tar');
    await ok(world, 'save', '-o', archive, 'mine:1');
    assert.match(await ok(world, 'rmi', 'mine:1'), /Untagged: mine:1/);
    assert.match(await ok(world, 'load', '-i', archive), /Loaded image: mine:1/);
    assert.equal(
      await ok(world, 'image', 'inspect', '-f', '{{.Id}}', 'mine:1'),
      await ok(world, 'image', 'inspect', '-f', '{{.Id}}', 'busybox'),
    );
    await ok(world, 'rmi', 'mine:1');
    await ok(world, 'image', 'prune', '-f');
    await refused(world, 1, /No such image: mine:1/, 'rmi', 'mine:1');
  });

  check('networks: create, names, connect, inspect, rm', async (world) => {
    await ok(world, 'network', 'create', '--subnet', '10.99.0.0/24', 'net');
    await ok(
      world,
      'run',
      '-d',
      '--name',
      'server',
      '--network',
      'net',
      '--network-alias',
      'srv',
      'busybox',
      'sleep',
      '100',
    );
    assert.match(
      await ok(world, 'run', '--rm', '--network', 'net', 'busybox', 'ping', '-c', '1', 'srv'),
      /10\.99\.0\.2/,
    );
    await ok(world, 'network', 'create', 'second');
    await ok(world, 'network', 'connect', '--alias', 'also', 'second', 'server');
    assert.match(
      await ok(world, 'run', '--rm', '--network', 'second', 'busybox', 'ping', '-c', '1', 'also'),
      /1 packets received/,
    );
    assert.equal(
      await ok(world, 'network', 'inspect', '-f', '{{range .Containers}}{{.Name}}{{end}}', 'second'),
      'server',
    );
    await refused(world, 1, /has active endpoints/, 'network', 'rm', 'net');
    await ok(world, 'network', 'disconnect', 'second', 'server');
    await ok(world, 'rm', '-f', 'server');
    await ok(world, 'network', 'rm', 'net', 'second');
  });

  check('volumes: create, content, ls, prune, rm', async (world) => {
    await ok(world, 'volume', 'create', '--label', 'a=b', 'vol');
    await ok(world, 'run', '--rm', '-v', 'vol:/v', 'busybox', 'sh', '-c', 'echo kept > /v/f');
    assert.equal(
      await ok(world, 'run', '--rm', '--mount', 'type=volume,src=vol,dst=/v,ro', 'busybox', 'cat', '/v/f'),
      'kept',
    );
    assert.match(await ok(world, 'volume', 'ls', '--filter', 'label=a=b'), /local +vol/);
    await ok(world, 'create', '--name', 'user', '-v', 'vol:/v', 'busybox');
    await refused(world, 1, /volume is in use/, 'volume', 'rm', 'vol');
    await ok(world, 'rm', 'user');
    await ok(world, 'volume', 'rm', 'vol');
    await ok(world, 'volume', 'prune', '-f');
  });

  check('system: events, df, prune', async (world) => {
    const since = String(Date.now() / 1000);
    await ok(world, 'run', '--rm', '--name', 'seen', 'busybox', 'true');
    const events = await ok(
      world,
      'events',
      '--since',
      since,
      '--until',
      String(Date.now() / 1000 + 1),
      '--filter',
      'container=seen',
      '--format',
      '{{.Action}}',
    );
    assert.deepEqual(events.split('\n'), ['create', 'attach', 'start', 'die', 'destroy']);
    assert.match(await ok(world, 'system', 'df'), /^Images /m);
    assert.match(await ok(world, 'system', 'df', '-v'), /busybox/);
    await ok(world, 'create', '--name', 'old', 'busybox');
    assert.match(await ok(world, 'system', 'prune', '-f'), /Total reclaimed space/);
    assert.equal(await ok(world, 'ps', '-aq'), '');
  });

  check('what is not there is refused in a sentence', async (world) => {
    await refused(world, 1, /not a swarm manager/, 'node', 'ls');
    await refused(world, 1, /No such object: nobody/, 'inspect', 'nobody');
    assert.match(await ok(world, 'plugin', 'ls'), /^ID +NAME/);
  });
});
