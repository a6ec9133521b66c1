import assert from 'node:assert/strict';
import test from 'node:test';
import type { OciResources } from '../spec/oci/runtime.ts';
import { cgroupOps, cgroupRootOps, containerGroup, updateOps } from './cgroup.ts';
import type { HostFacts } from './facts.ts';
import { neededFiles } from './limits.ts';

const facts: HostFacts = {
  arch: 'x86_64',
  kernel: [6, 1],
  capabilities: 0n,
  cgroup: { version: 1, mounts: { memory: '/m', cpu: '/c', cpuset: '/s', pids: '/p' }, controllers: [] },
  pseudoFiles: new Set(),
  cpus: 4,
  memory: 1 << 30,
};
const v2: HostFacts = {
  ...facts,
  cgroup: { version: 2, mounts: { '': '/g' }, controllers: ['cpu', 'cpuset', 'memory', 'pids'] },
};

const resources: OciResources = { devices: [], memory: { limit: 100, swap: 150 }, pids: { limit: 5 } };

function writes(given: OciResources, machine: HostFacts, grows: boolean): readonly string[] {
  return updateOps('/x', given, machine, grows).flatMap((one) =>
    one.op === 'writeFile' ? [`${one.path} ${Buffer.from(one.data)}`] : one.op === 'mkdir' ? [`mkdir ${one.path}`] : [],
  );
}

test('v1: memory is never over memory and swap together, whichever way the limits move', () => {
  const memory = '/m/x/memory.limit_in_bytes 100';
  const swap = '/m/x/memory.memsw.limit_in_bytes 150';
  assert.deepEqual(writes(resources, facts, true), [swap, memory, '/p/x/pids.max 5']);
  assert.deepEqual(writes(resources, facts, false), [memory, swap, '/p/x/pids.max 5']);
});

test('v1: a cpuset that was not there is made', () => {
  const given = { devices: [], cpu: { cpus: '0-1' } };
  assert.deepEqual(writes(given, facts, false), ['mkdir /s/x', '/s/x/cpuset.cpus 0-1', '/s/x/cpuset.mems 0']);
});

test('v2: one group, swap without memory', () => {
  const given = { ...resources, cpu: { quota: 5000, period: 10000, cpus: '1' } };
  assert.deepEqual(writes(given, v2, true), [
    '/g/x/memory.max 100',
    '/g/x/memory.swap.max 50',
    '/g/x/cpu.max 5000 10000',
    '/g/x/cpuset.cpus 1',
    '/g/x/pids.max 5',
  ]);
});

test('v2: what containers depend on leaves the group of who started it before that hands controllers down', () => {
  const ops = cgroupRootOps(v2, [7, 8]).flatMap((one) =>
    one.op === 'writeFile' ? [`${one.path} ${Buffer.from(one.data)}`] : [],
  );
  const enabled = (dir: string): string[] =>
    ['cpu', 'cpuset', 'memory', 'pids'].map((name) => `${dir}/cgroup.subtree_control +${name}`);
  assert.deepEqual(ops, [
    ...['0', '7', '8'].map((pid) => `/g/hoist/engine/cgroup.procs ${pid}`),
    ...enabled('/g'),
    ...enabled('/g/hoist'),
  ]);
});

test('v2: block devices, and a parent of the user: groups on the way are made and opened', () => {
  const blockIO = {
    weight: 500,
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1000 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 5 }],
  };
  assert.deepEqual(writes({ devices: [], blockIO }, v2, false), [
    '/g/x/io.bfq.weight 500',
    '/g/x/io.weight 4950',
    '/g/x/io.max 8:0 rbps=1000',
    '/g/x/io.max 8:0 wiops=5',
  ]);
  const made = cgroupOps('/a/b/id', { devices: [] }, v2).setup.flatMap((one) =>
    one.op === 'mkdir' ? [one.path] : one.op === 'writeFile' ? [`${one.path} ${Buffer.from(one.data)}`] : [],
  );
  const opened = (dir: string): string[] =>
    ['cpu', 'cpuset', 'memory', 'pids'].map((name) => `${dir}/cgroup.subtree_control +${name}`);
  assert.deepEqual(made, [...opened('/g'), '/g/a', ...opened('/g/a'), '/g/a/b', ...opened('/g/a/b'), '/g/a/b/id']);
});

test('v1: block devices, real-time from the parent down, the OOM killer', () => {
  const machine = { ...facts, cgroup: { ...facts.cgroup, mounts: { ...facts.cgroup.mounts, blkio: '/b' } } };
  const given: OciResources = {
    devices: [],
    memory: { swappiness: 0, disableOOMKiller: true },
    cpu: { realtimePeriod: 10, realtimeRuntime: 5 },
    blockIO: { weight: 10, weightDevice: [{ major: 8, minor: 1, weight: 20 }] },
  };
  assert.deepEqual(
    updateOps('/hoist/x', given, machine, false).flatMap((one) =>
      one.op === 'writeFile' ? [`${one.path} ${Buffer.from(one.data)}`] : [],
    ),
    [
      '/m/hoist/x/memory.swappiness 0',
      '/m/hoist/x/memory.oom_control 1',
      '/c/hoist/cpu.rt_runtime_us 950000',
      '/c/hoist/x/cpu.rt_period_us 10',
      '/c/hoist/x/cpu.rt_runtime_us 5',
      '/b/hoist/x/blkio.bfq.weight 10',
      '/b/hoist/x/blkio.bfq.weight_device 8:1 20',
    ],
  );
});

test('what a machine must have for a limit; none of it for the usual ones', () => {
  assert.deepEqual(neededFiles({ devices: [], memory: { limit: 1 }, cpu: { quota: 1 }, pids: { limit: 1 } }, 2), []);
  assert.deepEqual(neededFiles({ devices: [], memory: { swappiness: 1 } }, 2), [
    { flag: '--memory-swappiness', controller: 'memory', files: [] },
  ]);
  assert.deepEqual(neededFiles({ devices: [], blockIO: { weight: 10 } }, 2), [
    { flag: '--blkio-weight', controller: 'io', files: ['io.bfq.weight', 'io.weight'] },
  ]);
});

test('--cgroup-parent: paths from the top, slices where systemd has them, no way out', () => {
  assert.equal(containerGroup('i'), '/hoist/i');
  assert.equal(containerGroup('i', 'a/b'), '/a/b/i');
  assert.equal(containerGroup('i', '/../../a'), '/a/i');
  assert.equal(containerGroup('i', '/'), '/i');
  assert.equal(containerGroup('i', 'apps-web.slice'), '/apps.slice/apps-web.slice/i');
});

test('v2: a group elsewhere gets its controllers from the very top, where no engine has been', () => {
  const writesTo = (group: string): string[] =>
    cgroupOps(group, { devices: [] }, v2).setup.flatMap((one) => (one.op === 'writeFile' ? [one.path] : []));
  const file = (dir: string): string[] =>
    ['cpu', 'cpuset', 'memory', 'pids'].map(() => `${dir}/cgroup.subtree_control`);
  assert.deepEqual(writesTo('/system.slice/x'), [...file('/g'), ...file('/g/system.slice')]);
  assert.deepEqual(writesTo('/x'), file('/g'));
  assert.deepEqual(writesTo('/hoist/x'), []);
});
