// A world for kernel tests: a network namespace of its own, an engine with roots of its own, and the real bin/hoist.
// HOIST_UNDER_TEST names another binary than this tree's.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { whyNoContainers, whyNot } from '../machine.ts';
import { follow, type Result, type Running, type RunOptions } from './program.ts';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface World extends AsyncDisposable {
  /** Below it: root, run, and whatever a test writes. */
  readonly dir: string;
  readonly root: string;
  readonly runRoot: string;
  /** Name of the network namespace. */
  readonly network: string;
  readonly env: Readonly<Record<string, string>>;
  hoist(args: readonly string[], options?: RunOptions): Promise<Result>;
  /** The same, and it must succeed; returns stdout without the last newline. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Any program inside the namespace. */
  program(argv: readonly string[], options?: RunOptions): Promise<Result>;
  /** Started, not waited for; its stdin is a pipe. Killed with the world. */
  start(argv: readonly string[], options?: RunOptions): Running;
  startHoist(args: readonly string[], options?: RunOptions): Running;
  /** The process id of the engine; fails where none runs. */
  enginePid(): Promise<number>;
  engineLog(): string;
  /** The document of `inspect`. */
  inspect(ref: string): Promise<Inspected>;
}

/** What tests read of an inspect document. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly OOMKilled: boolean;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly Error: string;
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
  readonly Config: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly NetworkSettings: {
    readonly IPAddress: string;
    readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
  };
}

export const binary = process.env['HOIST_UNDER_TEST'] ?? path.join(repository, 'bin/hoist');

/** Short names: a run root is part of a socket's name. */
export async function openWorld(extraEnv: Readonly<Record<string, string>> = {}): Promise<World> {
  const dir = mkdtempSync(path.join(tmpdir(), 'hk-'));
  const network = `hk-${process.env['HOIST_TEST_RUN'] ?? ''}${randomBytes(4).toString('hex')}`;
  execFileSync('ip', ['netns', 'add', network]);
  execFileSync('ip', ['-n', network, 'link', 'set', 'lo', 'up']);
  const root = extraEnv['HOIST_ROOT'] ?? path.join(dir, 'root');
  const runRoot = path.join(dir, 'run');
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: dir,
    LC_ALL: 'C.UTF-8',
    HOIST_ROOT: root,
    HOIST_RUN_ROOT: runRoot,
    ...extraEnv,
  };
  const started = new Set<ChildProcess>();

  const start = (argv: readonly string[], options: RunOptions = {}): Running => {
    // `ip netns exec` would give the program a /sys of its own, without the cgroups
    const inside = ['nsenter', `--net=/run/netns/${network}`, ...argv];
    const [command = '', ...args] =
      options.input === 'closed' ? ['sh', '-c', 'exec 0<&-; exec "$@"', 'sh', ...inside] : inside;
    const child = spawn(command, args, {
      env: { ...env, ...options.env },
      cwd: options.cwd ?? dir,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    started.add(child);
    child.once('close', () => started.delete(child));
    return follow(child, options.timeout);
  };

  const program = (argv: readonly string[], options: RunOptions = {}): Promise<Result> => {
    const running = start(argv, options);
    running.child.stdin?.end(options.input === 'closed' ? '' : (options.input ?? ''));
    return running.ended;
  };

  const world: World = {
    dir,
    root,
    runRoot,
    network,
    env,
    start,
    program,
    startHoist: (args, options) => start([binary, ...args], options),
    hoist: (args, options) => program([binary, ...args], options),
    async ok(args, options) {
      const result = await world.hoist(args, options);
      assert.equal(
        result.code,
        0,
        `hoist ${args.join(' ')} -> ${result.code}\n${result.stderr}${result.stdout.slice(-2000)}`,
      );
      return result.stdout.replace(/\n$/, '');
    },
    async enginePid() {
      const status = await world.ok(['engine', 'status']);
      return Number(/^PID:\s+(\d+)$/m.exec(status)?.[1] ?? assert.fail(status));
    },
    engineLog() {
      try {
        return readFileSync(path.join(runRoot, 'engine.log'), 'utf8');
      } catch {
        return '';
      }
    },
    async inspect(ref) {
      return (JSON.parse(await world.ok(['inspect', ref])) as Inspected[])[0] ?? assert.fail(`no document of ${ref}`);
    },
    async [Symbol.asyncDispose]() {
      await removeAll(world).catch(() => undefined);
      await world.hoist(['engine', 'stop']).catch(() => undefined);
      for (const child of started) child.kill('SIGKILL');
      spawnSync('ip', ['netns', 'del', network]);
      for (const line of readFileSync('/proc/mounts', 'utf8').split('\n').reverse()) {
        const place = line.split(' ')[1] ?? '';
        if (place.startsWith(`${dir}/`)) spawnSync('umount', ['--lazy', place]);
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return world;
}

async function removeAll(world: World): Promise<void> {
  const ids = (await world.hoist(['ps', '-aq'])).stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await world.hoist(['rm', '-f', ...ids]);
}

/** Waits for something that another process does; fails with `what` after 15 s. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>, seconds = 15): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; ) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`not within ${seconds} s: ${what}`);
}

export type Check = (name: string, body: (world: World) => Promise<void>, skip?: string) => void;

export interface Subject {
  readonly env?: Readonly<Record<string, string>>;
  /** Programs that the tests need beyond what every Debian has. */
  readonly needs?: readonly string[];
  /** Runs once, before the first test. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Runs once, after the last one. */
  readonly finish?: (world: World) => void;
}

/** Tests of one subject share a world and an engine; they run one after the other. */
export function inWorld(name: string, subject: Subject, define: (check: Check) => void): void {
  const why = whyNoContainers() ?? whyNot('ip', 'nsenter', 'busybox', ...(subject.needs ?? []));
  test.suite(name, { skip: why ?? false }, () => {
    let world: World | undefined;
    test.before(async () => {
      world = await openWorld(subject.env);
      await subject.prepare?.(world);
    });
    test.after(async () => {
      if (world) subject.finish?.(world);
      await world?.[Symbol.asyncDispose]();
    });
    define((title, body, skip) => {
      test(title, { skip: skip ?? false, timeout: 120_000 }, async (context) => {
        if (!world) assert.fail('no world');
        const before = world.engineLog().length;
        try {
          await body(world);
        } catch (error) {
          context.diagnostic(`engine log: ${world.engineLog().slice(before).slice(-2000)}`);
          await removeAll(world).catch(() => undefined); // the next test starts with none
          throw error;
        }
      });
    });
  });
}

/** The image that most tests run: this machine's static busybox. */
export async function busybox(world: World): Promise<void> {
  await world.ok(['image', 'bootstrap', 'busybox']);
}

/** A static program of the container, made with the compiler that built hoist. Returns its path on the host. */
export function compile(world: World, name: string, source: string): string {
  const program = path.join(world.dir, name);
  execFileSync(process.env['CC'] ?? 'cc', ['-static', '-O1', '-o', program, '-x', 'c', '-'], { input: source });
  return program;
}
