// Every `hoist …` that the README and the pages of docs/ show in a code block is a command that exists, with flags that exist.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from '../src/cli/command.ts';
import { allCommands } from '../src/cli/commands/index.ts';
import { tellArgCount } from '../src/cli/failures.ts';
import { findCommand } from '../src/cli/lookup.ts';
import { parseFlags } from '../src/cli/parse.ts';
import { rootFlags } from '../src/cli/root.ts';
import { containerRequest } from '../src/cli/run/request.ts';
import { fakeIo } from '../src/cli/testing/io.ts';
import { engineCommands } from '../src/main/control.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)];
const commands: readonly Command[] = [...allCommands, ...engineCommands({ root: '/r', run: '/r' })];

/** The words of each simple command of a shell line; quotes are taken off, the rest is left as it is. */
function simpleCommands(line: string): string[][] {
  const all: string[][] = [[]];
  for (const [piece] of line
    .replace(/\s# ?.*$/, '')
    .replace(/\$PWD/g, '/here')
    .matchAll(/\s+|'[^']*'|"[^"]*"|\|\||&&|[|;&()<>]|\$\(|[^\s'"|;&()<>]+/g)) {
    if (/^(\|\||&&|[|;&()<>]|\$\()$/.test(piece)) all.push([]);
    else if (piece.trim() !== '') all.at(-1)?.push(piece.replace(/^(['"])(.*)\1$/, '$2'));
  }
  return all;
}

/** Command lines of a page's code blocks, each as its words after `hoist`. */
function shown(page: string): string[][] {
  const blocks = [...readFileSync(path.join(root, page), 'utf8').matchAll(/^```\w*\n([\s\S]*?)^```/gm)];
  const lines = blocks.flatMap(([, block = '']) => block.split('\n')).map((line) => line.replace(/^\$ /, ''));
  return lines.flatMap(simpleCommands).flatMap((words) => {
    const at = words.indexOf('hoist');
    const begins = at === 0 || words[0] === 'xargs' || words.slice(0, at).every((word) => /^\w+=/.test(word));
    const whole = !words.includes('…') && /^[a-z-]/.test(words[at + 1] ?? '');
    const piped = words[0] === 'xargs' ? ['name'] : []; // what xargs puts there
    return at >= 0 && begins && whole ? [[...words.slice(at + 1), ...piped]] : [];
  });
}

async function check(argv: readonly string[]): Promise<void> {
  const { args: words } = parseFlags(rootFlags('/root'), argv, true);
  const found = findCommand(commands, words) ?? assert.fail(`no command ${words[0]}`);
  const { command, path: names } = found;
  const { flags, args } = parseFlags(command.flags, words.slice(names.length), command.stopAtFirstArg === true);
  assert.equal(tellArgCount(command, names, args.length)?.text, undefined);
  if (['run', 'create', 'container run', 'container create'].includes(names.join(' ')))
    await containerRequest(flags, args, { io: fakeIo(), detach: false });
  if (names[0] === 'explain') await check(args);
}

for (const page of pages) {
  test(`${page}: the commands that it shows`, async (t) => {
    for (const argv of shown(page)) await t.test(`hoist ${argv.join(' ')}`, () => check(argv));
  });
}

test('the README shows a tour', () => assert.ok(shown('README.md').length > 20));
