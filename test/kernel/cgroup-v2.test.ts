// The files of cgroup v2, also on a hybrid machine, which has the hierarchy without its controllers.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeze, isFrozen, moveProcesses, processesOf, thaw } from '../../src/sys/cgroup.ts';
import { sampleOf } from '../../src/sys/cgroup-stats.ts';
import { measureFacts } from '../../src/sys/facts.ts';

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
