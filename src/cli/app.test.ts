// The command line from argv to exit code: help, global flags, failures and their words.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { fail } from '../base/errors.ts';
import { hoistVersion } from '../base/version.ts';
import { runCli } from './app.ts';
import type { Command } from './command.ts';
import { allCommands } from './commands/index.ts';
import type { Io } from './io.ts';
import { complaints } from './testing/complaints.ts';
import { container, image } from './testing/documents.ts';
import { fakeEngine } from './testing/engine.ts';
import { fakeIo } from './testing/io.ts';

async function hoist(args: readonly string[], commands: readonly Command[] = allCommands) {
  const io = fakeIo();
  const code = await runCli(args, io, () => fakeEngine({ containers: [container], images: [image] }), commands);
  return { code, out: io.out(), err: io.err() };
}

test('every complaint of the comparison with Docker has its code and first line', async () => {
  for (const { args, code, says } of complaints) {
    const told = await hoist(args);
    assert.deepEqual([told.code, told.err.split('\n', 1)[0]], [code, says], args.join(' '));
  }
});

test("--version, -v; the version is package.json's", async () => {
  assert.equal((await hoist(['--version'])).out, `Hoist version ${hoistVersion}\n`);
  assert.equal((await hoist(['-v'])).out, `Hoist version ${hoistVersion}\n`);
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
  assert.equal(manifest.version, hoistVersion);
});

test('help of the root, of groups and of commands, on stdout when asked for', async () => {
  const root = await hoist(['--help']);
  assert.equal((await hoist(['help'])).out, root.out);
  assert.match(root.out, /^Usage: {2}hoist \[OPTIONS\] COMMAND\n/);
  assert.match(root.out, /\nCommon Commands:\n {2}run {9}Create and run a new container from an image\n {2}exec /);
  const bare = await hoist([]);
  assert.deepEqual([bare.code, bare.out, bare.err], [0, '', root.out]);
  assert.match((await hoist(['container'])).err, /\n {2}ls {10}List containers\n/);
  assert.equal((await hoist(['help', 'container', 'ls'])).out, (await hoist(['container', 'ps', '--help'])).out);
  assert.doesNotMatch(root.out, /__complete/);
});

test('a name that is nearly one gets a hint, and one that is refused gets its reason', async () => {
  assert.match(
    (await hoist(['strat'])).err,
    /^hoist: unknown command: hoist strat\n[\s\S]*\nhint: did you mean "hoist start"\?\n$/,
  );
  assert.match((await hoist(['network', 'crate'])).err, /hint: did you mean "hoist network create"\?\n$/);
  assert.doesNotMatch((await hoist(['xyzzy'])).err, /hint/);
  const swarm = await hoist(['swarm', 'init', '--advertise-addr', 'x']);
  assert.deepEqual([swarm.code, swarm.out], [1, '']);
  assert.match(swarm.err, /^hoist swarm init is not supported: .*swarm.*\n$/);
  assert.match((await hoist(['checkpoint', 'ls', '--help'])).out, /Not supported: checkpoints/);
});

test('plugins get words that no command takes, and build where config.json says so', async () => {
  const asked: (readonly unknown[])[] = [];
  const files = { '/root/.docker/config.json': '{"aliases":{"builder":"buildx"}}' };
  const io: Io = {
    ...fakeIo({ files }),
    plugin: async (...call) => {
      asked.push(call);
      return 7;
    },
  };
  for (const line of ['compose -f x up --help', 'build .', 'builder prune', 'buildx ls', '--help compose'])
    assert.equal(await runCli(line.split(' '), io, () => fakeEngine()), 7, line);
  assert.equal(await runCli(['ps', '-q'], io, () => fakeEngine()), 0);
  assert.deepEqual(asked, [
    ['compose', ['compose', '-f', 'x', 'up', '--help']],
    ['buildx', ['buildx', 'build', '.']],
    ['buildx', ['buildx', 'prune']],
    ['buildx', ['buildx', 'ls']],
    ['compose', ['compose', '--help']],
  ]);
});

test('global flags stand before the command', async () => {
  const line = ['--root', '/r', '--run-root=/x', '-H', 'unix:///s', '-D', '-l', 'debug', '-c', 'default', 'ps', '-q'];
  assert.deepEqual(await hoist(line), { code: 0, out: '', err: '' });
  assert.equal((await hoist(['-l', 'loud', 'ps'])).code, 1);
});

const failing = (make: () => unknown): readonly Command[] => [
  {
    names: [['boom']],
    summary: 'Fail',
    usage: '',
    args: { min: 0 },
    flags: [],
    async run() {
      throw make();
    },
  },
];

test("an engine failure is told as the Docker client tells its daemon's, with the hint on a line of its own", async () => {
  const commands = failing(() =>
    fail('conflict', 'container.name_taken', 'Conflict. The name is taken', { hint: 'take another' }),
  );
  assert.deepEqual(await hoist(['boom'], commands), {
    code: 1,
    out: '',
    err: 'Error response from daemon: Conflict. The name is taken\nhint: take another\n',
  });
});

test('a bug shows its stack, a reader that went away shows nothing', async () => {
  const bug = await hoist(
    ['boom'],
    failing(() => new Error('oops')),
  );
  assert.equal(bug.code, 1);
  assert.match(bug.err, /^hoist: Error: oops\n {4}at /);
  const pipe = await hoist(
    ['boom'],
    failing(() => Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
  );
  assert.deepEqual(pipe, { code: 141, out: '', err: '' });
});

test('no two commands share a name, and no command has a flag twice', () => {
  const names = allCommands.flatMap((command) => command.names.map((name) => name.join(' ')));
  assert.equal(new Set(names).size, names.length);
  for (const command of allCommands) {
    const flags = command.flags.flatMap(({ name, short }) => (short === undefined ? [name] : [name, `-${short}`]));
    assert.equal(new Set(flags).size, flags.length, command.names[0]?.join(' '));
  }
});
