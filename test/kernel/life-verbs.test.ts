// Verbs that look at a container or change it while it is there: rename, update, top, stats, prune, wait, health checks.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStats } from '../../src/spec/docker/system.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

/** The real client, over the API's socket. */
async function docker(world: World, args: readonly string[]): Promise<string> {
  const result = await world.program(['docker', '-H', `unix://${world.runRoot}/docker.sock`, ...args]);
  assert.equal(result.code, 0, `docker ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trimEnd();
}

async function api(world: World, path: string): Promise<unknown> {
  const socket = `${world.runRoot}/docker.sock`;
  const result = await world.program(['curl', '-s', '--unix-socket', socket, `http://hoist/v1.51${path}`]);
  return JSON.parse(result.stdout);
}

/** A file of a container's cgroup: [controller and name on v1, name on v2]. */
function cgroupFile(id: string, v1: readonly [string, string], v2: string): string {
  for (const [controller, name] of [v1, ['unified', v2], ['', v2]] as const) {
    const file = `/sys/fs/cgroup/${controller}/hoist/${id}/${name}`.replaceAll('//', '/');
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  }
  return '';
}

interface HealthDocument {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[];
}

async function health(world: World, name: string): Promise<HealthDocument> {
  const { State } = (await api(world, `/containers/${name}/json`)) as { State: { Health: HealthDocument } };
  return State.Health;
}

const healthy = ['--health-interval', '200ms', '--health-retries', '2'];

inWorld('verbs of a life', { prepare: busybox, needs: ['curl', 'docker'] }, (check) => {
  check('rename: found by the new name alone; taken, empty and bad names are refused', async (world) => {
    await world.ok(['run', '-d', '--name', 'before', 'busybox', 'sleep', '100']);
    await world.ok(['create', '--name', 'other', 'busybox', 'true']);
    await world.ok(['rename', 'before', 'after']);
    assert.equal((await world.inspect('after')).Name, '/after');
    assert.equal((await world.hoist(['inspect', 'before'])).code, 1);
    for (const [name, words] of [
      ['after', /Renaming a container with the same name as its current name/],
      [
        'other',
        /Error when allocating new name: Conflict. The container name "\/other" is already in use by container/,
      ],
      ['a b', /Error when allocating new name: Invalid container name \(\/a b\)/],
    ] as const)
      assert.match((await world.hoist(['rename', 'after', name])).stderr, words);
    process.kill(await world.enginePid(), 'SIGKILL');
    await eventually('it keeps its name', async () => (await world.hoist(['inspect', 'after'])).code === 0);
    await world.ok(['create', '--name', 'before', 'busybox', 'true']); // free again
    await world.ok(['rm', '-f', 'after', 'before', 'other']);
  });

  check('update: limits of what runs, kept for the next start; conflicts in words', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'limited', '-m', '64m', 'busybox', 'sleep', '100']);
    const memory = () => cgroupFile(id, ['memory', 'memory.limit_in_bytes'], 'memory.max');
    assert.equal(memory(), String(64 << 20));
    await world.ok(['update', '-m', '256m', '--memory-swap', '512m', 'limited']); // grows
    assert.equal(memory(), String(256 << 20));
    await world.ok(['update', '-m', '32m', '--memory-swap', '64m', 'limited']); // shrinks
    assert.equal(memory(), String(32 << 20));
    await world.ok(['update', '--pids-limit', '20', '--cpus', '0.5', '--cpuset-cpus', '0', 'limited']);
    assert.equal(cgroupFile(id, ['pids', 'pids.max'], 'pids.max'), '20');
    assert.equal(cgroupFile(id, ['cpu', 'cpu.cfs_quota_us'], 'cpu.max').split(' ')[0], '50000');
    const inside = await world.ok(['exec', 'limited', 'cat', '/proc/1/status']);
    assert.match(inside, /Cpus_allowed_list:\s+0$/m);
    for (const [args, words] of [
      [['-m', '512m'], /Memory limit should be smaller than already set memoryswap limit, update the memoryswap at/],
      [['--cpu-quota', '5000'], /Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set/],
      [['-m', '1m'], /Minimum memory limit allowed is 6MB/],
      [['--cpuset-cpus', '777'], /Requested CPUs are not available/],
    ] as const) {
      const result = await world.hoist(['update', ...args, 'limited']);
      assert.equal(result.code, 1);
      assert.match(result.stderr, words);
    }
    await world.ok(['stop', '-t', '0', 'limited']);
    assert.equal(cgroupFile(id, ['cpuset', 'cpuset.cpus'], 'cpuset.cpus'), '', 'no group is left');
    await world.ok(['start', 'limited']);
    assert.equal(memory(), String(32 << 20));
    await world.ok(['rm', '-f', 'limited']);
  });

  check('update --restart: the policy of the next end', async (world) => {
    await world.ok([
      'run',
      '-d',
      '--name',
      'later',
      'busybox',
      'sh',
      '-c',
      'trap "exit 1" USR1; while :; do sleep 0.05; done',
    ]);
    await world.ok(['update', '--restart', 'on-failure:1', 'later']);
    const { Pid } = (await world.inspect('later')).State;
    process.kill(Pid, 'SIGUSR1');
    await eventually('it is started again', async () => {
      const { State, RestartCount } = await world.inspect('later');
      return RestartCount === 1 && State.Running && State.Pid !== Pid && State.Pid !== 0;
    });
    await world.ok(['rm', '-f', 'later']);
    await world.ok(['run', '-d', '--rm', '--name', 'gone', 'busybox', 'sleep', '100']);
    const refused = await world.hoist(['update', '--restart', 'always', 'gone']);
    assert.match(refused.stderr, /Restart policy cannot be updated because AutoRemove is enabled for the container/);
    await world.ok(['rm', '-f', 'gone']);
  });

  check('top: rows of this container alone, with the columns that ps was asked for', async (world) => {
    await world.ok(['run', '-d', '--name', 'busy', 'busybox', 'sh', '-c', 'sleep 100 & sleep 101']);
    await world.ok(['run', '-d', '--name', 'else', 'busybox', 'sleep', '102']);
    const rows = (await world.ok(['top', 'busy'])).split('\n');
    assert.match(rows[0] ?? '', /UID\s+PID\s+PPID.*CMD/);
    assert.equal(rows.length, 3);
    assert.ok(rows.some((row) => row.includes('sleep 101')) && !rows.some((row) => row.includes('sleep 102')));
    assert.match(await world.ok(['top', 'else', '-o', 'pid,comm']), /^PID\s+COMMAND\n\d+\s+sleep$/);
    assert.match((await world.hoist(['top', 'else', '-o', 'comm'])).stderr, /Couldn't find PID field in ps output/);
    assert.match((await world.hoist(['top', 'else', '--nonsense'])).stderr, /unknown gnu long option/);
    await world.ok(['stop', '-t', '0', 'else']);
    assert.match((await world.hoist(['top', 'else'])).stderr, /container [0-9a-f]{64} is not running/);
    await world.ok(['rm', '-f', 'busy', 'else']);
  });

  check('stats: what it uses now, and a second before', async (world) => {
    const spin = 'dd if=/dev/zero of=/dev/null bs=1M';
    await world.ok(['run', '-d', '--name', 'spins', '-m', '64m', '--pids-limit', '9', 'busybox', 'sh', '-c', spin]);
    const stats = (await api(world, '/containers/spins/stats?stream=false')) as ContainerStats;
    const { cpu_stats: now, precpu_stats: before, memory_stats: memory, pids_stats: pids, networks } = stats;
    const used = ({ cpu_stats }: Pick<ContainerStats, 'cpu_stats'>): number => cpu_stats.cpu_usage.total_usage;
    assert.ok(used(stats) - before.cpu_usage.total_usage > 1e7, 'it spins');
    assert.ok((now.system_cpu_usage ?? 0) > (before.system_cpu_usage ?? 0) && (now.online_cpus ?? 0) >= 1);
    assert.equal(memory.limit, 64 << 20);
    assert.ok((memory.usage ?? 0) > 0 && (memory.stats?.['pgfault'] ?? 0) > 0);
    assert.deepEqual([(pids.current ?? 0) >= 1, pids.limit], [true, 9]);
    assert.ok(networks?.['eth0'] !== undefined);
    const once = (await api(world, '/containers/spins/stats?stream=false&one-shot=true')) as ContainerStats;
    assert.equal(once.precpu_stats.cpu_usage.total_usage, 0);
    await world.ok(['stop', '-t', '0', 'spins']);
    const still = (await api(world, '/containers/spins/stats?stream=false')) as ContainerStats;
    assert.deepEqual([still.read, used(still)], ['0001-01-01T00:00:00Z', 0]);
    await world.ok(['rm', 'spins']);
  });

  check('container prune: what does not run, by label and age', async (world) => {
    await world.ok(['run', '-d', '--name', 'runs', 'busybox', 'sleep', '100']);
    await world.ok(['create', '--name', 'old', '-l', 'keep', 'busybox', 'true']);
    await world.ok(['create', '--name', 'rest', 'busybox', 'true']);
    await world.ok(['container', 'prune', '-f', '--filter', 'until=1h']);
    await world.ok(['container', 'prune', '-f', '--filter', 'label!=keep']);
    assert.deepEqual((await world.ok(['ps', '-a', '--format', '{{.Names}}'])).split('\n').sort(), ['old', 'runs']);
    const all = await world.ok(['container', 'prune', '-f']);
    assert.match(all, /Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B/);
    await world.ok(['rm', '-f', 'runs']);
  });

  check('health: starting, healthy, unhealthy, and only changes are told', async (world) => {
    const probe = 'test -e /tmp/well && echo fine || { echo ill; exit 7; }';
    await docker(world, ['run', '-d', '--name', 'sick', '--health-cmd', probe, ...healthy, 'busybox', 'sleep', '100']);
    assert.equal((await health(world, 'sick')).Status, 'starting');
    assert.match(await world.ok(['ps', '--format', '{{.Status}}']), /\(health: starting\)$/);
    await eventually('it is unhealthy', async () => (await health(world, 'sick')).Status === 'unhealthy');
    const ill = await health(world, 'sick');
    assert.ok(ill.FailingStreak >= 2);
    assert.deepEqual([ill.Log[0]?.ExitCode, ill.Log[0]?.Output], [7, 'ill\n']);
    await world.ok(['exec', 'sick', 'touch', '/tmp/well']);
    await eventually('it is healthy', async () => (await health(world, 'sick')).Status === 'healthy');
    assert.equal(await world.ok(['ps', '-q', '--filter', 'health=unhealthy']), '');
    assert.match(await world.ok(['ps', '--filter', 'health=healthy', '--format', '{{.Status}}']), /\(healthy\)$/);
    await eventually('five results are kept', async () => {
      const { Log } = await health(world, 'sick');
      return Log.length === 5 && Log.every(({ ExitCode }) => ExitCode === 0);
    });
    const told = await world.ok(['events', '--since', '60s', '--until', '0s', '--filter', 'event=health_status']);
    assert.deepEqual(
      told.split('\n').map((line) => /health_status: (\w+)/.exec(line)?.[1]),
      ['unhealthy', 'healthy'],
    );
    await world.ok(['exec', 'sick', 'rm', '/tmp/well']);
    process.kill(await world.enginePid(), 'SIGKILL');
    await eventually('an engine answers', async () => (await world.hoist(['ps'])).code === 0);
    await eventually('it goes on', async () => (await health(world, 'sick')).Status === 'unhealthy');
    await world.ok(['stop', '-t', '0', 'sick']);
    await sleep(500);
    assert.equal((await health(world, 'sick')).Status, 'unhealthy');
    await world.ok(['rm', 'sick']);
  });

  check('health: a probe that takes too long is killed with what it started; output is bounded', async (world) => {
    const slow = ['--health-cmd', 'echo slow; sleep 77 & sleep 78', '--health-timeout', '300ms'];
    await docker(world, ['run', '-d', '--name', 'slow', ...slow, ...healthy, 'busybox', 'sleep', '100']);
    await eventually('a timeout is noted', async () => ((await health(world, 'slow')).Log ?? []).length > 0);
    const [first] = (await health(world, 'slow')).Log;
    assert.deepEqual([first?.ExitCode, first?.Output], [-1, 'Health check exceeded timeout (300ms): slow\n']);
    await world.ok(['pause', 'slow']); // no probe is under way
    await world.ok(['unpause', 'slow']);
    assert.ok(!/sleep 7[78]/.test(await world.ok(['top', 'slow'])), await world.ok(['top', 'slow']));
    await world.ok(['rm', '-f', 'slow']);
    const loud = ['--health-cmd', 'head -c 100000 /dev/zero | tr "\\0" x'];
    await docker(world, ['run', '-d', '--name', 'loud', ...loud, ...healthy, 'busybox', 'sleep', '100']);
    await eventually('it is healthy', async () => (await health(world, 'loud')).Status === 'healthy');
    assert.equal((await health(world, 'loud')).Log[0]?.Output, `${'x'.repeat(4096)}...`);
    await world.ok(['rm', '-f', 'loud']);
  });

  check('wait: for this end, the next one, and for its removal', async (world) => {
    await world.ok(['create', '--name', 'ends', 'busybox', 'sh', '-c', 'sleep 0.3; exit 5']);
    const wait = (condition: string): Promise<unknown> =>
      world
        .program(
          ['curl', '-s', '-X', 'POST', '--unix-socket', `${world.runRoot}/docker.sock`].concat(
            `http://hoist/v1.51/containers/ends/wait?condition=${condition}`,
          ),
        )
        .then(({ stdout }) => JSON.parse(stdout));
    assert.deepEqual(await wait('not-running'), { StatusCode: 0 });
    const next = wait('next-exit');
    const removed = wait('removed');
    await sleep(200);
    await world.ok(['start', 'ends']);
    assert.deepEqual(await wait('not-running'), { StatusCode: 5 });
    assert.deepEqual(await next, { StatusCode: 5 });
    await world.ok(['rm', 'ends']);
    assert.deepEqual(await removed, { StatusCode: 5 });
  });
});
