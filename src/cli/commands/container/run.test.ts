// run, exec, start and attach: the order of calls, exit codes, signals, sizes, and what a failure leaves behind.

import assert from 'node:assert/strict';
import test from 'node:test';
import { HoistError } from '../../../base/errors.ts';
import { runCli } from '../../app.ts';
import type { AttachEnd } from '../../io.ts';
import { container } from '../../testing/documents.ts';
import { type FakeEngine, type FakeWorld, fakeEngine, id64 } from '../../testing/engine.ts';
import { type FakeIo, type FakeIoOptions, fakeIo } from '../../testing/io.ts';

interface Outcome {
  readonly code: number;
  readonly io: FakeIo;
  readonly engine: FakeEngine;
  readonly verbs: readonly unknown[];
}

async function hoist(line: string, world: FakeWorld = {}, options: FakeIoOptions = {}): Promise<Outcome> {
  const io = fakeIo(options);
  const engine = fakeEngine(world);
  const code = await runCli(line.split(' '), io, () => engine);
  return { code, io, engine, verbs: engine.calls.map(([verb]) => verb) };
}

const ends = (end: AttachEnd): FakeIoOptions => ({ attach: async () => end });

test("a foreground run waits from before the start, is attached, and exits with the container's code", async () => {
  const { code, io, engine, verbs } = await hoist('run busybox sh', { exitCode: 42 });
  assert.equal(code, 42);
  assert.deepEqual(verbs, ['create', 'wait', 'start']);
  assert.deepEqual(engine.calls[1], ['wait', id64('c'), 'next-exit']);
  assert.deepEqual(
    io.attached.map(({ request }) => ({ ...request, detachKeys: [...request.detachKeys] })),
    [{ stdin: false, stdout: true, stderr: true, detachKeys: [16, 17] }],
  );
  assert.equal(io.out() + io.err(), '');
});

test('--rm waits for the removal', async () => {
  const { engine } = await hoist('run --rm -i busybox');
  assert.deepEqual(
    engine.calls.find(([verb]) => verb === 'wait'),
    ['wait', id64('c'), 'removed'],
  );
});

test('-d prints the id and attaches nothing', async () => {
  const { code, io, verbs } = await hoist('run -d busybox');
  assert.deepEqual([code, io.out(), io.attached.length], [0, `${id64('c')}\n`, 0]);
  assert.deepEqual(verbs, ['create', 'start']);
});

test('detaching ends the command and not the container', async () => {
  assert.equal((await hoist('run -i busybox', { exitCode: 9 }, ends({ reason: 'detached' }))).code, 0);
});

test('a reader that goes away ends the command as SIGPIPE would', async () => {
  assert.equal((await hoist('run busybox', { exitCode: 9 }, ends({ reason: 'output-closed' }))).code, 141);
});

test('a keeper that is lost leaves the exit code to the engine', async () => {
  assert.equal((await hoist('run busybox', { exitCode: 137 }, ends({ reason: 'lost' }))).code, 137);
});

test('an image that is not here is pulled, with the news on stderr', async () => {
  const { code, io, verbs } = await hoist('run busybox', { registry: ['busybox'] });
  assert.equal(code, 0);
  assert.deepEqual(verbs, ['create', 'pull', 'create', 'wait', 'start']);
  assert.equal(io.out(), '');
  assert.equal(
    io.err(),
    `Unable to find image 'busybox:latest' locally\nlatest: Pulling from library/busybox\naaaaaaaaaaaa: Pulling fs layer\naaaaaaaaaaaa: Pull complete\nDigest: sha256:${id64('2')}\nStatus: Downloaded newer image for busybox:latest\n`,
  );
});

test('--pull always and never; -q says nothing', async () => {
  assert.deepEqual((await hoist('run --pull always busybox', { registry: ['busybox'] })).verbs.slice(0, 2), [
    'pull',
    'create',
  ]);
  const never = await hoist('run --pull=never busybox', { registry: [] });
  assert.deepEqual([never.code, never.verbs], [125, ['create']]);
  assert.match(never.io.err(), /^hoist: Error response from daemon: No such image: busybox\n/);
  assert.equal((await hoist('run -q busybox', { registry: ['busybox'] })).io.err(), '');
  assert.equal((await hoist('run --pull sometimes busybox')).code, 125);
});

for (const [kind, exit, message] of [
  ['command_not_found', 127, 'exec: "foo": executable file not found in $PATH'],
  ['not_executable', 126, 'exec: "/etc": permission denied'],
  ['system', 125, 'cannot mount /proc in the container'],
] as const) {
  test(`a start that fails with ${kind} exits ${exit}, and --rm leaves nothing behind`, async () => {
    const startFails = (): never => {
      throw new HoistError(kind, 'start.failed', message, { hint: 'look again' });
    };
    const { code, io, engine } = await hoist('run --rm busybox foo', { startFails });
    assert.equal(code, exit);
    const prefix = kind === 'system' ? 'Error response from daemon: ' : '';
    assert.equal(
      io.err(),
      `hoist: ${prefix}${message}\nhint: look again\n\nRun 'hoist run --help' for more information\n`,
    );
    assert.ok(engine.calls.some(([verb, ref]) => verb === 'rm' && ref === id64('c')));
    const kept = await hoist('run busybox foo', { startFails });
    assert.ok(!kept.verbs.includes('rm'));
  });
}

