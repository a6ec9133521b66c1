// A bare bundle, `true` in it: `hoist oci run` with a warm engine beside runc and crun, in turn, in one run. Needs root.
// node --import tsx bench/oci.ts [ROUNDS]

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { specDocument } from '../src/runtime/oci/documents.ts';

const rounds = Number(process.argv[2] ?? 40);
const dir = mkdtempSync(path.join(tmpdir(), 'ho-'));
const hoist = process.env['HOIST_UNDER_TEST'] ?? fileURLToPath(new URL('../bin/hoist', import.meta.url));
const env = { ...process.env, HOIST_ROOT: `${dir}/data`, HOIST_RUN_ROOT: `${dir}/run` };
const runtimes = [
  ['hoist', [hoist, 'oci']],
  ['runc', ['runc']],
  ['crun', ['crun']],
] as const;

function makeBundle(): void {
  for (const name of ['bin', 'proc', 'dev', 'sys']) mkdirSync(`${dir}/rootfs/${name}`, { recursive: true });
  cpSync('/bin/busybox', `${dir}/rootfs/bin/busybox`);
  symlinkSync('busybox', `${dir}/rootfs/bin/true`);
  const spec = specDocument(undefined) as { ociVersion: string; process: { terminal: boolean; args: string[] } };
  spec.ociVersion = '1.0.2'; // older runtimes know no other
  Object.assign(spec.process, { terminal: false, args: ['true'] });
  writeFileSync(`${dir}/config.json`, JSON.stringify(spec));
}

function once(name: string, [program, ...words]: readonly [string, ...string[]], round: number): number | undefined {
  const began = performance.now();
  const args = [...words, '--root', `${dir}/${name}`, 'run', `bench-${name}-${round}`];
  const { status } = spawnSync(program, args, { cwd: dir, env, stdio: 'ignore' });
  return status === 0 ? performance.now() - began : undefined;
}

makeBundle();
spawnSync(hoist, ['ps'], { env, stdio: 'ignore' }); // starts the engine
const times = new Map<string, number[]>();
for (let round = 0; round < rounds; round++)
  for (const [name, call] of runtimes) {
    const took = once(name, call, round);
    if (took !== undefined && round > 0) times.set(name, [...(times.get(name) ?? []), took]);
  }
const middle = (name: string): number =>
  (times.get(name) ?? []).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
for (const [name] of runtimes) {
  if (!times.has(name)) {
    console.log(`${name.padEnd(6)} not installed, or it refuses this machine`);
    continue;
  }
  const least = Math.min(...(times.get(name) ?? []));
  const ratio = name === 'hoist' ? '' : `, ${(middle(name) / middle('hoist')).toFixed(1)} times Hoist's median`;
  console.log(`${name.padEnd(6)} least ${least.toFixed(1)} ms, median ${middle(name).toFixed(1)} ms${ratio}`);
}
spawnSync(hoist, ['engine', 'stop'], { env, stdio: 'ignore' });
if (existsSync(dir)) rmSync(dir, { recursive: true });
