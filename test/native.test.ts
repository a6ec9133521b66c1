// The C tests of native/test, built and run plainly and with the address and undefined-behaviour sanitizers.
// By hand: HOIST_NATIVE_TEST='detach' node --import tsx --test test/native.test.ts

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { whyNot } from './machine.ts';

const native = fileURLToPath(new URL('../native/', import.meta.url));
const warnings = ['-std=gnu17', '-g', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-DBUILD="test"'];
const plain = ['-O2', '-D_FORTIFY_SOURCE=2', '-fstack-protector-strong'];
const sanitized = ['-O1', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(program, [...args], { maxBuffer: 1 << 26 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 128, output: out + err });
    });
  });
}

async function sources(): Promise<string[]> {
  const of = async (dir: string): Promise<string[]> =>
    (await readdir(dir)).filter((name) => name.endsWith('.c')).map((name) => join(dir, name));
  return [...(await of(native)).filter((path) => !path.endsWith('/main.c')), ...(await of(join(native, 'test')))];
}

/** Every line of TAP becomes a test here; what a failing test said goes with it. */
async function report(t: TestContext, output: string): Promise<number> {
  let said: string[] = [];
  let count = 0;
  for (const line of output.split('\n')) {
    const [, not, name] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name === undefined) {
      said.push(line);
      continue;
    }
    const why = said.join('\n');
    await t.test(name, () => assert.ok(not === undefined, why));
    said = [];
    count++;
  }
  return count;
}

async function buildAndRun(t: TestContext, flags: readonly string[]): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'native-'));
  t.after(() => rm(dir, { recursive: true }));
  const probe = await run('sh', [
    '-c',
    `echo 'int main(void){return 0;}' | cc -x c ${flags.join(' ')} -o ${dir}/probe -`,
  ]);
  if (probe.code !== 0) return t.skip(`the C compiler has no ${flags.join(' ')}`);
  const built = await run('cc', [...warnings, ...flags, '-o', join(dir, 'tests'), ...(await sources())]);
  assert.equal(built.code, 0, built.output);
  const only = process.env['HOIST_NATIVE_TEST'];
  const ran = await run(join(dir, 'tests'), only === undefined ? [] : [only]);
  const count = await report(t, ran.output);
  assert.ok(ran.output.includes(`1..${count}\n`), `the tests ended early:\n${ran.output}`);
  assert.equal(ran.code, 0, ran.output.slice(-4000));
}

const skip = whyNot('cc') ?? false;
test('native, plain', { skip }, (t) => buildAndRun(t, plain));
test('native, with sanitizers', { skip }, (t) => buildAndRun(t, sanitized));
