import assert from 'node:assert/strict';
import test from 'node:test';
import type { OciResources } from '../spec/oci/runtime.ts';
import { cgroupRootOps, updateOps } from './cgroup.ts';
import type { HostFacts } from './facts.ts';

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
