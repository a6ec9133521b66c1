// npm run bench:load: many API clients at once, each listing, inspecting, creating and removing containers, for minutes.
// Prints requests, errors, latencies, and what the engine holds before and after (descriptors, memory). Exits with 1 if
// there was an error, a leak, or a list of 200 containers slower than its budget.
// LOAD_SECONDS (300), LOAD_CLIENTS (200).

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { type Ask, connection, held, type Load, loadEngine, percentile } from './load-clients.ts';

const seconds = Number(process.env['LOAD_SECONDS'] ?? 300);
const clients = Number(process.env['LOAD_CLIENTS'] ?? 200);
const listBudgetMs = 30;

const home = mkdtempSync('/tmp/hoist-load-');
const env = { ...process.env, HOIST_ROOT: `${home}/r`, HOIST_RUN_ROOT: `${home}/s` };
const hoist = (...args: string[]): string =>
  execFileSync(path.resolve('bin/hoist'), args, { env, stdio: ['ignore', 'pipe', 'inherit'] }).toString();

function show(what: string, { requests, errors, byKind }: Load): void {
  const rows = [...byKind].map(
    ([kind, times]) => `${kind} ${times.length}, p99 ${percentile(times, 99).toFixed(1)} ms`,
  );
  console.log(`${what}: ${requests} requests, ${errors.size} kinds of error; ${rows.join('; ')}`);
  for (const [message, count] of errors) console.log(`  ${count} x ${message}`);
}

/** One client that asks for the list of 200 containers, 1,000 times. */
async function listing(ask: Ask): Promise<number> {
  for (let i = 0; i < 200; i++)
    await ask('POST', `/containers/create?name=listed-${i}`, { Image: 'busybox', Cmd: ['true'] });
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const begin = performance.now();
    await ask('GET', '/containers/json?all=1');
    times.push(performance.now() - begin);
  }
  for (let i = 0; i < 200; i++) await ask('DELETE', `/containers/listed-${i}`);
  return percentile(times, 99);
}

let failed = false;
try {
  hoist('engine', 'start');
  hoist('image', 'bootstrap', 'busybox');
  const socket = `${home}/s/docker.sock`;
  const pid = Number(/PID:\s+(\d+)/.exec(hoist('engine', 'status'))?.[1]);
  show('warming up', await loadEngine(socket, { clients, seconds: Math.min(20, seconds) }));
  const before = await held(pid);
  const load = await loadEngine(socket, { clients, seconds });
  show(`${clients} clients, ${seconds} s`, load);
  const after = await held(pid);
  console.log(`engine: ${before.fds} -> ${after.fds} descriptors, ${before.rssMb} -> ${after.rssMb} MB`);
  const lister = connection(socket);
  const p99 = await listing(lister.ask);
  lister.close();
  console.log(`GET /containers/json, 200 containers: p99 ${p99.toFixed(1)} ms, budget ${listBudgetMs} ms`);
  failed =
    load.errors.size > 0 || after.fds > before.fds + 10 || after.rssMb > before.rssMb * 1.5 || p99 > listBudgetMs;
} finally {
  spawnSync(path.resolve('bin/hoist'), ['engine', 'stop'], { env });
  rmSync(home, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
