// npm run bench:scale: the acts, with a root that has next to nothing and, in turns, with one of 1,000 stopped containers
// and 1,000 images. Those that have budgets may not grow by more than a fifth, nor the engine. SCALE (1000), BENCH_ROUNDS
// divides the rounds. Exits with 1 where one grew more.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { acts, image, resident } from './acts.ts';

const many = Number(process.env['SCALE'] ?? 1000);
const rounds = Math.max(10, Math.round(60 / Number(process.env['BENCH_ROUNDS'] ?? 1)));
const program = path.resolve('bin/hoist');

interface Root {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
}

function makeRoot(): Root {
  const home = mkdtempSync('/tmp/hoist-scale-');
  return { home, env: { ...process.env, HOIST_ROOT: `${home}/r`, HOIST_RUN_ROOT: `${home}/s` } };
}

const hoist = ({ env }: Root, ...args: string[]): string =>
  execFileSync(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] }).toString();

function time({ env }: Root, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`hoist ${args.join(' ')}: ${stderr}`);
  return performance.now() - start;
}

async function inParallel(root: Root, commands: readonly (readonly string[])[]): Promise<void> {
  const queue = [...commands];
  const worker = async (): Promise<void> => {
    for (let args = queue.shift(); args; args = queue.shift()) {
      const child = spawn(program, args, { env: root.env, stdio: 'ignore' });
      const code = await new Promise((resolve) => child.on('close', resolve));
      if (code !== 0) throw new Error(`hoist ${args.join(' ')}: exit code ${code}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

/** Containers of the one image, and images of one small layer each. */
async function fill(root: Root): Promise<void> {
  const each = Array.from({ length: many }, (_, i) => i);
  mkdirSync(`${root.home}/tar`);
  for (const i of each) {
    writeFileSync(`${root.home}/tar/file`, `${i}\n`);
    execFileSync('tar', ['-C', `${root.home}/tar`, '-cf', `${root.home}/${i}.tar`, 'file']);
  }
  await inParallel(
    root,
    each.map((i) => ['import', `${root.home}/${i}.tar`, `many:${i}`]),
  );
  await inParallel(
    root,
    each.map((i) => ['create', '--name', `many-${i}`, image, 'true']),
  );
}

/** The first quartile: noise only ever adds. */
const quartile = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 4)] ?? 0;

interface Measured {
  readonly name: string;
  readonly args: readonly string[];
  readonly before?: readonly string[];
  readonly budget: boolean;
}

const measured: readonly Measured[] = [
  ...acts.map(({ name, command }) => ({ name, args: command('hoist', []) ?? [], budget: true })),
  { name: 'images -q busybox', args: ['images', '-q', image], budget: false },
  { name: 'rmi of a name', before: ['tag', image, 'again'], args: ['rmi', 'again'], budget: false },
  { name: 'ps by an engine that has to start', before: ['engine', 'stop'], args: ['ps'], budget: false },
];

function engineMegabytes(root: Root): number {
  const pid = /PID:\s+(\d+)/.exec(hoist(root, 'engine', 'status'))?.[1];
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
}

function measure(empty: Root, full: Root): boolean {
  let kept = true;
  const show = (name: string, unit: string, less: number, more: number, within: string): void =>
    console.log(
      `${name.padEnd(40)} ${less.toFixed(1)} -> ${more.toFixed(1)} ${unit}  ${(more / less).toFixed(2)}x  ${within}`,
    );
  for (const { name, args, before, budget } of measured) {
    const times = [[], []] as [number[], number[]];
    for (let round = -5; round < (before ? 10 : rounds); round++) {
      for (const [i, root] of [empty, full].entries()) {
        if (before) hoist(root, ...before);
        const took = time(root, args);
        if (round >= 0) times[i]?.push(took);
      }
    }
    const [less, more] = [quartile(times[0]), quartile(times[1])];
    const within = more <= less * 1.2;
    kept &&= within || !budget;
    show(name, 'ms', less, more, budget ? (within ? 'kept' : 'MISSED') : 'no budget');
  }
  const [less, more] = [engineMegabytes(empty), engineMegabytes(full)];
  show('engine, RSS', 'MB', less, more, more <= 80 ? 'kept' : 'MISSED');
  return kept && more <= 80;
}

const roots = [makeRoot(), makeRoot()] as const;
let kept = false;
try {
  for (const root of roots) {
    hoist(root, 'image', 'bootstrap', 'busybox');
    hoist(root, 'run', '-d', '--name', resident, image, 'sleep', '100000');
  }
  const start = performance.now();
  await fill(roots[1]);
  console.log(
    `${many} images and ${many} containers made in ${((performance.now() - start) / 1000).toFixed(0)} s; first quartiles:`,
  );
  kept = measure(...roots);
} finally {
  for (const { env, home } of roots) {
    spawnSync(program, ['rm', '-f', resident], { env });
    spawnSync(program, ['engine', 'stop'], { env });
    rmSync(home, { recursive: true, force: true });
  }
}
process.exit(kept ? 0 : 1);
