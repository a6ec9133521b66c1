// The native executor, from outside: real processes out of small plans, what they inherit, what outlives what.
// Needs no root: these plans make no namespaces.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodePlan } from '../src/plan/encode.ts';
import { k, type Op, op, type Plan, stage } from '../src/plan/ops.ts';
import { joinKeeper } from '../src/runtime/keeper.ts';
import { type Executor, startExecutor } from '../src/sys/executor.ts';

const binary = process.env['HOIST_UNDER_TEST'] ?? fileURLToPath(new URL('../bin/hoist', import.meta.url));
const skip = existsSync(binary) ? false : 'bin/hoist is not built';

interface Bench {
  readonly executor: Executor;
  readonly dir: string;
}

function bench(t: TestContext): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'x-'));
  const executor = startExecutor(binary, () => {});
  const awake = setInterval(() => {}, 1000); // the executor alone does not keep Node alive
  t.after(async () => {
    await executor[Symbol.asyncDispose]();
    clearInterval(awake);
    rmSync(dir, { recursive: true });
  });
  return { executor, dir };
}

/** A program with three pipes and a keeper, as a container has them, and nothing else of a container. */
function keptPlan(
  dir: string,
  argv: readonly string[],
  more: { setup?: Op[]; child?: Op[]; cleanup?: Op[] } = {},
): Plan {
  return {
    setup: [
      op('listen', { path: join(dir, 's'), mode: 0o600, out: 'listen' }, ''),
      op('report', { stage: stage.attachable }, ''),
      ...(more.setup ?? []),
      op('pipe', { capacity: 0, read: 'in.child', write: 'in' }, ''),
      op('pipe', { capacity: 0, read: 'out', write: 'out.child' }, ''),
      op('pipe', { capacity: 0, read: 'err', write: 'err.child' }, ''),
      op('clone', { flags: 0, cgroup: undefined, pidfd: 'pidfd' }, ''),
      ...['in.child', 'out.child', 'err.child'].map((slot) => op('close', { slot }, '')),
      op('signal', {}, ''),
      op('awaitExec', {}, ''),
      op('report', { stage: stage.running }, ''),
      op(
        'keep',
        {
          listen: 'listen',
          in: 'in',
          out: 'out',
          err: 'err',
          tty: undefined,
          log: join(dir, 'log'),
          logMax: 0,
          logFiles: 1,
          exitPath: join(dir, 'exit.json'),
          oomPath: '',
          flags: 0,
          expect: 1,
        },
        '',
      ),
    ],
    child: [
      ...(more.child ?? []),
      op('await', {}, ''),
      op('session', { tty: undefined }, ''),
      op('stdio', { in: 'in.child', out: 'out.child', err: 'err.child' }, ''),
      op('exec', { paths: [argv[0] ?? ''], argv, env: ['A=b'] }, ''),
    ],
    cleanup: [op('unlink', { path: join(dir, 's') }, '', k.ENOENT), ...(more.cleanup ?? [])],
  };
}

async function launch(
  t: TestContext,
  { executor, dir }: Bench,
  plan: Plan,
): Promise<{ pid: number; end: (signal: number) => Promise<number> }> {
  let pid = 0;
  let link: ReturnType<typeof joinKeeper> | undefined;
  const result = await executor.run(plan, 'launch', (reached, childPid) => {
    if (reached === stage.attachable) link = joinKeeper(join(dir, 's'));
    else pid = childPid;
  });
  assert.ok(result.ok, JSON.stringify(result));
  const joined = await (link ?? assert.fail('not attachable'));
  t.after(() => {
    joined.kill(9); // where the test failed before its end
    joined.close();
  });
  return {
    pid,
    async end(signal) {
      if (signal > 0) joined.kill(signal);
      return (await joined.ended)?.exitCode ?? assert.fail('the keeper went away');
    },
  };
}

/** A program that waits, once its dynamic linker has closed its files. */
const waiting = ['/bin/sh', '-c', 'echo ready; read line'];
async function ready(dir: string): Promise<void> {
  const log = join(dir, 'log');
  while (!existsSync(log) || !readFileSync(log, 'utf8').includes('ready')) await new Promise((go) => setTimeout(go, 5));
}

