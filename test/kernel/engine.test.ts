// The life of the engine: started by who needs it, one per root, replaced without anybody noticing, gone when idle.

import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { binary, busybox, eventually, inWorld, openWorld, type World } from './world.ts';

const socketOf = (world: World): string => path.join(world.runRoot, 'hoist.sock');

/** How many engines were ever started there. */
function starts(world: World): number {
  return world.engineLog().match(/^\S+ engine /gm)?.length ?? 0;
}

inWorld('the engine', { prepare: busybox }, (check) => {
  check('start, status, stop, restart, logs', async (world) => {
    await world.ok(['engine', 'stop']);
    const none = await world.hoist(['engine', 'status']);
    assert.deepEqual([none.code, none.stdout], [3, `no engine runs for ${world.root}\n`]);
    assert.equal(await world.ok(['engine', 'stop']), 'no engine runs');
    assert.match(await world.ok(['engine', 'start']), /^engine \S+ runs, pid \d+$/);
    const pid = await world.enginePid();
    assert.match(await world.ok(['engine', 'start']), new RegExp(`pid ${pid}$`));
    assert.notEqual(/pid (\d+)$/.exec(await world.ok(['engine', 'restart']))?.[1], String(pid));
    assert.match(await world.ok(['engine', 'logs']), /leaving: stopped by a command/);
    assert.equal(await world.ok(['engine', 'stop']), 'engine stopped');
    assert.ok(!existsSync(socketOf(world)));
  });

  check('eight commands at once at a cold start: one engine, eight answers', async (world) => {
    await world.ok(['engine', 'stop']);
    const before = starts(world);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => world.ok(['run', '--rm', 'busybox', 'echo', String(i)])),
    );
    assert.deepEqual(answers, ['0', '1', '2', '3', '4', '5', '6', '7']);
    assert.equal(starts(world), before + 1);
  });

  check('a stale socket, a socket of nobody, a file in its place', async (world) => {
    const leave: [string, () => void | Promise<void>][] = [
      [
        'the socket of an engine that was killed',
        async () => {
          process.kill(await world.enginePid(), 'SIGKILL');
        },
      ],
      [
        'a file',
        async () => {
          await world.ok(['engine', 'stop']);
          writeFileSync(socketOf(world), 'not a socket');
        },
      ],
    ];
    for (const [what, prepare] of leave) {
      await prepare();
      assert.equal(await world.ok(['run', '--rm', 'busybox', 'echo', 'ok']), 'ok', what);
    }
  });

  check('only its owner may talk to it: the socket is 0600, its directory not listable', async (world) => {
    await world.ok(['ps']);
    const modes = await world.program(['stat', '-c', '%a', socketOf(world), world.runRoot, world.root]);
    assert.equal(modes.stdout, '600\n711\n711\n');
    const other = await world.program([
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'cat',
      path.join(world.root, 'content/index.json'),
    ]);
    assert.notEqual(other.code, 0);
  });

  check('bytes that no client sends do not hurt it', async (world) => {
    await world.ok(['ps']);
    const pid = await world.enginePid();
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(64, 0xff),
      Buffer.from([1, 0, 0, 0, 72]),
      Buffer.from([9, 0, 0, 0, 72, 0, 0]),
    ]) {
      await new Promise<void>((resolve) => {
        const socket = net.createConnection(socketOf(world), () => socket.end(bytes));
        socket
          .on('error', () => resolve())
          .on('close', () => resolve())
          .resume();
      });
    }
    assert.equal(await world.ok(['run', '--rm', 'busybox', 'echo', 'ok']), 'ok');
    assert.equal(await world.enginePid(), pid);
  });

  check('two roots side by side: other images, names, engines', async (world) => {
    const other = await openWorld();
    try {
      await world.ok(['create', '--name', 'mine', 'busybox']);
      assert.equal(await other.ok(['ps', '-aq']), '');
      assert.equal(await other.ok(['images', '-q']), '');
      const there = { HOIST_ROOT: '', HOIST_RUN_ROOT: '' };
      const flags = ['--root', world.root, '--run-root', world.runRoot];
      assert.equal(await other.ok([...flags, 'ps', '-a', '--format', '{{.Names}}'], { env: there }), 'mine');
      assert.notEqual(await other.enginePid(), await world.enginePid());
      const mixed = await other.hoist(['ps'], { env: { HOIST_RUN_ROOT: world.runRoot } });
      assert.deepEqual(
        [mixed.code, mixed.stderr.includes(`keeps its data in ${world.root}, not in ${other.root}`)],
        [125, true],
      );
      const stolen = await other.hoist(['ps'], {
        env: { HOIST_ROOT: world.root, HOIST_RUN_ROOT: path.join(other.dir, 'r2') },
      });
      assert.deepEqual(
        [stolen.code, stolen.stderr.includes(`another engine uses ${world.root}`)],
        [125, true],
        stolen.stderr,
      );
      await world.ok(['rm', 'mine']);
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  check('HOIST_NO_ENGINE=1: the same commands in a process of their own, and none beside an engine', async (world) => {
    const alone = { env: { HOIST_NO_ENGINE: '1' } };
    await world.ok(['ps']);
    const busy = await world.hoist(['ps'], alone);
    assert.deepEqual([busy.code === 0, busy.stderr.includes(`another engine uses ${world.root}`)], [false, true]);
    await world.ok(['engine', 'stop']);
    assert.equal(await world.ok(['run', '--rm', 'busybox', 'echo', 'alone'], alone), 'alone');
    assert.equal((await world.hoist(['run', '--rm', 'busybox', 'sh', '-c', 'exit 3'], alone)).code, 3);
    await world.ok(['run', '-d', '--name', 'bg', 'busybox', 'sh', '-c', 'echo from alone; sleep 100'], alone);
    assert.equal((await world.hoist(['engine', 'status'])).code, 3);
    await eventually('its output is logged', async () => (await world.ok(['logs', 'bg'])) === 'from alone');
    assert.equal((await world.inspect('bg')).State.Status, 'running');
    await world.ok(['rm', '-f', 'bg']);
  });

  check('client and engine of different builds: one sentence, and engine restart helps', async (world) => {
    await world.ok(['ps']);
    const build = /^Engine:\s+(\S+)/m.exec(await world.ok(['engine', 'status']))?.[1] ?? assert.fail();
    const other = build.replace(/.{4}$/, 'zzzz');
    const patched = path.join(world.dir, 'other/bin/hoist');
    mkdirSync(path.dirname(patched), { recursive: true });
    symlinkSync(path.join(path.dirname(binary), '../dist'), path.join(world.dir, 'other/dist'));
    copyFileSync(binary, patched);
    writeFileSync(patched, Buffer.from(readFileSync(patched).toString('latin1').replaceAll(build, other), 'latin1'));
    chmodSync(patched, 0o755);
    const told = await world.program([patched, 'ps']);
    assert.equal(told.code, 125);
    assert.equal(
      told.stderr,
      `hoist: this command is version ${other}, the engine that runs is ${build}\nhint: hoist engine restart (running containers go on)\n`,
    );
    assert.equal((await world.program([patched, 'engine', 'restart'])).code, 0);
    await world.ok(['ps']);
  });

  check('stopping it, restarting it, SIGTERM: containers go on, and their attached terminals', async (world) => {
    await world.ok([
      'run',
      '-d',
      '--name',
      'on',
      'busybox',
      'sh',
      '-c',
      'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done',
    ]);
    const attached = world.startHoist([
      'run',
      '--rm',
      '-i',
      'busybox',
      'sh',
      '-c',
      'while read x; do echo got $x; [ $x = end ] && exit 5; done',
    ]);
    attached.send('1\n');
    await attached.until(/got 1\n/);
    await world.ok(['engine', 'restart']);
    process.kill(await world.enginePid(), 'SIGTERM');
    await eventually('the engine is gone', async () => (await world.hoist(['engine', 'status'])).code === 3);
    attached.send('2\nend\n');
    const { code, stdout } = await attached.ended;
    assert.deepEqual([code, stdout], [5, 'got 1\ngot 2\ngot end\n']);
    const lines = (await world.ok(['logs', 'on'])).split('\n').map(Number);
    assert.deepEqual(
      lines,
      lines.map((_, i) => i + 1),
    );
    assert.equal((await world.inspect('on')).State.Status, 'running');
    await world.ok(['rm', '-f', 'on']);
    assert.equal(await world.ok(['ps', '-aq']), '');
  });
});

inWorld('an idle engine', { env: { HOIST_IDLE_SECONDS: '1' }, prepare: busybox }, (check) => {
  check('leaves by itself; not while a container runs or a command waits', async (world) => {
    await world.ok(['run', '-d', '--name', 'busy', 'busybox', 'sleep', '100']);
    const pid = await world.enginePid();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.equal(await world.enginePid(), pid);
    await world.ok(['kill', 'busy']);
    const waiting = world.startHoist(['events-nobody-knows']);
    await waiting.ended;
    await eventually('it has left', async () => !existsSync(socketOf(world)));
    assert.match(world.engineLog(), /leaving: nothing to do/);
    assert.equal((await world.inspect('busy')).State.ExitCode, 137);
    await world.ok(['rm', 'busy']);
  });

  check(
    'its return is no restart: what was stopped stays stopped, until somebody restarts the engine',
    async (world) => {
      await world.ok(['run', '-d', '--name', 'kept', '--restart', 'always', 'busybox', 'sleep', '100']);
      await world.ok(['stop', '-t', '0', 'kept']);
      await eventually('it has left', () => !existsSync(socketOf(world)));
      await world.ok(['ps']);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal((await world.inspect('kept')).State.Running, false);
      await world.ok(['engine', 'restart']);
      await eventually('it runs again', async () => (await world.inspect('kept')).State.Running);
      await world.ok(['rm', '-f', 'kept']);
    },
  );

  check('leaves nothing mounted', async (world) => {
    await world.ok(['run', '--rm', 'busybox', 'true']);
    await eventually('it has left', () => !existsSync(socketOf(world)));
    const left = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(world.dir));
    assert.deepEqual(left, []);
  });
});
