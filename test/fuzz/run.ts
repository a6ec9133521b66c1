// npm run fuzz [-- SECONDS [SEED]]: the fuzzers of the plan decoder (C, with sanitizers; libFuzzer where clang has it) and of
// the parser of OCI configurations, one after the other, each for so long. What they find they leave and tell.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { fullConfig } from './full-config.ts';
import { fuzzOciConfig } from './oci-config.ts';
import { writePlanSeeds } from './plans.ts';

const native = fileURLToPath(new URL('../../native', import.meta.url));

/** What it says when nothing was found; fails with what was. `directory`: for the program, seeds, and an input that it found. */
export function fuzzDecoder(directory: string, { seconds, seed }: { seconds: number; seed: number }): string {
  const seeds = writePlanSeeds(path.join(directory, 'seeds'));
  const program = path.join(directory, 'fuzz');
  const sources = ['test/fuzz_decode.c', 'decode.c'].map((name) => path.join(native, name));
  const common = ['-g', '-O1', '-std=gnu17', '-DBUILD="fuzz"', '-o', program];
  const built = (compiler: string, flags: readonly string[]): boolean =>
    spawnSync(compiler, [...flags, ...common, ...sources], { stdio: 'ignore' }).status === 0;
  const libFuzzer = built('clang', ['-fsanitize=fuzzer,address,undefined']);
  const loop = path.join(native, 'fuzz/loop.c');
  const sanitized = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  if (!libFuzzer && !built('cc', [...sanitized, loop])) execFileSync('cc', [...common, ...sources, loop]);
  const args = libFuzzer
    ? [path.join(directory, 'seeds'), `-max_total_time=${seconds}`, `-seed=${seed}`]
    : [String(seconds), String(seed), ...seeds];
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: directory, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stderr.slice(-4000)}\nthe input is in ${directory}/crash*`);
  return libFuzzer ? (/^Done .*/m.exec(stderr)?.[0] ?? stderr) : stdout.trim();
}

function main([seconds = '60', seed = String(Date.now() % 1e9)]: readonly string[]): void {
  const options = { seconds: Number(seconds), seed: Number(seed) };
  const directory = mkdtempSync(path.join(tmpdir(), 'hoist-fuzz-'));
  mkdirSync(directory, { recursive: true });
  console.log(`fuzz: seed ${seed}, ${seconds} s each; an input that is found stays in ${directory}`);
  console.log(`plan decoder: ${fuzzDecoder(directory, options)}`);
  const { tried, taken } = fuzzOciConfig([fullConfig], options);
  console.log(`OCI configuration: ${tried} inputs, ${taken} of them were taken`);
  rmSync(directory, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