const fdsOf = (pid: number): string[] => readdirSync(`/proc/${pid}/fd`).sort();

test('a process gets exactly the descriptors 0, 1 and 2, whatever the executor and the plan have open', {
  skip,
}, async (t) => {
  const world = bench(t);
  const spare: Op[] = ['a', 'b', 'c'].map((out) =>
    op('open', { dir: undefined, path: '/', flags: k.O_RDONLY, mode: 0, resolve: 0, out }, ''),
  );
  // one that the executor holds for its life, as it does the engine's lock
  const held = op('open', { dir: undefined, path: '/etc', flags: k.O_RDONLY, mode: 0, resolve: 0, out: 'held' }, '');
  const hold: Plan = { setup: [held, op('hold', { slot: 'held' }, '')], child: [], cleanup: [] };
  assert.ok((await world.executor.run(hold, 'here')).ok);
  const { pid, end } = await launch(t, world, keptPlan(world.dir, waiting, { setup: spare, child: spare }));
  await ready(world.dir);
  assert.deepEqual(fdsOf(pid), ['0', '1', '2']);
  for (const fd of ['0', '1', '2']) assert.match(readlinkSync(`/proc/${pid}/fd/${fd}`), /^pipe:/);
  assert.deepEqual(readFileSync(`/proc/${pid}/environ`, 'utf8'), 'A=b\0');
  const keeper = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const kept = fdsOf(keeper).map((fd) => readlinkSync(`/proc/${keeper}/fd/${fd}`));
  assert.ok(!kept.includes('/etc'), 'a keeper lets go of what the executor holds');
  assert.equal(await end(9), 137);
  assert.match(readFileSync(join(world.dir, 'exit.json'), 'utf8'), /^\{"exitCode":137,/);
});

test('attack: /proc/self/exe of a process that has not yet become its program is no file of the host', {
  skip,
}, async (t) => {
  const { executor, dir } = bench(t);
  await executor.run({ setup: [], child: [], cleanup: [] }, 'here');
  assert.match(readlinkSync(`/proc/${executor.pid}/exe`), /^\/memfd:hoist/);
  const { pid, end } = await launch(t, { executor, dir }, keptPlan(dir, waiting));
  const keeper = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  assert.match(readlinkSync(`/proc/${keeper}/exe`), /^\/memfd:hoist/);
  await end(9);
});

test('the exit code and both streams are in the record and the log; cleanup has run', { skip }, async (t) => {
  const world = bench(t);
  const mark = op('mkdir', { path: join(world.dir, 'mark'), mode: 0o755 }, '');
  const plan = keptPlan(world.dir, ['/bin/sh', '-c', 'echo out; echo err >&2; exit 7'], { cleanup: [mark] });
  const { end } = await launch(t, world, plan);
  assert.equal(await end(0), 7);
  const log = readFileSync(join(world.dir, 'log'), 'utf8');
  assert.match(log, /stdout F out\n/);
  assert.match(log, /stderr F err\n/);
  assert.ok(existsSync(join(world.dir, 'mark')) && !existsSync(join(world.dir, 's')));
});

test('a failure names the section, the op and the errno; what follows is not done, cleanup is', { skip }, async (t) => {
  const { executor, dir } = bench(t);
  const make = (name: string): Op => op('mkdir', { path: join(dir, name), mode: 0o755 }, '');
  const failed = { ok: false, failure: { section: 'setup', index: 1, errno: k.EEXIST } };
  for (const manner of ['here', 'fork', 'launch'] as const) {
    const plan: Plan = {
      setup: [make(manner), make(manner), make(`${manner}-never`)],
      child: [],
      cleanup: [make(`${manner}-clean`)],
    };
    assert.deepEqual(await executor.run(plan, manner), failed);
    assert.ok(existsSync(join(dir, `${manner}-clean`)) && !existsSync(join(dir, `${manner}-never`)));
  }
  const child = keptPlan(dir, ['/nonexistent/program']);
  const index = child.child.length - 1;
  assert.deepEqual(await executor.run(child, 'launch'), {
    ok: false,
    failure: { section: 'child', index, errno: k.ENOENT },
  });
  const early = keptPlan(dir, ['/bin/true'], { child: [make('here')] });
  assert.deepEqual(await executor.run(early, 'launch'), {
    ok: false,
    failure: { section: 'child', index: 0, errno: k.EEXIST },
  });
});

/** The executor without its TypeScript bridge, so that the bytes can be wrong. */
function rawExecutor(t: TestContext): {
  child: ChildProcess;
  send: (body: Buffer) => void;
  frame: () => Promise<Buffer>;
} {
  const child = spawn(binary, ['--hoist-executor'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const socket = child.stdio[3] as import('node:net').Socket;
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  return {
    child,
    send(body) {
      const head = Buffer.alloc(9);
      head.writeUInt32LE(body.length + 5, 0);
      head.writeUInt32LE(77, 4);
      socket.write(Buffer.concat([head, body]));
    },
    async frame() {
      while (bytes.length < 4 || bytes.length < bytes.readUInt32LE(0) + 4)
        await new Promise((go) => socket.once('data', go));
      const length = bytes.readUInt32LE(0) + 4;
      const one = bytes.subarray(4, length);
      bytes = bytes.subarray(length);
      return one;
    },
  };
}

test('attack: a malformed plan is refused as a whole, none of it is done, and the executor goes on', {
  skip,
}, async (t) => {
  const { executor: _, dir } = bench(t);
  const raw = rawExecutor(t);
  const good = encodePlan({
    setup: [op('mkdir', { path: join(dir, 'made'), mode: 0o755 }, '')],
    child: [],
    cleanup: [],
  });
  const refused = Buffer.from([2, 77, 0, 0, 0, 3, 0, 0, 0, 0, 0xb6, 0xff, 0xff, 0xff]); // the plan itself, EBADMSG
  for (const bad of [
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    Buffer.alloc(0),
    Buffer.alloc(64, 0xff),
  ]) {
    raw.send(bad);
    assert.deepEqual(await raw.frame(), refused);
    assert.ok(!existsSync(join(dir, 'made')));
  }
  raw.send(good);
  assert.equal((await raw.frame())[0], 1);
  assert.ok(existsSync(join(dir, 'made')));
});

test('attack: a request of an impossible length ends the executor, and nothing else', { skip }, async (t) => {
  const raw = rawExecutor(t);
  (raw.child.stdio[3] as import('node:net').Socket).write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]));
  assert.equal(await new Promise((resolve) => raw.child.once('exit', resolve)), 0);
});

