// Interactive work: script(1) is the terminal, and we type.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Running } from './program.ts';
import { binary, busybox, eventually, inWorld, type World } from './world.ts';

interface Terminal extends Running {
  /** Runs stty on it from outside, as a window manager would resize it. */
  stty(...args: string[]): Promise<string>;
}

/** A command of hoist on a terminal of 30 rows and 90 columns. What is said has its carriage returns. */
function terminal(world: World, args: readonly string[], after = ''): Terminal {
  const file = path.join(world.dir, `tty${process.hrtime.bigint()}`);
  const quoted = [binary, ...args].map((word) => `'${word}'`).join(' ');
  const command = `tty >${file}; stty rows 30 cols 90; ${after === '' ? 'exec ' : ''}${quoted}${after}`;
  const running = world.start(['script', '-qfec', command, '/dev/null'], { env: { SHELL: '/bin/sh' } });
  return {
    ...running,
    async stty(...words) {
      const result = await world.program(['stty', '-F', readFileSync(file, 'utf8').trim(), ...words]);
      assert.equal(result.code, 0, result.stderr);
      return result.stdout;
    },
  };
}

const shell = ['run', '--rm', '-it', 'busybox', 'sh'];

inWorld('terminals', { prepare: busybox, needs: ['script'] }, (check) => {
  check('a shell: prompt, echo, output, its exit code', async (world) => {
    const tty = terminal(world, shell);
    await tty.until(/# /);
    tty.send('tty; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo three\r');
    await tty.until(/\/dev\/pts\/0\r\nxterm\r\nthree\r\n/);
    tty.send('exit 12\r');
    assert.equal((await tty.ended).code, 12);
  });

  check('the window has its size from the start, and follows', async (world) => {
    const tty = terminal(world, shell);
    await tty.until(/# /);
    tty.send('stty size\r');
    await tty.until(/30 90\r\n/);
    await tty.stty('rows', '40', 'cols', '120');
    tty.send('until stty size | grep "40 120"; do sleep 0.05; done; exit\r');
    await tty.until(/40 120\r\n/);
    assert.equal((await tty.ended).code, 0);
  });

  check('a program inside hears of the new size: SIGWINCH', async (world) => {
    const script = 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.05; done';
    const tty = terminal(world, ['run', '--rm', '-it', 'busybox', 'sh', '-c', script]);
    await tty.until(/ready/);
    await tty.stty('rows', '41', 'cols', '121');
    await tty.until(/41 121\r\n/);
    await tty.ended;
  });

  check('Ctrl-C ends what runs inside, not the command; Ctrl-D is the end of input', async (world) => {
    const tty = terminal(world, shell);
    await tty.until(/# /);
    tty.send('sleep 1000; echo code $?\r');
    await tty.until(/sleep 1000.*\r\n/);
    await new Promise((resolve) => setTimeout(resolve, 200));
    tty.send('\x03');
    tty.send("echo al''ive\r");
    await tty.until(/alive\r\n/);
    tty.send('\x04');
    assert.equal((await tty.ended).code, 0);
  });

  check('job control inside: Ctrl-Z, jobs, fg', async (world) => {
    const tty = terminal(world, shell);
    await tty.until(/# /);
    tty.send('sleep 1000\r');
    await new Promise((resolve) => setTimeout(resolve, 300));
    tty.send('\x1a');
    await tty.until(/Stopped/);
    tty.send('jobs; fg\r');
    await tty.until(/Stopped[\s\S]*Stopped[\s\S]*sleep 1000\r\n/);
    tty.send('\x03');
    tty.send('exit 11\r');
    assert.equal((await tty.ended).code, 11);
  });

  check('the terminal is raw meanwhile, and as before afterwards', async (world) => {
    const tty = terminal(world, shell, '; echo after; read line; echo "read $line"');
    await tty.until(/# /);
    assert.match(await tty.stty('-a'), /-icanon/);
    tty.send('exit\r');
    await tty.until(/after\r\n/);
    assert.match(await tty.stty('-a'), / icanon/);
    tty.send('typed\n');
    await tty.until(/read typed/);
    await tty.ended;
  });

  check(
    'Ctrl-P Ctrl-Q detaches, the container goes on; attach brings it back; other keys on request',
    async (world) => {
      const first = terminal(world, ['run', '-it', '--name', 'det', 'busybox', 'sh']);
      await first.until(/# /);
      first.send('echo one; X=kept\r');
      await first.until(/one\r\n/);
      first.send('\x10\x11');
      assert.equal((await first.ended).code, 0);
      assert.equal((await world.inspect('det')).State.Status, 'running');
      const second = terminal(world, ['attach', '--detach-keys', 'ctrl-x,x', 'det']);
      second.send('echo again $X\r');
      await second.until(/again kept\r\n/);
      second.send('\x10\x11'); // of no meaning now: the shell gets them
      second.send('\x18x');
      assert.match((await second.ended).stdout, /read escape sequence|again/);
      assert.equal((await world.inspect('det')).State.Status, 'running');
      const third = terminal(world, ['attach', 'det']);
      third.send('\rexit 3\r');
      assert.equal((await third.ended).code, 3);
      const told = [
        'events',
        '--since',
        '60s',
        '--until',
        '0s',
        '--filter',
        'container=det',
        '--format',
        '{{.Action}}',
      ];
      const joins = (await world.ok(told)).split('\n').filter((action) => /^(at|de)tach$/.test(action));
      assert.deepEqual(joins, ['attach', 'detach', 'attach', 'detach', 'attach']);
      await world.ok(['rm', 'det']);
    },
  );

  check('half of the detach keys reach the program when the rest does not come', async (world) => {
    const tty = terminal(world, [
      'run',
      '--rm',
      '-it',
      'busybox',
      'sh',
      '-c',
      'stty raw -echo; echo ready; head -c 3 | od -An -tx1',
    ]);
    await tty.until(/ready/);
    tty.send('\x10ab');
    await tty.until(/10 61 62/);
    await tty.ended;
  });

  check('exec -it: a terminal of its own in a container that has none', async (world) => {
    await world.ok(['run', '-d', '--name', 'plain', 'busybox', 'sleep', '100']);
    const tty = terminal(world, ['exec', '-it', 'plain', 'sh']);
    await tty.until(/# /);
    tty.send('stty size; tty; ps\r');
    await tty.until(/30 90\r\n\/dev\/pts\/\d+\r\n/);
    tty.send('exit 4\r');
    assert.equal((await tty.ended).code, 4);
    await world.ok(['rm', '-f', 'plain']);
  });

  check('vi draws, edits and saves', async (world) => {
    const tty = terminal(world, ['run', '--rm', '-it', 'busybox', 'sh', '-c', 'vi /tmp/f; cat /tmp/f']);
    await tty.until(/\/tmp\/f/);
    tty.send('iwritten in vi\x1b');
    await tty.until(/written in vi/);
    tty.send(':wq\r');
    assert.match((await tty.ended).stdout, /written in vi\r\n$/);
  });

  check('-t without a terminal on stdin is refused with -i, and makes one without', async (world) => {
    const refused = await world.hoist(shell);
    assert.deepEqual([refused.code, refused.stderr.includes('the input device is not a TTY')], [1, true]);
    const alone = await world.hoist([
      'run',
      '--rm',
      '-t',
      'busybox',
      'sh',
      '-c',
      'test -t 1 && echo tty; echo err >&2',
    ]);
    assert.deepEqual([alone.code, alone.stdout, alone.stderr], [0, 'tty\r\nerr\r\n', '']);
  });

  check('Ctrl-C without -t: the signal goes to the container, its code comes back', async (world) => {
    const script = 'trap "echo caught; exit 9" INT; echo ready; while :; do sleep 0.05; done';
    const tty = terminal(world, ['run', '--rm', 'busybox', 'sh', '-c', script]);
    await tty.until(/ready/);
    tty.send('\x03');
    const { code, stdout } = await tty.ended;
    assert.match(stdout, /caught/);
    assert.equal(code, 9);
  });

  check('signals sent to the command reach the container; --sig-proxy=false keeps them here', async (world) => {
    const script = 'trap "echo term; exit 8" TERM; trap "echo usr2" USR2; echo ready; while :; do sleep 0.05; done';
    const running = world.startHoist(['run', '--rm', 'busybox', 'sh', '-c', script]);
    await running.until(/ready/);
    running.child.kill('SIGUSR2');
    await running.until(/usr2/);
    running.child.kill('SIGTERM');
    assert.equal((await running.ended).code, 8);
    const apart = world.startHoist(['run', '--name', 'apart', '--sig-proxy=false', 'busybox', 'sh', '-c', script]);
    await apart.until(/ready/);
    apart.child.kill('SIGTERM');
    await apart.ended;
    assert.equal((await world.inspect('apart')).State.Status, 'running');
    await world.ok(['rm', '-f', 'apart']);
  });

  check('the terminal goes away (its window is closed): the container goes on', async (world) => {
    const tty = terminal(world, ['run', '-it', '--name', 'left', 'busybox', 'sh']);
    await tty.until(/# /);
    tty.child.kill('SIGKILL');
    await tty.ended;
    const again = terminal(world, ['attach', 'left']);
    again.send('echo still here\r');
    await again.until(/still here\r\n/);
    again.send('exit\r');
    await again.ended;
    await eventually('it has ended', async () => (await world.inspect('left')).State.Status === 'exited');
    await world.ok(['rm', 'left']);
  });

  for (const how of ['in the engine', 'in a process of its own']) {
    check(`login asks for what is missing, the password unseen: ${how}`, async (world) => {
      const at = how === 'in the engine' ? [] : ['-H', `unix://${path.join(world.runRoot, 'docker.sock')}`];
      const tty = terminal(world, [...at, 'login', 'localhost:9'], '; stty -a');
      await tty.until(/Username: /);
      tty.send('ann\r');
      await tty.until(/Password: /);
      await eventually('what is typed is not shown', async () => / -echo /.test(await tty.stty('-a')));
      tty.send('geheim\r');
      await tty.until(/localhost:9 refuses connections/);
      const { stdout } = await tty.ended;
      assert.match(stdout, / echo /, 'it is shown again afterwards');
      assert.doesNotMatch(stdout, /geheim/);
    });
  }
});
