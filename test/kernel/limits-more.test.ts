// Limits beyond memory, processors and processes: block devices, real-time, swappiness, --cgroup-parent; changed live.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { measureFacts } from '../../src/sys/facts.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

const { cgroup } = measureFacts();
const v1 = cgroup.version === 1;
const script = (text: string): string[] => ['busybox', 'sh', '-c', text];

/** A file of a running container's control group, as the host sees it. */
async function groupFile(world: World, name: string, controller: string, file: string): Promise<string> {
  const { Id, HostConfig } = await world.inspect(name);
  const parent = String(HostConfig['CgroupParent'] || 'hoist');
  const dir = path.join(cgroup.mounts[v1 ? controller : ''] ?? '', parent, Id);
  return readFileSync(path.join(dir, file), 'utf8').trim();
}

let loop = '';
const disk = {
  prepare: async (world: World) => {
    await busybox(world);
    const file = path.join(world.dir, 'disk');
    execFileSync('truncate', ['-s', '64M', file]);
    loop = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
  },
  finish: () => {
    if (loop !== '') execFileSync('losetup', ['--detach', loop]);
  },
  needs: ['losetup'],
};

inWorld('more limits', disk, (check) => {
  check('--device-read-bps, --device-write-bps: a disk is as slow as that', async (world) => {
    const timed = async (flags: readonly string[], text: string): Promise<number> => {
      execFileSync('blockdev', ['--flushbufs', loop]);
      const began = Date.now();
      await world.ok(['run', '--rm', '--network', 'none', '--device', loop, ...flags, ...script(text)]);
      return Date.now() - began;
    };
    const read = `dd if=${loop} of=/dev/null bs=256k count=12 2>/dev/null`;
    const write = `dd if=/dev/zero of=${loop} oflag=direct bs=256k count=12 2>/dev/null`;
    const free = await timed([], read);
    const slow = await timed(['--device-read-bps', `${loop}:2mb`], read);
    assert.ok(slow > 1000 && slow < 1500 + free + 2500, `3 MB at 2 MB/s in ${slow} ms; without a limit ${free} ms`);
    const slowWrite = await timed(['--device-write-bps', `${loop}:2mb`], write);
    assert.ok(slowWrite > 1000, `written in ${slowWrite} ms`);
    const few = `dd if=${loop} of=/dev/null iflag=direct bs=4k count=30 2>/dev/null`;
    const rare = await timed(['--device-read-iops', `${loop}:20`], few);
    assert.ok(rare > 1000, `30 reads at 20 a second in ${rare} ms`);
  });

  check('--blkio-weight, -device, throttles: in the group, in inspect, changed by update', async (world) => {
    // devices have weights under the scheduler bfq alone
    writeFileSync(`/sys/block/${path.basename(loop)}/queue/scheduler`, 'bfq');
    const flags = [
      '--blkio-weight',
      '300',
      '--blkio-weight-device',
      `${loop}:200`,
      '--device-write-iops',
      `${loop}:99`,
    ];
    await world.ok(['run', '-d', '--name', 'io', ...flags, 'busybox', 'sleep', '100']);
    const number = execFileSync('stat', ['-c', '%Hr:%Lr', loop], { encoding: 'utf8' }).trim();
    if (v1) {
      assert.match(await groupFile(world, 'io', 'blkio', 'blkio.bfq.weight'), /300/);
      assert.equal(await groupFile(world, 'io', 'blkio', 'blkio.throttle.write_iops_device'), `${number} 99`);
    } else assert.match(await groupFile(world, 'io', '', 'io.max'), new RegExp(`${number} .*wiops=99`));
    const { HostConfig } = await world.inspect('io');
    assert.deepEqual(
      [HostConfig['BlkioWeight'], HostConfig['BlkioWeightDevice'], HostConfig['BlkioDeviceWriteIOps']],
      [300, [{ Path: loop, Weight: 200 }], [{ Path: loop, Rate: 99 }]],
    );
    assert.equal(await world.ok(['update', '--blkio-weight', '500', 'io']), 'io');
    if (v1) assert.match(await groupFile(world, 'io', 'blkio', 'blkio.bfq.weight'), /500/);
    await world.ok(['rm', '-f', 'io']);
    const missing = await world.hoist(['run', '--rm', '--device-read-bps', '/dev/nope:1mb', ...script('true')]);
    assert.match(missing.stderr, /stat \/dev\/nope: no such file or directory/);
    const weight = await world.hoist(['run', '--rm', '--blkio-weight', '5', ...script('true')]);
    assert.match(weight.stderr, /Range of blkio weight is from 10 to 1000/);
  });

  check('--memory-swappiness, --oom-kill-disable, --cpu-rt-*: held on v1, refused on v2', async (world) => {
    const flags = '-m 64m --memory-swappiness 15 --oom-kill-disable --cpu-rt-period 500000 --cpu-rt-runtime 20000';
    const result = await world.hoist(['run', '-d', '--name', 'v1', ...flags.split(' '), 'busybox', 'sleep', '100']);
    if (!v1) {
      assert.match(result.stderr, /cannot hold here: cgroup v2 has no such limit/);
      return;
    }
    if (!existsSync(`${cgroup.mounts['cpu']}/cpu.rt_runtime_us`)) {
      assert.match(result.stderr, /--cpu-rt-runtime cannot hold here: this kernel has no cpu.rt_runtime_us/);
      return;
    }
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await groupFile(world, 'v1', 'memory', 'memory.swappiness'), '15');
    assert.match(await groupFile(world, 'v1', 'memory', 'memory.oom_control'), /oom_kill_disable 1/);
    assert.equal(await groupFile(world, 'v1', 'cpu', 'cpu.rt_runtime_us'), '20000');
    await world.ok(['update', '--cpu-rt-runtime', '10000', 'v1']);
    assert.equal(await groupFile(world, 'v1', 'cpu', 'cpu.rt_runtime_us'), '10000');
    await world.ok(['rm', '-f', 'v1']);
    const alone = await world.hoist(['run', '--rm', '--oom-kill-disable', ...script('true')]);
    assert.match(alone.stderr, /^WARNING: OOM killer is disabled for the container, but no memory limit is set/);
  });

  check('--cgroup-parent: the group is there, stats and pause find it, it goes again', async (world) => {
    const name = `hoist-test-${process.pid}`;
    await world.ok([
      'run',
      '-d',
      '--name',
      'below',
      '--cgroup-parent',
      `${name}/a`,
      '-m',
      '64m',
      'busybox',
      'sleep',
      '100',
    ]);
    const { Id } = await world.inspect('below');
    const memory = v1 ? (cgroup.mounts['memory'] ?? '') : (cgroup.mounts[''] ?? '');
    assert.equal(
      readFileSync(`${memory}/${name}/a/${Id}/${v1 ? 'memory.limit_in_bytes' : 'memory.max'}`, 'utf8').trim(),
      '67108864',
    );
    assert.match(await world.ok(['stats', '--no-stream', '--format', '{{.MemUsage}}', 'below']), /\/ 64MiB/);
    await world.ok(['exec', 'below', 'true']);
    await world.ok(['pause', 'below']);
    await world.ok(['unpause', 'below']);
    await world.ok(['update', '-m', '80m', '--memory-swap', '160m', 'below']);
    assert.match(await world.ok(['stats', '--no-stream', '--format', '{{.MemUsage}}', 'below']), /\/ 80MiB/);
    await world.ok(['rm', '-f', 'below']);
    await eventually('the group is gone', () => !existsSync(`${memory}/${name}/a/${Id}`));
    const mounts = new Set(Object.values(cgroup.mounts));
    for (const mount of mounts)
      if (existsSync(`${mount}/${name}`)) execFileSync('rmdir', [`${mount}/${name}/a`, `${mount}/${name}`]);
  });
});
