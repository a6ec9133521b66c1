// explain --diff and explain --step: what two plans differ in, and a container that comes to be one op at a time.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Running } from './program.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

/** Waits until the stepper stands before an op of this name, the last thing that it said. */
async function standsBefore(running: Running, name: string): Promise<void> {
  const prompt = new RegExp(`(?:setup|child) \\d+/\\d+ {2}${name}\\b[^\\n]*\\n[^\\n]*\\n> $`);
  await eventually(`a stop before ${name}: …${running.complained().slice(-300)}`, () =>
    prompt.test(running.complained()),
  );
}

function childPid(running: Running): number {
  return Number(
    /in the new process, (\d+) of the host/.exec(running.complained())?.[1] ?? assert.fail(running.complained()),
  );
}

function cgroups(): string[] {
  const dir = ['/sys/fs/cgroup/pids/hoist', '/sys/fs/cgroup/hoist'].find(existsSync) ?? '';
  return existsSync(dir) ? readdirSync(dir).filter((name) => /^[0-9a-f]{64}$/.test(name)) : [];
}

async function nothingLeft(world: World, before: readonly string[]): Promise<void> {
  assert.equal(await world.ok(['ps', '-aq']), '');
  await eventually('the container is gone from the disk', () =>
    [path.join(world.root, 'containers'), path.join(world.runRoot, 'c')].every(
      (dir) => !existsSync(dir) || readdirSync(dir).length === 0,
    ),
  );
  const known = new Set(before);
  await eventually('its cgroup is gone', () => cgroups().every((id) => known.has(id)));
}

