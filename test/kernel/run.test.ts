// The main job: a container runs, says what it has to say, and its exit code is the command's.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { busybox, eventually, inWorld, type World } from './world.ts';

/** What the engine keeps of containers: data, sockets, cgroups, mounts, links. */
function traces(world: World): string[] {
  const listed = (dir: string): string[] => (existsSync(dir) ? readdirSync(dir) : []);
  return [
    ...listed(path.join(world.root, 'containers')),
    ...listed(path.join(world.runRoot, 'c')),
    ...readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${world.dir}/`) && line.includes('overlay')),
  ];
}

function cgroupsOf(id: string): string[] {
  const controllers = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => / cgroup2? /.test(line));
  return controllers.map((line) => `${line.split(' ')[1]}/hoist/${id}`).filter((dir) => existsSync(dir));
}

inWorld('run', { prepare: busybox }, (check) => {
  check('the exit code of the program is that of the command', async (world) => {
    for (const code of [0, 1, 3, 125, 126, 127, 255]) {
      const result = await world.hoist(['run', '--rm', 'busybox', 'sh', '-c', `exit ${code}`]);
      assert.deepEqual([result.code, result.stdout, result.stderr], [code, '', '']);
    }
  });

  check('128 and the number of the signal that ended the program', async (world) => {
    for (const [name, code] of [
      ['KILL', 137],
      ['TERM', 143],
      ['SEGV', 139],
    ] as const) {
      // pid 1 is deaf to signals that it has no handler for, but not in a namespace of its parent: a child of --init
      const result = await world.hoist(['run', '--rm', '--init', 'busybox', 'sh', '-c', `kill -${name} $$`]);
      assert.equal(result.code, code, name);
    }
    const name = 'killed';
    await world.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '100']);
    await world.ok(['kill', name]);
    assert.equal(await world.ok(['wait', name]), '137');
    await world.ok(['rm', name]);
  });

  check('125: the engine refuses; 126: it cannot be invoked; 127: it is not there', async (world) => {
    const cases: [args: string[], code: number, words: RegExp][] = [
      [['run', '--rm', '--no-such-flag', 'busybox'], 125, /unknown flag: --no-such-flag/],
      [['run', '--rm', '-m', '1k', 'busybox', 'true'], 125, /Minimum memory limit allowed is 6MB/],
      [['run', '--rm', '-u', 'nobody-here', 'busybox', 'true'], 125, /unable to find user nobody-here/],
      [['run', '--rm', 'busybox', '/etc'], 126, /\/etc.*permission denied|is a directory/i],
      [['run', '--rm', 'busybox', '/etc/passwd'], 126, /permission denied/i],
      [['run', '--rm', 'busybox', 'no-such-command'], 127, /no-such-command.*not found/i],
      [['run', '--rm', 'busybox', '/no/such/path'], 127, /no such file or directory/i],
      [['run', '--rm', '-d', 'busybox', 'no-such-command'], 127, /no-such-command.*not found/i],
    ];
    for (const [args, code, words] of cases) {
      const result = await world.hoist(args);
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
      assert.equal(result.stdout, '');
      assert.match(result.stderr, words);
    }
    await eventually('nothing left of containers that never ran', () => traces(world).length === 0);
  });

  check('--rm leaves nothing; without it everything stays until rm', async (world) => {
    await world.ok(['run', '--rm', '--name', 'gone', 'busybox', 'touch', '/file']);
    await eventually('traces of the container are gone', () => traces(world).length === 0);
    const id = await world.ok(['run', '-d', '--name', 'kept', 'busybox', 'sh', '-c', 'echo kept >/file']);
    assert.equal(await world.ok(['wait', 'kept']), '0');
    assert.deepEqual(cgroupsOf(id), [], 'a container that does not run has no cgroup');
    await world.ok(['start', 'kept']);
    await world.ok(['wait', 'kept']);
    assert.equal(readFileSync(path.join(world.root, 'containers', id, 'upper/file'), 'utf8'), 'kept\n');
    assert.equal(await world.ok(['rm', 'kept']), 'kept');
    await eventually('traces of the container are gone', () => traces(world).length === 0);
  });

  check('names: given, made up, taken, refused; found by prefixes of the id', async (world) => {
    const id = await world.ok(['create', '--name', 'first', 'busybox', 'true']);
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal((await world.hoist(['create', '--name', 'first', 'busybox'])).code, 1);
    const taken = await world.hoist(['run', '--rm', '--name', 'first', 'busybox', 'true']);
    assert.equal(taken.code, 125);
    assert.match(taken.stderr, /Conflict\. The container name "\/first" is already in use by container/);
    assert.equal((await world.hoist(['create', '--name', '-x y', 'busybox'])).code, 1);
    assert.equal((await world.inspect(id.slice(0, 4))).Id, id);
    const other = await world.ok(['create', 'busybox', 'true']);
    assert.match((await world.inspect(other)).Name, /^\/[a-z]+_[a-z]+/);
    const ambiguous = await world.hoist(['inspect', '--type', 'container', '']);
    assert.notEqual(ambiguous.code, 0);
    const unknown = await world.hoist(['start', 'nobody']);
    assert.deepEqual([unknown.code, /No such container: nobody/.test(unknown.stderr)], [1, true]);
    await world.ok(['rm', id.slice(0, 12), other.slice(0, 12)]);
  });

  check('two of one name at once: one gets it', async (world) => {
    const results = await Promise.all([1, 2, 3].map(() => world.hoist(['create', '--name', 'one', 'busybox'])));
    assert.deepEqual(results.map(({ code }) => code).sort(), [0, 1, 1]);
    await world.ok(['rm', 'one']);
  });

  check('start -a, restart, stop with its timeout, and the times and codes they leave', async (world) => {
    await world.ok(['create', '--name', 'again', 'busybox', 'sh', '-c', 'echo run; exit 7']);
    const first = await world.hoist(['start', '-a', 'again']);
    assert.deepEqual([first.code, first.stdout], [7, 'run\n']);
    const second = await world.hoist(['start', '-a', 'again']);
    assert.deepEqual([second.code, second.stdout], [7, 'run\n']);
    assert.equal(await world.ok(['logs', 'again']), 'run\nrun');
    const { State } = await world.inspect('again');
    assert.deepEqual([State.Status, State.ExitCode, State.Running], ['exited', 7, false]);
    assert.ok(State.FinishedAt >= State.StartedAt);
    await world.ok(['rm', 'again']);

    await world.ok(['run', '-d', '--name', 'deaf', 'busybox', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']);
    const before = Date.now();
    await world.ok(['stop', '-t', '1', 'deaf']);
    assert.ok(Date.now() - before >= 1000);
    assert.equal((await world.inspect('deaf')).State.ExitCode, 137);
    const { Pid } = (await world.ok(['start', 'deaf']).then(() => world.inspect('deaf'))).State;
    await world.ok(['restart', '-t', '0', 'deaf']);
    assert.notEqual((await world.inspect('deaf')).State.Pid, Pid);
    const refused = await world.hoist(['rm', 'deaf']);
    assert.deepEqual([refused.code, /container is running/.test(refused.stderr)], [1, true]);
    await world.ok(['rm', '-f', 'deaf']);
  });

  check('--stop-signal and --stop-timeout are what stop uses', async (world) => {
    const script = 'trap "exit 42" USR1; trap "" TERM; echo ready; while :; do sleep 0.05; done';
    await world.ok([
      'run',
      '-d',
      '--name',
      'usr',
      '--stop-signal',
      'SIGUSR1',
      '--stop-timeout',
      '30',
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    await eventually('the trap is set', async () => (await world.ok(['logs', 'usr'])) === 'ready');
    await world.ok(['stop', 'usr']);
    assert.equal((await world.inspect('usr')).State.ExitCode, 42);
    await world.ok(['rm', 'usr']);
  });

  check('exec: output, code, environment, user, directory, 126 and 127', async (world) => {
    await world.ok(['run', '-d', '--name', 'host', '-e', 'A=1', '-w', '/tmp', 'busybox', 'sleep', '100']);
    const inside = (args: string[]) => world.hoist(['exec', ...args]);
    assert.equal((await inside(['host', 'sh', '-c', 'echo out; echo err >&2; exit 9'])).code, 9);
    assert.equal((await inside(['-e', 'B=2', 'host', 'sh', '-c', 'echo $A$B $PWD'])).stdout, '12 /tmp\n');
    assert.equal(
      (await inside(['-u', '5:6', '-w', '/etc', 'host', 'sh', '-c', 'echo $(id -u):$(id -g) $PWD'])).stdout,
      '5:6 /etc\n',
    );
    assert.deepEqual([(await inside(['host', 'nope'])).code, (await inside(['host', '/etc'])).code], [127, 126]);
    assert.equal((await world.hoist(['exec', '-i', 'host', 'cat'], { input: 'fed' })).stdout, 'fed');
    const detached = await inside(['-d', 'host', 'sh', '-c', 'echo $$ >/tmp/detached']);
    assert.deepEqual([detached.code, detached.stdout], [0, '']);
    await eventually(
      'the detached program ran',
      async () => (await inside(['host', 'cat', '/tmp/detached'])).code === 0,
    );
    await world.ok(['rm', '-f', 'host']);
    assert.equal((await inside(['host', 'true'])).code, 1);
  });

  check('exec dies with its container', async (world) => {
    await world.ok(['run', '-d', '--name', 'short', 'busybox', 'sleep', '100']);
    const exec = world.startHoist(['exec', 'short', 'sh', '-c', 'echo here; sleep 100']);
    await exec.until(/here/);
    await world.ok(['kill', 'short']);
    assert.equal((await exec.ended).code, 137);
    await world.ok(['wait', 'short']);
    await world.ok(['rm', 'short']);
  });

  check('--cidfile, written once', async (world) => {
    const file = path.join(world.dir, 'cid');
    const id = await world.ok(['run', '-d', '--rm', '--cidfile', file, 'busybox', 'true']);
    assert.equal(readFileSync(file, 'utf8'), id);
    const again = await world.hoist(['run', '--rm', '--cidfile', file, 'busybox', 'true']);
    assert.deepEqual([again.code, /container ID file found/.test(again.stderr)], [125, true]);
  });

  check('twenty at once, and as many removed at once', async (world) => {
    const names = Array.from({ length: 20 }, (_, i) => `many${i}`);
    await Promise.all(names.map((name) => world.ok(['run', '-d', '--name', name, 'busybox', 'sleep', '100'])));
    const ids = (await world.ok(['ps', '-q', '--no-trunc'])).split('\n');
    assert.equal(ids.length, 20);
    assert.equal((await world.ok(['rm', '-f', ...names])).split('\n').length, 20);
    await eventually(
      'traces are gone',
      () => traces(world).length === 0 && ids.every((id) => cgroupsOf(id).length === 0),
    );
  });

  check('ps: what runs, what did, filters and formats', async (world) => {
    await world.ok(['run', '-d', '--name', 'up', '-l', 'tier=web', 'busybox', 'sleep', '100']);
    await world.ok(['run', '--name', 'down', 'busybox', 'true']);
    assert.equal(await world.ok(['ps', '--format', '{{.Names}}']), 'up');
    assert.equal(
      await world.ok(['ps', '-a', '--format', '{{.Names}}|{{.Image}}|{{.Command}}']),
      'down|busybox|"true"\nup|busybox|"sleep 100"',
    );
    assert.equal(await world.ok(['ps', '-a', '-f', 'status=exited', '--format', '{{.Names}}']), 'down');
    assert.equal(await world.ok(['ps', '-f', 'label=tier=web', '--format', '{{.Names}} {{.Label "tier"}}']), 'up web');
    assert.match(await world.ok(['ps', '-a']), /down.*\n?|Exited \(0\)/);
    await world.ok(['rm', '-f', 'up', 'down']);
  });

  check('explain prints the plan and runs nothing', async (world) => {
    writeFileSync(path.join(world.dir, 'marker'), '');
    const text = await world.ok([
      'explain',
      'run',
      '--rm',
      '-v',
      `${world.dir}:/host`,
      'busybox',
      'rm',
      '/host/marker',
    ]);
    assert.match(text, /pivotRoot|pivot/);
    assert.ok(existsSync(path.join(world.dir, 'marker')));
    assert.equal(await world.ok(['ps', '-aq']), '');
  });
});
