// Whatever is killed, what is left goes on, and the next command knows what happened meanwhile.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { get } from './clients.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

async function killEngine(world: World): Promise<void> {
  const pid = await world.enginePid();
  process.kill(pid, 'SIGKILL');
  await eventually(
    'the engine is dead',
    () => !existsSync(`/proc/${pid}`) || /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
}

/** The process ids whose command line begins so. */
function processes(title: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1').startsWith(title);
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}

function cgroupsOf(id: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => / cgroup2? /.test(line))
    .map((line) => `${line.split(' ')[1]}/hoist/${id}`)
    .filter((dir) => existsSync(dir));
}

const fetchPort = (world: World, port: number) => get(world, '127.0.0.1', port, '/f');
const serve = 'mkdir /w; echo served >/w/f; httpd -f -p 80 -h /w';

inWorld('kill -9', { prepare: busybox }, (check) => {
  check('of the engine: containers, output, published ports and attached terminals go on', async (world) => {
    const web = await world.ok([
      'run',
      '-d',
      '--name',
      'web',
      '-p',
      '8080:80',
      'busybox',
      'sh',
      '-c',
      `${serve} & i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done`,
    ]);
    await eventually('it serves', async () => (await fetchPort(world, 8080)) === 'served\n');
    const attached = world.startHoist([
      'run',
      '--name',
      'att',
      '-i',
      'busybox',
      'sh',
      '-c',
      'while read x; do echo got $x; [ $x = end ] && exit 5; done',
    ]);
    attached.send('1\n');
    await attached.until(/got 1\n/);
    const before = (await world.inspect('web')).State;

    await killEngine(world);
    attached.send('2\n');
    await attached.until(/got 2\n/);
    assert.equal(await fetchPort(world, 8080), 'served\n');
    attached.send('end\n');
    assert.equal((await attached.ended).code, 5);

    const after = (await world.inspect('web')).State;
    assert.deepEqual([after.Status, after.Pid, after.StartedAt], ['running', before.Pid, before.StartedAt]);
    assert.equal((await world.inspect('att')).State.ExitCode, 5);
    assert.equal(await fetchPort(world, 8080), 'served\n');
    const lines = (await world.ok(['logs', 'web'])).split('\n').map(Number);
    assert.deepEqual(
      lines,
      lines.map((_, i) => i + 1),
    );
    assert.equal(await world.ok(['exec', 'web', 'cat', '/w/f']), 'served');
    const taken = await world.hoist(['run', '--rm', '-p', '8080:80', 'busybox', 'true']);
    assert.deepEqual([taken.code, /port is already allocated/.test(taken.stderr)], [125, true]);
    await world.ok(['stop', '-t', '0', 'web']);
    assert.equal(await fetchPort(world, 8080), undefined);
    assert.deepEqual(cgroupsOf(web), []);
    await world.ok(['rm', 'web', 'att']);
  });

  check(
    'of the engine: what ended meanwhile is known, with its code and its time; --rm is made up for',
    async (world) => {
      const script = (code: number) => ['sh', '-c', `echo before; sleep 0.7; echo after; exit ${code}`];
      await world.ok(['run', '-d', '--name', 'seven', 'busybox', ...script(7)]);
      await world.ok(['run', '-d', '--name', 'shot', 'busybox', 'sh', '-c', 'sleep 0.7; kill -9 $$; sleep 9']);
      await world.ok([
        'run',
        '-d',
        '--name',
        'mem',
        '-m',
        '16m',
        'busybox',
        'sh',
        '-c',
        'sleep 0.7; head -c 100m /dev/zero | tail',
      ]);
      const gone = await world.ok(['run', '-d', '--rm', '--name', 'gone', '-p', '8081:80', 'busybox', ...script(1)]);
      await killEngine(world);
      await eventually('the keepers have ended', () =>
        processes('hoist-keeper').every(
          (pid) => !readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(gone.slice(0, 12)),
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const { State } = await world.inspect('seven');
      assert.deepEqual([State.Status, State.ExitCode], ['exited', 7]);
      const lived = Date.parse(State.FinishedAt) - Date.parse(State.StartedAt);
      assert.ok(lived >= 600 && lived < 5000, `${lived} ms`);
      assert.equal(await world.ok(['logs', 'seven']), 'before\nafter');
      const mem = (await world.inspect('mem')).State;
      assert.ok(mem.OOMKilled, JSON.stringify(mem));
      assert.equal(await world.ok(['ps', '-a', '--format', '{{.Names}}', '-f', 'name=gone']), '');
      await eventually('its files are gone', () => !existsSync(path.join(world.root, 'containers', gone)));
      await world.ok(['run', '-d', '--rm', '--name', 'next', '-p', '8081:80', 'busybox', 'sleep', '9']);
      await world.ok(['rm', '-f', 'next', 'seven', 'shot', 'mem']);
    },
  );

  check('of the engine while a command waits: the command says so, and that it may be repeated', async (world) => {
    await world.ok(['run', '-d', '--name', 'long', 'busybox', 'sleep', '100']);
    const waiting = world.startHoist(['wait', 'long']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await killEngine(world);
    const { code, stderr } = await waiting.ended;
    assert.deepEqual([code, stderr], [125, 'hoist: the engine went away before it answered; run the command again\n']);
    await world.ok(['rm', '-f', 'long']);
  });

  check('of the engine amid starts: every container is whole or not there', async (world) => {
    for (let round = 0; round < 3; round++) {
      await world.ok(['ps']);
      const starts = Array.from({ length: 6 }, (_, i) =>
        world.hoist(['run', '-d', '--name', `r${round}n${i}`, '-p', '80', 'busybox', 'sleep', '100']),
      );
      await new Promise((resolve) => setTimeout(resolve, 15 + round * 25));
      await killEngine(world);
      await Promise.all(starts);
      for (const name of (await world.ok(['ps', '-a', '--format', '{{.Names}}']))
        .split('\n')
        .filter((one) => one !== '')) {
        const { State } = await world.inspect(name);
        if (State.Running) assert.equal(await world.ok(['exec', name, 'echo', 'alive']), 'alive');
        else {
          await world.ok(['start', name]);
          assert.equal(await world.ok(['exec', name, 'echo', 'alive']), 'alive');
        }
        await world.ok(['rm', '-f', name]);
      }
      await eventually('nothing is left', () => readdirSync(path.join(world.root, 'containers')).length === 0);
    }
    const left = processes('hoist-keeper').filter((pid) =>
      readFileSync(`/proc/${pid}/environ`, 'latin1').includes(world.dir),
    );
    assert.deepEqual(left, []);
  });

  check('of a keeper: its container dies with it, the engine knows, nothing is left behind', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'kept', '-p', '8082:80', 'busybox', 'sh', '-c', serve]);
    await eventually('it serves', async () => (await fetchPort(world, 8082)) === 'served\n');
    const { Pid } = (await world.inspect('kept')).State;
    const keeper = processes(`hoist-keeper ${id.slice(0, 12)}`);
    assert.equal(keeper.length, 1);
    process.kill(keeper[0] ?? 0, 'SIGKILL');
    await eventually('the engine has noticed', async () => (await world.inspect('kept')).State.Status === 'exited');
    const { State } = await world.inspect('kept');
    assert.deepEqual([State.ExitCode, State.Error], [137, 'its keeper was killed']);
    await eventually('its processes are gone', () => !existsSync(`/proc/${Pid}`));
    await eventually('its cgroups are gone', () => cgroupsOf(id).length === 0);
    assert.equal(await fetchPort(world, 8082), undefined);
    await world.ok(['start', 'kept']);
    await eventually('it serves again', async () => (await fetchPort(world, 8082)) === 'served\n');
    await world.ok(['rm', '-f', 'kept']);
  });

  check('a keeper that is stopped holds nobody up', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'frozen', 'busybox', 'sleep', '100']);
    const [keeper = assert.fail('no keeper')] = processes(`hoist-keeper ${id.slice(0, 12)}`);
    process.kill(keeper, 'SIGSTOP');
    await world.ok(['engine', 'stop']);
    const { Status, Pid } = (await world.inspect('frozen')).State;
    assert.equal(Status, 'running');
    assert.equal(readFileSync(`/proc/${Pid}/comm`, 'utf8'), 'sleep\n');
    assert.equal(await world.ok(['run', '--rm', 'busybox', 'echo', 'ok']), 'ok');
    process.kill(keeper, 'SIGCONT');
    await world.ok(['rm', '-f', 'frozen']);
  });

  check('of a keeper while no engine is there', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'alone', '-p', '8083:80', 'busybox', 'sleep', '100']);
    await world.ok(['engine', 'stop']);
    for (const pid of processes(`hoist-keeper ${id.slice(0, 12)}`)) process.kill(pid, 'SIGKILL');
    const { State } = await world.inspect('alone');
    assert.deepEqual([State.Status, State.ExitCode], ['exited', 137]);
    await eventually('its cgroups are gone', () => cgroupsOf(id).length === 0);
    await world.ok(['start', 'alone']);
    await world.ok(['rm', '-f', 'alone']);
  });

  check('of the client: the container goes on, as with Docker', async (world) => {
    const client = world.startHoist(['run', '--name', 'lone', 'busybox', 'sh', '-c', 'echo here; sleep 100']);
    await client.until(/here/);
    client.child.kill('SIGKILL');
    await client.ended;
    assert.equal((await world.inspect('lone')).State.Status, 'running');
    await world.ok(['rm', '-f', 'lone']);
  });

  check("of the engine's executor: the engine is replaced, containers go on", async (world) => {
    await world.ok(['run', '-d', '--name', 'stays', 'busybox', 'sleep', '100']);
    const engine = await world.enginePid();
    const executor = readFileSync(`/proc/${engine}/task/${engine}/children`, 'utf8').trim().split(' ').map(Number);
    for (const pid of executor) process.kill(pid, 'SIGKILL');
    await eventually('the engine is gone', () => !existsSync(`/proc/${engine}`));
    assert.equal((await world.inspect('stays')).State.Status, 'running');
    assert.equal(await world.ok(['run', '--rm', 'busybox', 'echo', 'ok']), 'ok');
    await world.ok(['rm', '-f', 'stays']);
  });

  check('of everything at once, as a power cut does', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'cut', '-p', '8084:80', 'busybox', 'sleep', '100']);
    const rm = await world.ok(['run', '-d', '--rm', 'busybox', 'sleep', '100']);
    for (const one of [id, rm])
      for (const pid of processes(`hoist-keeper ${one.slice(0, 12)}`)) process.kill(pid, 'SIGKILL');
    await killEngine(world);
    await world.program(['rm', '-rf', world.runRoot]); // a reboot empties /run
    const list = await world.ok(['ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.Status}}']);
    assert.match(list, new RegExp(`^${id} Exited \\(137\\)`));
    await eventually('what --rm had is gone', () => !existsSync(path.join(world.root, 'containers', rm)));
    await world.ok(['start', 'cut']);
    assert.equal(await world.ok(['exec', 'cut', 'echo', 'back']), 'back');
    await world.ok(['rm', '-f', 'cut']);
  });

  check('of the engine during a commit: the container is not paused for ever', async (world) => {
    const script = 'dd if=/dev/urandom of=/big bs=1M count=150 2>/dev/null; while :; do date +%N >/t; sleep 0.1; done';
    await world.ok(['run', '-d', '--name', 'held', 'busybox', 'sh', '-c', script]);
    await eventually(
      'it has written',
      async () => (await world.hoist(['exec', 'held', 'test', '-e', '/t'])).code === 0,
    );
    const commit = world.startHoist(['commit', 'held', 'never']);
    await eventually('it is frozen', async () => (await world.inspect('held')).State.Paused);
    await killEngine(world);
    assert.notEqual((await commit.ended).code, 0);
    assert.equal((await world.inspect('held')).State.Status, 'running');
    assert.equal(await world.ok(['exec', 'held', 'echo', 'goes on']), 'goes on');
    assert.equal(await world.ok(['images', '-q', 'never']), '');
    await world.ok(['pause', 'held']);
    await killEngine(world);
    assert.equal((await world.inspect('held')).State.Status, 'paused', 'what a user paused stays so');
    await world.ok(['rm', '-f', 'held']);
  });
});
