// Limits that hold: measured from inside, and tried by what wants more.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { busybox, eventually, inWorld, type World } from './world.ts';

const script = (text: string): string[] => ['busybox', 'sh', '-c', text];

/** A file of the container's own control group, of either version. */
async function limitOf(world: World, flags: readonly string[], v1: string, v2: string): Promise<string> {
  const files = `/sys/fs/cgroup/${v1} /sys/fs/cgroup/${v2}`;
  return world.ok(['run', '--rm', ...flags, ...script(`cat ${files} 2>/dev/null || true`)]);
}

inWorld('limits', { prepare: busybox }, (check) => {
  check('-m: who takes more is killed, 137, OOMKilled', async (world) => {
    assert.equal(await limitOf(world, ['-m', '64m'], 'memory/memory.limit_in_bytes', 'memory.max'), '67108864');
    const result = await world.hoist([
      'run',
      '--name',
      'fat',
      '-m',
      '32m',
      ...script('head -c 200m /dev/zero | tail; exit $?'),
    ]);
    assert.equal(result.code, 137);
    assert.equal((await world.inspect('fat')).State.OOMKilled, true);
    await world.ok(['rm', 'fat']);
    const alone = await world.hoist([
      'run',
      '--name',
      'fat1',
      '-m',
      '32m',
      'busybox',
      'dd',
      'if=/dev/zero',
      'of=/dev/null',
      'bs=300M',
      'count=1',
    ]);
    assert.equal(alone.code, 137);
    assert.equal((await world.inspect('fat1')).State.OOMKilled, true);
    await world.ok(['rm', 'fat1']);
    assert.equal(
      await world.ok(['run', '--rm', '-m', '32m', ...script('head -c 8m /dev/zero | tail -c 1 | wc -c')]),
      '1',
    );
  });

  check('-m holds for tmpfs and /dev/shm, too', async (world) => {
    const { code } = await world.hoist([
      'run',
      '--rm',
      '-m',
      '32m',
      '--tmpfs',
      '/t:size=1g',
      'busybox',
      'dd',
      'if=/dev/zero',
      'of=/t/f',
      'bs=1M',
      'count=200',
    ]);
    assert.equal(code, 137);
  });

  check('--pids-limit: a fork bomb is contained', async (world) => {
    const bomb = 'f() { f | f & }; f; sleep 0.5; echo survived';
    const result = await world.hoist(['run', '--rm', '--pids-limit', '20', ...script(bomb)], { timeout: 30 });
    assert.match(result.stderr, /can't fork|Resource temporarily unavailable/);
    assert.equal(await limitOf(world, ['--pids-limit', '20'], 'pids/pids.max', 'pids.max'), '20');
    await eventually('nothing of it is left', async () => (await world.ok(['ps', '-aq'])) === '');
  });

  check('a fork bomb leaves the host responsive: other containers start, and it can be removed', async (world) => {
    const bomb = 'f() { f | f & }; while :; do f; sleep 0.1; done';
    await world.ok(['run', '-d', '--name', 'bomb', '--pids-limit', '60', ...script(bomb)]);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const begun = Date.now();
    assert.equal(await world.ok(['run', '--rm', ...script('echo responsive')]), 'responsive');
    assert.ok(Date.now() - begun < 10_000, `${Date.now() - begun} ms`);
    await world.ok(['rm', '-f', 'bomb'], { timeout: 30 });
    assert.equal(await world.ok(['ps', '-aq']), '');
  });

  check('-m: the event oom comes before die', async (world) => {
    const since = String(Date.now() / 1000 - 1);
    const fat = ['--name', 'fat', '-m', '20m', 'busybox', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=300M', 'count=1'];
    assert.equal((await world.hoist(['run', ...fat])).code, 137);
    const filters = ['--since', since, '--until', String(Date.now() / 1000 + 1), '--filter', 'container=fat'];
    const events = await world.ok(['events', ...filters, '--format', '{{.Action}}']);
    assert.match(events, /oom[\s\S]*die/);
    assert.equal((await world.inspect('fat')).State.OOMKilled, true);
    await world.ok(['rm', 'fat']);
  });

  check('--cpus 0.5: within 5 % of half a processor, by what the kernel counts in each period', async (world) => {
    await world.ok(['run', '-d', '--name', 'half', '--cpus', '0.5', ...script('while :; do :; done')]);
    const { Id } = await world.inspect('half');
    const read = (): { readonly ns: number; readonly periods: number; readonly throttled: number } => {
      const [v1, v2] = ['/sys/fs/cgroup/cpu/hoist', '/sys/fs/cgroup/hoist'].map((dir) => path.join(dir, Id));
      const stat = readFileSync(path.join((existsSync(v1 ?? '') ? v1 : v2) ?? '', 'cpu.stat'), 'utf8');
      const number = (name: string): number =>
        Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? Number.NaN);
      const ns = existsSync(v1 ?? '')
        ? Number(readFileSync(`/sys/fs/cgroup/cpuacct/hoist/${Id}/cpuacct.usage`, 'utf8'))
        : number('usage_usec') * 1000;
      return { ns, periods: number('nr_periods'), throttled: number('nr_throttled') };
    };
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [begun, first] = [process.hrtime.bigint(), read()];
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const [ended, last] = [process.hrtime.bigint(), read()];
    await world.ok(['rm', '-f', 'half']);
    const share = (last.ns - first.ns) / Number(ended - begun);
    assert.ok(share < 0.525, `${share} of a processor`);
    // a busy machine may not have had half a processor to give: then it was not throttled
    const throttled = (last.throttled - first.throttled) / (last.periods - first.periods);
    if (throttled > 0.95) assert.ok(share > 0.475, `${share} of a processor, throttled in ${throttled} of all periods`);
  });

  check('exec counts against the limits of its container', async (world) => {
    await world.ok(['run', '-d', '--name', 'small', '-m', '32m', '--pids-limit', '15', 'busybox', 'sleep', '100']);
    const fat = await world.hoist(['exec', 'small', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=300M', 'count=1']);
    assert.equal(fat.code, 137);
    const many = await world.hoist(['exec', 'small', 'sh', '-c', 'for i in $(seq 30); do sleep 1 & done; wait']);
    assert.match(many.stderr, /can't fork/);
    await world.ok(['rm', '-f', 'small']);
  });

  check('--cpus 0.5 gives half a processor', async (world) => {
    const busy = '(while :; do :; done) & sleep 2; cut -d" " -f14,15 /proc/$!/stat';
    const text = await world.ok(['run', '--rm', '--cpus', '0.5', ...script(busy)]);
    const ticks = text.split(' ').reduce((sum, one) => sum + Number(one), 0);
    // of two seconds: a noisy machine gives less, nothing gives more
    assert.ok(ticks > 20 && ticks < 135, `${ticks} hundredths of a second`);
    assert.equal(
      await limitOf(world, ['--cpus', '0.5'], 'cpu/cpu.cfs_quota_us', 'cpu.max'),
      await limitOf(world, ['--cpu-quota', '50000'], 'cpu/cpu.cfs_quota_us', 'cpu.max'),
    );
  });

  check('--cpuset-cpus: the others are not seen', async (world) => {
    assert.equal(
      await world.ok([
        'run',
        '--rm',
        '--cpuset-cpus',
        '0',
        ...script('grep Cpus_allowed_list /proc/self/status | cut -f2; nproc'),
      ]),
      '0\n1',
    );
    const beyond = await world.hoist(['run', '--rm', '--cpuset-cpus', '4096', ...script('true')]);
    assert.deepEqual([beyond.code, /Requested CPUs are not available/.test(beyond.stderr)], [125, true]);
  });

  check('what cannot hold is refused: sizes, processors', async (world) => {
    const refused: [string[], RegExp][] = [
      [['-m', '1m'], /Minimum memory limit allowed is 6MB/],
      [['--memory-swap', '64m'], /always set the Memory limit/],
      [['-m', '64m', '--memory-swap', '32m'], /should be larger than memory limit/],
      [['--cpus', String(cpus().length + 1)], /range of CPUs is from 0.01/],
      [['-m', 'lots'], /invalid (argument|size)/],
    ];
    for (const [flags, words] of refused) {
      const result = await world.hoist(['run', '--rm', ...flags, ...script('true')]);
      assert.equal(result.code, 125, flags.join(' '));
      assert.match(result.stderr, words);
    }
  });

  check('--ulimit nproc, nofile, fsize hold', async (world) => {
    const file = await world.hoist([
      'run',
      '--rm',
      '--ulimit',
      'fsize=1048576',
      'busybox',
      'dd',
      'if=/dev/zero',
      'of=/f',
      'bs=1M',
      'count=2',
    ]);
    assert.notEqual(file.code, 0);
    const open = await world.hoist(['run', '--rm', '--ulimit', 'nofile=8', ...script('exec 3</ 4</ 5</ 6</ 7</ 8</')]);
    assert.notEqual(open.code, 0);
  });
});