inWorld('explain', { prepare: busybox }, (check) => {
  check('--diff shows what a flag changes, with its why, and nothing else', async (world) => {
    const diff = await world.ok([
      'explain',
      '--diff',
      'run',
      'busybox',
      'true',
      '--',
      'run',
      '--pids-limit',
      '7',
      'busybox',
      'true',
    ]);
    assert.match(diff, /^# setup: .*\n\+ *\d+ {2}writeFile path=\S+\/pids.max data="7" flags=0x1\n {8}--pids-limit$/);
    await world.ok(['run', '--rm', 'busybox', 'true']);
    const same = ['run', '-v', '/unnamed', '-p', '8080:80', '-v', '/tmp:/t', 'busybox', 'true'];
    assert.equal(await world.ok(['explain', '--diff', ...same, '--', ...same]), 'the plans are the same');
  });

  check('--diff --json, arguments with a -- of their own, an exec', async (world) => {
    const json = await world.ok([
      'explain',
      '--diff',
      '--json',
      'run',
      'busybox',
      'sh',
      '--',
      'x',
      '--',
      'create',
      '--read-only',
      'busybox',
      'sh',
      '--',
      'x',
    ]);
    const found = JSON.parse(json) as { section: string; after?: { op: string; why: string } }[];
    assert.ok(
      found.some(
        ({ section, after }) => section === 'child' && after?.op === 'mountAttr' && after.why === '--read-only',
      ),
    );
    await world.ok(['run', '-d', '--name', 'ex', 'busybox', 'sleep', '1000']);
    const exec = await world.ok(['explain', '--diff', 'exec', 'ex', 'id', '--', 'exec', '-u', '5', 'ex', 'id']);
    assert.match(exec, /^\+ *\d+ {2}ids uid=5/m);
    assert.match(exec, /^- *\d+ {2}capabilities effective=/m);
    await world.ok(['rm', '-f', 'ex']);
    const wrong = await world.hoist(['explain', '--diff', 'run', 'busybox', 'true']);
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /--diff compares two command lines, with -- between them/);
  });

  check('what the engine does besides the plan: volumes, names, health, stop, restart, --rm', async (world) => {
    await world.ok(['network', 'create', 'explained']);
    const flags = [
      '--rm',
      '-v',
      'data:/d',
      '--network',
      'explained',
      '--network-alias',
      'db',
      '--health-cmd',
      'test -e /x',
      '--stop-signal',
      'INT',
    ];
    const diff = await world.ok([
      'explain',
      '--diff',
      'run',
      'busybox',
      'true',
      '--',
      'run',
      ...flags,
      'busybox',
      'true',
    ]);
    for (const line of [
      /^\+ +before: volume data, made where it is missing/m,
      /^\+ +before: network explained: its name server answers for db$/m,
      /^\+ +while it runs: every 30 s "test -e \/x" in it, for 30 s at most; unhealthy after 3 failures \(--health-cmd\)$/m,
      /^\+ +stop: INT, and SIGKILL after 10 s \(--stop-signal, --stop-timeout\)$/m,
      /^\+ +after its end: removed, with the volumes that nobody named \(--rm\)$/m,
    ])
      assert.match(diff, line);
    assert.match(
      await world.ok(['explain', 'run', '--restart', 'always', 'busybox']),
      /^# engine: besides the plan\n +after its end: started again, always \(--restart\)\n\n# setup:/,
    );
    assert.equal(await world.ok(['volume', 'ls', '-q']), '');
    await world.ok(['network', 'rm', 'explained']);
  });

  check('--step: from clone to execve, with a look into the half-made container', async (world) => {
    const before = cgroups();
    const running = world.startHoist([
      'explain',
      '--step',
      'run',
      '--rm',
      '-h',
      'half',
      'busybox',
      'sh',
      '-c',
      'hostname; exit 3',
    ]);
    await standsBefore(running, 'title');
    running.send('clone\n');
    await standsBefore(running, 'clone');
    assert.equal(await world.ok(['ps', '-a', '--format', '{{.Status}}']), 'Created');
    running.send('pivotRoot\n');
    await standsBefore(running, 'pivotRoot');
    const pid = childPid(running);
    assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('hoist'), true);
    for (const kind of ['mnt', 'pid', 'net', 'uts', 'ipc'])
      assert.notEqual(readlinkSync(`/proc/${pid}/ns/${kind}`), readlinkSync(`/proc/self/ns/${kind}`), kind);
    assert.ok(existsSync(`/proc/${pid}/root/proc/1/cmdline`), 'its / is still the host');
    assert.match(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), /\/rootfs .* overlay /);
    running.send('\n');
    await standsBefore(running, 'netlink');
    assert.ok(existsSync(`/proc/${pid}/root/bin/busybox`) && !existsSync(`/proc/${pid}/root${world.dir}`));
    running.send('capabilities\n');
    await standsBefore(running, 'capabilities');
    const status = (): string => readFileSync(`/proc/${pid}/status`, 'utf8');
    assert.match(status(), /^CapBnd:\s+0000[0-9a-f]*[1-9a-f][0-9a-f]{8,}$/m);
    assert.match(status(), /^Seccomp:\s+2$/m);
    running.send('\n');
    await standsBefore(running, 'umask');
    assert.match(status(), /^CapBnd:\s+00000000a80425fb$/m);
    running.send('exec\n');
    await standsBefore(running, 'exec');
    assert.equal(running.said(), '');
    running.send('c\n');
    const { code, stdout } = await running.ended;
    assert.deepEqual([code, stdout], [3, 'half\n']);
    await nothingLeft(world, before);
  });

  check('--step: quit undoes everything, wherever it stands', async (world) => {
    const before = cgroups();
    for (const name of ['title', 'clone', 'netlink', 'mountClassic', 'pivotRoot', 'seccomp', 'exec', 'keep']) {
      const result = await world.hoist(['explain', '--step', 'run', '-p', '8099:80', 'busybox', 'sleep', '100'], {
        input: `${name}\nq\n`,
      });
      assert.equal(result.code, 0, result.stderr);
      assert.match(result.stderr, /undoing what was done\nnothing of it is left\n$/, name);
      await nothingLeft(world, before);
    }
    const ended = await world.hoist(['explain', '--step', 'run', 'busybox', 'true'], { input: 'pivotRoot\n' });
    assert.match(ended.stderr, /nothing of it is left\n$/);
    await nothingLeft(world, before);
  });

  check('--step: a client that is killed leaves nothing either', async (world) => {
    const before = cgroups();
    const running = world.startHoist(['explain', '--step', 'run', 'busybox', 'sleep', '100']);
    running.send('pivotRoot\n');
    await standsBefore(running, 'pivotRoot');
    running.child.kill('SIGKILL');
    await eventually('no container', async () => (await world.ok(['ps', '-aq'])) === '');
    await nothingLeft(world, before);
  });

  check('--step: an op that fails is told as ever, with its own number', async (world) => {
    const args = ['run', '--rm', 'busybox', 'no-such-program'];
    const plain = await world.hoist(args);
    const stepped = await world.hoist(['explain', '--step', ...args], { input: 'c\n' });
    assert.equal(stepped.code, 127);
    assert.ok(stepped.stderr.includes(plain.stderr.split('\n')[0] ?? '?'), stepped.stderr);
  });

  check("--step: exec, -d, -i, --init; input after the c is the program's", async (world) => {
    const id = await world.hoist(
      ['explain', '--step', 'run', '-d', '--init', '--name', 'dd', 'busybox', 'sleep', '1000'],
      { input: 'c\n' },
    );
    assert.match(id.stdout, /^[0-9a-f]{64}\n$/);
    const exec = await world.hoist(['explain', '--step', 'exec', 'dd', 'echo', 'inside'], { input: 'exec\n\n\n\n' });
    assert.deepEqual([exec.code, exec.stdout], [0, 'inside\n']);
    const cat = world.startHoist(['explain', '--step', 'run', '--rm', '-i', 'busybox', 'cat']);
    await standsBefore(cat, 'title');
    cat.send('c\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    cat.send('for cat\n');
    cat.child.stdin?.end();
    assert.equal((await cat.ended).stdout, 'for cat\n');
    await world.ok(['rm', '-f', 'dd']);
  });

  check('--step goes with run and exec alone', async (world) => {
    for (const [args, words] of [
      [['--step', 'create', 'busybox'], /create runs nothing: --step is for run and exec/],
      [['--step', '--json', 'run', 'busybox'], /--step goes without --json and --diff/],
      [['--step', 'ps'], /there is no plan for "ps"/],
    ] as const) {
      const result = await world.hoist(['explain', ...args]);
      assert.notEqual(result.code, 0);
      assert.match(result.stderr, words);
    }
  });
});
