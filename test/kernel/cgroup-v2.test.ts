// The files of cgroup v2, also on a hybrid machine, which has the hierarchy without its controllers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { op } from '../../src/plan/ops.ts';
import { freeze, groupToJoin, isFrozen, moveProcesses, processesOf, thaw } from '../../src/sys/cgroup.ts';
import { sampleOf } from '../../src/sys/cgroup-stats.ts';
import { startExecutor } from '../../src/sys/executor.ts';
import { measureFacts } from '../../src/sys/facts.ts';
import { binary } from './world.ts';

const mount = readFileSync('/proc/mounts', 'utf8')
  .split('\n')
  .find((line) => line.split(' ')[2] === 'cgroup2')
  ?.split(' ')[1];
const skip = mount === undefined ? 'no cgroup2 is mounted' : process.geteuid?.() !== 0 ? 'needs root' : false;

test('v2: frozen, thawed, moved, counted', { skip }, async () => {
  const name = `/hoist-test-${process.pid}`;
  const [group, other] = [`${mount}${name}`, `${mount}${name}-2`];
  mkdirSync(group);
  mkdirSync(other);
  const spinning = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
  const pid = spinning.pid ?? 0;
  const ticks = (): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11]);
  try {
    writeFileSync(`${group}/cgroup.procs`, String(pid));
    assert.deepEqual(processesOf(group), [pid]);
    await freeze(group, 2);
    assert.ok(isFrozen(group, 2));
    const before = ticks();
    await sleep(300);
    assert.equal(ticks(), before);
    thaw(group, 2);
    await sleep(500);
    assert.ok(ticks() > before && !isFrozen(group, 2));
    const facts = { ...measureFacts(), cgroup: { version: 2 as const, mounts: { '': mount ?? '' }, controllers: [] } };
    const { cpu_stats } = sampleOf(name, facts);
    assert.ok(cpu_stats.cpu_usage.total_usage > 1e8, JSON.stringify(cpu_stats));
    moveProcesses(group, other);
    assert.deepEqual([processesOf(group), processesOf(other)], [[], [pid]]);
  } finally {
    spinning.kill('SIGKILL');
    await new Promise((resolve) => spinning.once('close', resolve));
    for (const dir of [group, other]) rmdirSync(dir);
  }
});

test('v2: groups that a container made below its own are seen, joined, and go with it', { skip }, async () => {
  const name = `/hoist-test-${process.pid}-deep`;
  const group = `${mount}${name}`;
  const deep = `${group}/init.scope/deeper`;
  mkdirSync(deep, { recursive: true });
  mkdirSync(`${group}/system.slice`);
  const sleeps = spawn('sleep', ['100'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => sleeps.once('close', (_, signal) => resolve(signal)));
  const pid = sleeps.pid ?? 0;
  writeFileSync(`${deep}/cgroup.procs`, String(pid));
  assert.deepEqual(processesOf(group), [pid]);
  assert.equal(groupToJoin(mount ?? '', name, pid), name);
  const controllers = readFileSync(`${group}/cgroup.controllers`, 'utf8').trim();
  if (controllers !== '') {
    writeFileSync(`${group}/cgroup.subtree_control`, `+${controllers.split(' ')[0]}`);
    assert.equal(groupToJoin(mount ?? '', name, pid), `${name}/init.scope/deeper`);
  }
  const executor = startExecutor(binary, () => {});
  try {
    const cleanup = [op('cgroupKill', { path: group }, ''), op('rmdir', { path: group }, '')];
    await executor.run({ setup: [], child: [], cleanup }, 'fork');
    assert.equal(await ended, 'SIGKILL');
    assert.equal(existsSync(group), false);
  } finally {
    await executor[Symbol.asyncDispose]();
  }
});
