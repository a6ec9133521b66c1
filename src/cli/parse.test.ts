// Flags: pflag's semantics and words.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Flag } from './command.ts';
import { flagTable } from './flags.ts';
import { parseFlags } from './parse.ts';

const table: readonly Flag[] = flagTable(
  `
  -d, --detach           Run in background
  -e, --env list         Set environment variables
  -i, --interactive      Keep STDIN open
  -m, --memory bytes     Memory limit
      --name string      Assign a name
      --pull string      Pull image (default "missing")
      --sig-proxy        Proxy signals (default true)
  -t, --tty              Allocate a pseudo-TTY
      --health-cmd string   Command to run`,
  {
    refused: { 'health-cmd': 'health checks are not built' },
    aliases: { label: 'name' },
    deprecated: { title: ['name', 'use --name instead'] },
  },
);

const parse = (line: string, stop = true) => parseFlags(table, line.split(' '), stop);

test('short flags group, take glued, separate and = values', () => {
  const { flags, args } = parse('-it -eA=1 -e B=2 -m=3g -d=false img -x --name y');
  assert.deepEqual([flags.bool('interactive'), flags.bool('tty'), flags.bool('detach')], [true, true, false]);
  assert.deepEqual(flags.list('env'), ['A=1', 'B=2']);
  assert.equal(flags.string('memory'), '3g');
  assert.deepEqual(args, ['img', '-x', '--name', 'y']);
});

test('flags go on after arguments where a command allows it, and -- ends them', () => {
  const { flags, args } = parse('a --name=x b -- -d --', false);
  assert.equal(flags.string('name'), 'x');
  assert.deepEqual(args, ['a', 'b', '-d', '--']);
  assert.equal(flags.bool('detach'), false);
  assert.deepEqual(parse('-- --name', false).args, ['--name']);
  assert.deepEqual(parse('-', false).args, ['-']);
});

test('the last of a single-valued flag wins, a list collects, a default shows through', () => {
  const { flags } = parse('--name a --name b -e x -e y img');
  assert.equal(flags.string('name'), 'b');
  assert.deepEqual(flags.list('env'), ['x', 'y']);
  assert.deepEqual([flags.string('pull'), flags.bool('sig-proxy'), flags.has('pull')], ['missing', true, false]);
  assert.equal(parse('--sig-proxy=0 img').flags.bool('sig-proxy'), false);
});

test('old spellings mean the new flag, and say so where that is due', () => {
  assert.equal(parse('--label x img').flags.string('name'), 'x');
  const { flags, notices } = parse('--title x img');
  assert.equal(flags.string('name'), 'x');
  assert.deepEqual(notices, ['Flag --title has been deprecated, use --name instead']);
});

for (const [line, message] of [
  ['--foo', 'unknown flag: --foo'],
  ['--foo=1', 'unknown flag: --foo'],
  ['-itx', "unknown shorthand flag: 'x' in -x"],
  ['--name', 'flag needs an argument: --name'],
  ['-ite', "flag needs an argument: 'e' in -e"],
  ['--=x', 'bad flag syntax: --=x'],
  ['-d=maybe', 'invalid argument "maybe" for "-d, --detach" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ['-m x', 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''],
] as const) {
  test(`${line} is refused with pflag's words`, () => {
    assert.throws(() => parse(line), { code: 'cli.flag', message });
  });
}

test('what is not built is refused by name and reason, never ignored', () => {
  assert.throws(() => parse('--health-cmd true img'), {
    code: 'cli.refused',
    kind: 'unsupported',
    message: '--health-cmd is not supported yet: health checks are not built',
  });
});

test('a flag that no table has is a bug of the command, not of the user', () => {
  assert.throws(() => parse('img').flags.bool('nope'), /no flag named --nope/);
});