test('signals go to the container; those of the command itself do not; --sig-proxy=false keeps none', async () => {
  const options: FakeIoOptions = {
    attach: async () => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGCHLD', 'SIGPIPE', 'SIGURG', 'SIGWINCH', 'SIGUSR1'])
        raised.push(current?.raise(signal));
      return { reason: 'exited', code: 0 };
    },
  };
  const raised: (boolean | undefined)[] = [];
  let current: FakeIo | undefined;
  const run = async (line: string): Promise<FakeEngine> => {
    current = fakeIo(options);
    const engine = fakeEngine();
    await runCli(line.split(' '), current, () => engine);
    return engine;
  };
  const engine = await run('run busybox');
  assert.deepEqual(
    engine.calls.filter(([verb]) => verb === 'kill').map(([, , signal]) => signal),
    ['SIGINT', 'SIGTERM', 'SIGUSR1'],
  );
  assert.equal(current?.raise('SIGINT'), false, 'nobody listens afterwards');
  const deaf = await run('run --sig-proxy=false busybox');
  assert.ok(!deaf.calls.some(([verb]) => verb === 'kill'));
});

test('a terminal sends its size at the start and when it changes', async () => {
  let io: FakeIo | undefined;
  const options: FakeIoOptions = {
    tty: true,
    size: { rows: 40, columns: 120 },
    attach: async () => {
      io?.resized();
      return { reason: 'exited', code: 0 };
    },
  };
  io = fakeIo(options);
  const engine = fakeEngine();
  await runCli(['run', '-it', 'busybox'], io, () => engine);
  const sizes = engine.calls.filter(([verb]) => verb === 'resize').map(([, , size]) => size);
  assert.deepEqual(sizes, [
    { rows: 40, columns: 120 },
    { rows: 40, columns: 120 },
  ]);
});

test('-it without a terminal, and -d with -a, are refused before anything is made', async () => {
  for (const [line, message] of [
    ['run -it busybox', 'the input device is not a TTY\n'],
    ['run -d -a stdout busybox', 'conflicting options: cannot specify both --attach and --detach\n'],
  ] as const) {
    const { code, io, engine } = await hoist(line);
    assert.deepEqual([code, io.err(), engine.calls], [1, message, []]);
  }
  assert.equal((await hoist('run -t busybox')).code, 0);
});

test('the cidfile is written once, and one that is there stops the run', async () => {
  const { io } = await hoist('run --cidfile id busybox');
  assert.equal(io.files.get('id'), id64('c'));
  const again = await hoist('run --cidfile id busybox', {}, { files: { id: 'x' } });
  assert.deepEqual([again.code, again.verbs], [125, []]);
  assert.match(
    again.io.err(),
    /^hoist: container ID file found, make sure the other container isn't running or delete id\n/,
  );
});

test("the end of the client ends the command with the signal's code", async () => {
  const never = new Promise<AttachEnd>(() => undefined);
  const io = fakeIo({ attach: () => never });
  const engine = fakeEngine();
  const keepAlive = setInterval(() => undefined, 50);
  const code = runCli(['run', 'busybox'], io, () => engine);
  setTimeout(() => io.abort.abort('SIGTERM'), 20);
  assert.equal(await code, 143);
  clearInterval(keepAlive);
});

test('exec attaches, and exits as the process did', async () => {
  const world = { containers: [container], exitCode: 3 };
  const { code, engine, io } = await hoist('exec -i -e A=1 -w /x -u me web cat -n', world);
  assert.equal(code, 3);
  const [, , request] = engine.calls[0] ?? [];
  assert.deepEqual(request, {
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Env: ['A=1'],
    Cmd: ['cat', '-n'],
    User: 'me',
    WorkingDir: '/x',
    Privileged: false,
  });
  assert.equal(io.attached.length, 1);
  const detached = await hoist('exec -d web true', world);
  assert.deepEqual([detached.code, detached.io.attached.length], [0, 0]);
});

test('exec of a command that is not there exits 127', async () => {
  const startFails = (): never => {
    throw new HoistError('command_not_found', 'exec.not_found', 'exec: "nope": executable file not found in $PATH');
  };
  const { code, io } = await hoist('exec web nope', { containers: [container], startFails });
  assert.deepEqual([code, io.err()], [127, 'exec: "nope": executable file not found in $PATH\n']);
});

test('start -a waits and attaches, start of several goes on after a failure', async () => {
  const attached = await hoist('start -a web', { containers: [container], exitCode: 5 });
  assert.deepEqual([attached.code, attached.verbs], [5, ['wait', 'start']]);
  const several = await hoist('start nope web', { containers: [container] });
  assert.equal(several.code, 1);
  assert.equal(several.io.out(), 'web\n');
  assert.equal(
    several.io.err(),
    'Error response from daemon: No such container: nope\nError: failed to start containers: nope\n',
  );
});

test('attach refuses a container that does not run', async () => {
  const stopped = { ...container, State: { ...container.State, Running: false } };
  const { code, io } = await hoist('attach web', { containers: [stopped] });
  assert.deepEqual([code, io.err()], [1, 'cannot attach to a stopped container, start it first\n']);
  assert.equal((await hoist('attach web', { containers: [container], exitCode: 7 })).code, 7);
});