test('a keeper and its program outlive the executor, even killed', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'x-'));
  t.after(() => rmSync(dir, { recursive: true }));
  let died = (_: string): void => {};
  const death = new Promise<string>((resolve) => {
    died = resolve;
  });
  const executor = startExecutor(binary, (reason) => died(reason));
  const { pid, end } = await launch(t, { executor, dir }, keptPlan(dir, waiting));
  process.kill(executor.pid, 'SIGKILL');
  assert.match(await death, /SIGKILL/);
  await assert.rejects(async () => executor.run({ setup: [], child: [], cleanup: [] }, 'here'));
  await ready(dir);
  assert.deepEqual(fdsOf(pid), ['0', '1', '2']);
  assert.equal(await end(15), 128 + 15);
  assert.match(readFileSync(join(dir, 'exit.json'), 'utf8'), /"exitCode":143/);
});

test('eighty plans at once get their own answers', { skip }, async (t) => {
  const { executor, dir } = bench(t);
  const mkdir = (name: string): Op => op('mkdir', { path: join(dir, name), mode: 0o755 }, '');
  const answers = await Promise.all(
    Array.from({ length: 80 }, (_, i) => {
      const before = Array.from({ length: i % 7 }, (_, n) => mkdir(`${i}-${n}`));
      const plan: Plan = { setup: [...before, mkdir(i % 2 === 0 ? `${i}` : '.')], child: [], cleanup: [] };
      return executor.run(plan, i % 4 < 2 ? 'here' : 'fork');
    }),
  );
  answers.forEach((answer, i) => {
    if (i % 2 === 0) assert.ok(answer.ok);
    else assert.deepEqual(answer, { ok: false, failure: { section: 'setup', index: i % 7, errno: k.EEXIST } });
  });
});
