// npm run bench: the acts of acts.ts with every engine that is installed, in turns, so that noise meets all alike.
// Prints medians, ratios to Hoist and the budget. BENCH_DOCKER, BENCH_PODMAN name other ways to call those
// (`BENCH_DOCKER="nsenter … docker"`); BENCH_ROUNDS divides the work.
//
// Hoist is measured with an engine of its own, roots of its own, and as root with the network it is started in.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Act, acts, type EngineName, image, resident } from './acts.ts';
import { connection } from './load-clients.ts';

const home = mkdtempSync('/tmp/hoist-bench-');
const env = { ...process.env, HOIST_ROOT: `${home}/r`, HOIST_RUN_ROOT: `${home}/s` };
const hoist = [path.resolve('bin/hoist')];
const engines = new Map<EngineName, readonly string[]>([['hoist', hoist]]);

function run(command: readonly string[], input?: Buffer): string {
  const [program = '', ...args] = command;
  return execFileSync(program, args, { env, input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 30 }).toString();
}

function works(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { env, stdio: 'ignore' }).status === 0;
}

function time(command: readonly string[]): number {
  const [program = '', ...args] = command;
  const start = performance.now();
  const { status, stderr } = spawnSync(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return performance.now() - start;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function setUp(): void {
  run([...hoist, 'image', 'bootstrap', 'busybox']);
  run([...hoist, 'run', '-d', '--name', resident, image, 'sleep', '100000']);
  const archive = rootTar();
  for (const name of ['docker', 'podman'] as const) {
    const call = (process.env[`BENCH_${name.toUpperCase()}`] ?? name).split(' ');
    if (!works([...call, 'info'])) continue;
    run([...call, 'import', '-', image], archive);
    if (!works([...call, 'run', '-d', '--name', resident, image, 'sleep', '100000'])) continue;
    engines.set(name, call);
  }
  const crun = works(['crun', '--version']) ? crunBundle(archive) : undefined;
  if (crun && works(crun)) engines.set('crun', crun); // it refuses machines with hybrid cgroups
}

/** busybox and links to it, as a tar: what every engine gets. */
function rootTar(): Buffer {
  const root = `${home}/root`;
  mkdirSync(`${root}/bin`, { recursive: true });
  for (const dir of ['proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(`${root}/${dir}`);
  run(['cp', '/bin/busybox', `${root}/bin/busybox`]);
  for (const applet of ['sh', 'true', 'cat', 'sleep', 'echo']) run(['ln', '-s', 'busybox', `${root}/bin/${applet}`]);
  return execFileSync('tar', ['-C', root, '-c', '.'], { maxBuffer: 1 << 28 });
}

function crunBundle(archive: Buffer): readonly string[] {
  const bundle = `${home}/bundle`;
  mkdirSync(`${bundle}/rootfs`, { recursive: true });
  run(['tar', '-C', `${bundle}/rootfs`, '-x'], archive);
  execFileSync('crun', ['spec'], { cwd: bundle });
  const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8'));
  config.process.args = ['/bin/true'];
  config.process.terminal = false;
  writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
  return ['crun', 'run', '-b', bundle, `bench-${process.pid}`];
}

function measure(act: Act): void {
  const times = new Map<EngineName, number[]>();
  const rounds = Math.max(3, Math.round(act.rounds / Number(process.env['BENCH_ROUNDS'] ?? 1)));
  for (let round = -3; round < rounds; round++) {
    for (const [engine, call] of engines) {
      const command = act.command(engine, call);
      // the slow ones need fewer rounds for a steady median
      if (!command || (engine !== 'hoist' && engine !== 'crun' && round % 3 !== 0)) continue;
      const took = time(command);
      if (round >= 0) times.set(engine, [...(times.get(engine) ?? []), took]);
    }
  }
  report(act.name, act.budgetMs, 'ms', times);
}

function report(name: string, budget: number, unit: string, times: ReadonlyMap<EngineName, readonly number[]>): void {
  const own = median(times.get('hoist') ?? []);
  const cells = [...times].map(([engine, values]) => {
    const value = median(values);
    const least = Math.min(...values);
    return engine === 'hoist'
      ? `hoist ${value.toFixed(1)} ${unit} (least ${least.toFixed(1)})`
      : `${engine} ${value.toFixed(1)} ${unit} = ${(value / own).toFixed(1)}x`;
  });
  console.log(
    `${name.padEnd(40)} budget ${String(budget).padStart(5)} ${unit}  ${own <= budget ? 'kept  ' : 'MISSED'}  ${cells.join(', ')}`,
  );
}

/** 40 detached starts, 8 at a time, and their removal. */
async function many(): Promise<void> {
  const starts = new Map<EngineName, number[]>();
  const removals = new Map<EngineName, number[]>();
  for (let round = 0; round < 3; round++) {
    for (const [engine, call] of engines) {
      if (engine === 'crun') continue;
      const names = Array.from({ length: 40 }, (_, i) => `hoist-bench-${i}`);
      const begin = performance.now();
      await inParallel(names, 8, (name) => [...call, 'run', '-d', '--name', name, image, 'sleep', '100000']);
      starts.set(engine, [...(starts.get(engine) ?? []), performance.now() - begin]);
      removals.set(engine, [...(removals.get(engine) ?? []), time([...call, 'rm', '-f', ...names])]);
    }
  }
  report('40 detached starts, 8 at a time', 600, 'ms', starts);
  report('rm -f of those 40', 400, 'ms', removals);
}

async function inParallel(
  names: readonly string[],
  width: number,
  command: (name: string) => readonly string[],
): Promise<void> {
  const queue = [...names];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const [program = '', ...args] = command(name);
      const child = spawn(program, args, { env, stdio: 'ignore' });
      const code = await new Promise((resolve) => child.on('close', resolve));
      if (code !== 0) throw new Error(`${name} did not start`);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** GB/s of zeros through `exec -i cat`, and through a plain pipe beside it. */
function throughput(): void {
  const gigabytes = 4;
  const through = (middle: string): number => {
    const start = performance.now();
    execFileSync('sh', ['-c', `head -c ${gigabytes}G /dev/zero | ${middle} > /dev/null`], { env });
    return (gigabytes * 1.0737) / ((performance.now() - start) / 1000);
  };
  const cells: string[] = [];
  let own = 0;
  for (const [engine, call] of engines) {
    if (engine === 'crun') continue;
    const rate = Math.max(...[1, 2, 3].map(() => through(`${call.join(' ')} exec -i ${resident} cat`)));
    if (engine === 'hoist') own = rate;
    cells.push(
      engine === 'hoist'
        ? `hoist ${rate.toFixed(2)} GB/s`
        : `${engine} ${rate.toFixed(2)} GB/s (hoist is ${(own / rate).toFixed(1)}x)`,
    );
  }
  cells.push(`a pipe: ${Math.max(...[1, 2, 3].map(() => through('cat'))).toFixed(2)} GB/s`);
  console.log(
    `${'stdin to stdout through exec -i cat'.padEnd(40)} budget   1.5 GB/s ${own >= 1.5 ? 'kept  ' : 'MISSED'}  ${cells.join(', ')}`,
  );
}

/** The list of 41 containers through docker.sock, over a connection that is open. */
async function listing(): Promise<void> {
  const names = Array.from({ length: 40 }, (_, i) => `hoist-bench-listed-${i}`);
  for (const name of names) run([...hoist, 'create', '--name', name, image, 'true']);
  const { ask, close } = connection(`${home}/s/docker.sock`);
  const times: number[] = [];
  for (let i = -10; i < 100; i++) {
    const start = performance.now();
    await ask('GET', '/containers/json?all=1');
    if (i >= 0) times.push(performance.now() - start);
  }
  close();
  run([...hoist, 'rm', ...names]);
  report('GET /containers/json, 41 containers', 6, 'ms', new Map([['hoist', times]]));
}

/** An image of 200 MB that does not compress, to Debian's docker-registry on loopback; then again, when all is there. */
async function pushing(): Promise<void> {
  if (!works(['docker-registry', '--version'])) return console.log('push: no docker-registry here');
  const address = '127.0.0.1:5977';
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: `${home}/registry` } },
    http: { addr: address },
  };
  writeFileSync(`${home}/registry.yml`, JSON.stringify(settings)); // JSON is YAML
  mkdirSync(`${home}/pushed`);
  writeFileSync(`${home}/pushed/file`, randomBytes(200e6));
  run(
    [...hoist, 'import', '-', `${address}/pushed`],
    execFileSync('tar', ['-C', `${home}/pushed`, '-c', 'file'], { maxBuffer: 1 << 28 }),
  );
  const registry = spawn('docker-registry', ['serve', `${home}/registry.yml`], { stdio: 'ignore' });
  try {
    for (let i = 0; i < 100 && !(await answers(`http://${address}/v2/`)); i++) await sleep(50);
    const first = time([...hoist, 'push', '-q', `${address}/pushed`]);
    const again = [1, 2, 3].map(() => time([...hoist, 'push', '-q', `${address}/pushed`]));
    report('push of 200 MB', 3000, 'ms', new Map([['hoist', [first]]]));
    report('push of what is there', 200, 'ms', new Map([['hoist', again]]));
  } finally {
    registry.kill();
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** PSS of the keeper of an idle container, and what the engine takes. */
function memory(): void {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const id = run([...hoist, 'inspect', '-f', '{{.Id}}', resident]).slice(0, 12);
  const keeper = pids.find((pid) => commandOf(pid).startsWith(`hoist-keeper ${id}`));
  const pss =
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${keeper}/smaps_rollup`, 'utf8'))?.[1] ?? Number.NaN) / 1000;
  const engine = /PID:\s+(\d+)/.exec(run([...hoist, 'engine', 'status']))?.[1];
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${engine}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1000;
  console.log(
    `${'keeper of an idle container'.padEnd(40)} budget   0.3 MB   ${pss <= 0.3 ? 'kept  ' : 'MISSED'}  ${pss.toFixed(2)} MB PSS`,
  );
  console.log(
    `${'engine, after all this'.padEnd(40)} budget    80 MB   ${rss <= 80 ? 'kept  ' : 'MISSED'}  ${rss.toFixed(0)} MB RSS`,
  );
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

try {
  setUp();
  console.log(
    `engines: ${[...engines.keys()].join(', ')}; ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]} load`,
  );
  for (const act of acts) measure(act);
  await many();
  throughput();
  await listing();
  memory();
  await pushing();
} finally {
  for (const [engine, call] of engines) if (engine !== 'crun') works([...call, 'rm', '-f', resident]);
  works([...hoist, 'engine', 'stop']);
  rmSync(home, { recursive: true, force: true });
}
