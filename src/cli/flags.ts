// Flag tables are written as `--help` prints them, one line each, so that they read and compare like Docker's.
// What the text cannot say (a refusal, a check, a hidden spelling) comes beside it.

import type { Flag } from './command.ts';

/** `list`-like types: the flag may be given several times. */
const repeatable = new Set(['list', 'map', 'mount', 'ulimit', 'filter', 'network', 'gpu-request', 'strings']);

const line = /^(?: {2}-(\w), | {6})--([\w-]+)(?: ([\w-]+))?(?: {3,}(.*))?$/;

export interface FlagExtras {
  readonly refused?: Readonly<Record<string, string>>;
  readonly check?: Readonly<Record<string, (value: string) => string | undefined>>;
  /** Spellings that are accepted and not shown: `{ net: 'network' }`. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** The same, with a word of warning: `{ time: ['timeout', 'use --timeout instead'] }`. */
  readonly deprecated?: Readonly<Record<string, readonly [name: string, notice: string]>>;
}

/** Reads a table. A line without a flag continues the help of the one above it. */
export function flagTable(text: string, extras: FlagExtras = {}): readonly Flag[] {
  const flags: Flag[] = [];
  let column = 0;
  for (const row of text.split('\n')) {
    const match = line.exec(row);
    if (match !== null) {
      column = row.length - (match[4]?.length ?? 0);
      flags.push(oneFlag(match, extras));
    } else if (row.trim() !== '') {
      const last = flags.pop();
      if (last === undefined) throw new Error(`not a flag: ${row}`);
      flags.push({ ...last, help: `${last.help}\n${row.slice(column)}` });
    }
  }
  return [...flags, ...aliasFlags(flags, extras)];
}

function oneFlag(match: RegExpExecArray, extras: FlagExtras): Flag {
  const [, short, name = '', type, help = ''] = match;
  const shown = / \(default "?([^ ")]*)"?\)$/.exec(help);
  const zero = shown?.[1] === '[]' || shown?.[1] === 'map[]';
  const refused = extras.refused?.[name];
  const check = extras.check?.[name];
  return {
    name,
    help,
    ...(short === undefined ? {} : { short }),
    ...(type === undefined ? {} : { type }),
    ...(type !== undefined && repeatable.has(type) ? { list: true } : {}),
    ...(shown?.[1] === undefined || zero ? {} : { default: shown[1] }),
    ...(refused === undefined ? {} : { refused }),
    ...(check === undefined ? {} : { check }),
  };
}

function aliasFlags(flags: readonly Flag[], extras: FlagExtras): readonly Flag[] {
  const named = (name: string): Flag => {
    const found = flags.find((flag) => flag.name === name);
    if (found === undefined) throw new Error(`no flag named ${name}`);
    return found;
  };
  const hidden = (name: string, target: string): Flag => {
    const { short: _short, ...rest } = named(target);
    return { ...rest, name, aliasOf: target, hidden: true };
  };
  return [
    ...Object.entries(extras.aliases ?? {}).map(([name, target]) => hidden(name, target)),
    ...Object.entries(extras.deprecated ?? {}).map(([name, [target, notice]]) => ({
      ...hidden(name, target),
      deprecated: notice,
    })),
  ];
}
