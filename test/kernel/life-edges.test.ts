// Where lives of containers meet limits: memory that runs out, engines under many failing containers, many on disk.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { busybox, eventually, inWorld, type World } from './world.ts';

/** Actions of the container events so far, of one container. */
async function told(world: World, name: string): Promise<readonly string[]> {
  const filters = ['--filter', `container=${name}`, '--filter', 'type=container'];
  const text = await world.ok(['events', '--since', '1h', '--until', '0s', '--format', '{{.Action}}', ...filters]);
  return text.split('\n');
}

/** Processor seconds of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

inWorld('edges of a life', { prepare: busybox, env: { HOIST_IDLE_SECONDS: '2' } }, (check) => {
  check('memory that runs out: OOMKilled, and the event before the end', async (world) => {
    const script = 'x=a; while :; do x=$x$x; done';
    await world.hoist(['run', '--name', 'hungry', '-m', '16m', '--memory-swap', '16m', 'busybox', 'sh', '-c', script]);
    const { State } = await world.inspect('hungry');
    assert.deepEqual([State.OOMKilled, State.ExitCode, State.Status], [true, 137, 'exited']);
    assert.deepEqual((await told(world, 'hungry')).slice(-2), ['oom', 'die']);
    await world.ok(['rm', 'hungry']);
  });

  check('signals by name, number and RT; bad ones are refused in words', async (world) => {
    const script = 'trap "echo got 10" USR1; trap "echo got 37" 37; echo ready; while :; do sleep 0.05; done';
    await world.ok(['run', '-d', '--name', 'hears', 'busybox', 'sh', '-c', script]);
    await eventually('the traps are set', async () => (await world.ok(['logs', 'hears'])) === 'ready');
    let heard = 1;
    for (const signal of ['USR1', 'SIGUSR1', '10', 'sigusr1', 'SIGRTMIN+3', '37']) {
      await world.ok(['kill', '-s', signal, 'hears']);
      heard++;
      await eventually(signal, async () => (await world.ok(['logs', 'hears'])).split('\n').length === heard);
    }
    assert.match(
      (await world.hoist(['kill', '-s', 'FOO', 'hears'])).stderr,
      /cannot kill container: hears: invalid signal: FOO/,
    );
    assert.match((await world.hoist(['kill', 'none'])).stderr, /cannot kill container: none: No such container: none/);
    assert.match(
      (await world.hoist(['stop', '-s', 'FOO', 'hears'])).stderr,
      /cannot stop container: hears: invalid signal/,
    );
    await world.ok(['kill', 'hears']);
    assert.equal((await world.inspect('hears')).State.Status, 'exited', 'kill is done when it returns');
    await world.ok(['rm', 'hears']);
  });

  check('rm -f does not wait for a stop that waits', async (world) => {
    await world.ok(['run', '-d', '--name', 'deaf', 'busybox', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']);
    const stop = world.startHoist(['stop', '-t', '100', 'deaf']);
    await sleep(200);
    const before = Date.now();
    await world.ok(['rm', '-f', 'deaf']);
    assert.ok(Date.now() - before < 5000);
    assert.equal((await stop.ended).code, 0);
  });

  check('thirty that fail at once leave the engine to its users, and the engine stays for them', async (world) => {
    const names = Array.from({ length: 30 }, (_, i) => `loop${i}`);
    for (const name of names)
      await world.ok(['run', '-d', '--name', name, '--restart', 'always', 'busybox', 'sh', '-c', 'exit 1']);
    const pid = await world.enginePid();
    const before = Date.now();
    await world.ok(['run', '--rm', 'busybox', 'true']);
    assert.ok(Date.now() - before < 3000, 'a command is not held up');
    await sleep(4000); // longer than an engine without work stays; nobody asks it anything
    assert.equal(await world.enginePid(), pid);
    const used = cpuSeconds(pid);
    await sleep(2000);
    assert.ok(cpuSeconds(pid) - used < 1, `${cpuSeconds(pid) - used} s of 2`);
    await world.ok(['rm', '-f', ...names]);
  });

  check('two thousand containers on disk: the engine starts within a second more', async (world) => {
    const id = await world.ok(['create', '--name', 'model', 'busybox', 'true']);
    await world.ok(['start', '-a', 'model']);
    const start = async (): Promise<number> => {
      await world.ok(['engine', 'stop']);
      const before = Date.now();
      await world.ok(['version']);
      return Date.now() - before;
    };
    const empty = Math.min(await start(), await start());
    await world.ok(['engine', 'stop']);
    const base = path.join(world.root, 'containers');
    const model = JSON.parse(readFileSync(path.join(base, id, 'container.json'), 'utf8')) as object;
    for (let i = 0; i < 2000; i++) {
      const other = randomBytes(32).toString('hex');
      mkdirSync(path.join(base, other));
      const document = { ...model, id: other, name: `many${i}` };
      writeFileSync(path.join(base, other, 'container.json'), JSON.stringify(document));
      copyFileSync(path.join(base, id, 'exit.json'), path.join(base, other, 'exit.json'));
    }
    const full = Math.min(await start(), await start());
    assert.ok(full - empty < 1000, `${empty} ms empty, ${full} ms with 2000`);
    assert.equal((await world.ok(['ps', '-aq'])).split('\n').length, 2001);
    await world.ok(['container', 'prune', '-f']);
    assert.equal(await world.ok(['ps', '-aq']), '');
  });
});
