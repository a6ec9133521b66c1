// Command-line flags with the semantics and the words of spf13/pflag, which Docker's client uses.
// Knows flags only as data; refuses, in one sentence, those that belong to work that is not done.

import { fail, isHoistError } from '../base/errors.ts';
import type { Flag, FlagValues } from './command.ts';
import { checkType, goQuote, parseBool } from './values.ts';

export interface Parsed {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  /** Lines about old spellings, for stderr. */
  readonly notices: readonly string[];
}

interface Reading {
  readonly table: readonly Flag[];
  readonly given: Map<string, string[]>;
  readonly notices: string[];
  /** What is still unread. */
  rest: readonly string[];
}

/** Fails with code `cli.flag`. A `--help` that the table does not name is accepted as a bool. */
export function parseFlags(flags: readonly Flag[], argv: readonly string[], stopAtFirstArg: boolean): Parsed {
  const table = flags.some((flag) => flag.name === 'help') ? flags : [...flags, helpFlag(flags)];
  const reading: Reading = { table, given: new Map(), notices: [], rest: argv };
  const args: string[] = [];
  while (reading.rest.length > 0) {
    const [word = '', ...rest] = reading.rest;
    reading.rest = rest;
    if (word === '--') {
      args.push(...rest);
      break;
    }
    if (word.startsWith('--')) readLong(reading, word.slice(2));
    else if (word.startsWith('-') && word.length > 1) readShorts(reading, word.slice(1));
    else if (stopAtFirstArg) {
      args.push(word, ...rest);
      break;
    } else args.push(word);
  }
  return { flags: flagValues(table, reading.given), args, notices: reading.notices };
}

/** Docker keeps `-h` for --help with a warning, where no other flag has the letter. */
function helpFlag(flags: readonly Flag[]): Flag {
  const taken = flags.some((flag) => flag.short === 'h');
  return { name: 'help', help: 'Print usage', hidden: true, ...(taken ? {} : { short: 'h' }) };
}

function readLong(reading: Reading, word: string): void {
  if (word.startsWith('-') || word.startsWith('=')) wrong(`bad flag syntax: --${word}`);
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const flag = reading.table.find((candidate) => candidate.name === name);
  if (flag === undefined) wrong(`unknown flag: --${name}`);
  if (flag.deprecated !== undefined) {
    reading.notices.push(`Flag --${name} has been deprecated, ${flag.deprecated}`);
  }
  if (equals >= 0) set(reading, flag, word.slice(equals + 1));
  else if (flag.type === undefined) set(reading, flag, 'true');
  else set(reading, flag, next(reading, `--${name}`));
}

/** `-it`, `-p80:80`, `-p 80:80`, `-t=false`: one word may hold several flags; the first that takes a value takes the rest. */
function readShorts(reading: Reading, word: string): void {
  for (let left = word; left !== ''; ) {
    const letter = left[0] ?? '';
    const flag = reading.table.find((candidate) => candidate.short === letter);
    if (flag === undefined) wrong(`unknown shorthand flag: '${letter}' in -${left}`);
    if (flag.name === 'help') reading.notices.push('Flag shorthand -h has been deprecated, use --help');
    const tail = left.slice(1);
    const glued = tail.startsWith('=') && tail.length > 1;
    if (glued || flag.type !== undefined) {
      set(reading, flag, glued ? tail.slice(1) : tail || next(reading, `'${letter}' in -${left}`));
      return;
    }
    set(reading, flag, 'true');
    left = tail;
  }
}

function next(reading: Reading, where: string): string {
  const [value, ...rest] = reading.rest;
  if (value === undefined) wrong(`flag needs an argument: ${where}`);
  reading.rest = rest;
  return value;
}

function set(reading: Reading, flag: Flag, value: string): void {
  const problem = problemWith(flag, value);
  if (problem !== undefined) {
    const shown =
      flag.short === undefined || flag.name === 'help' ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
    wrong(`invalid argument ${goQuote(value)} for "${shown}" flag: ${problem}`);
  }
  if (flag.refused !== undefined && value !== (flag.default ?? (flag.type === undefined ? 'false' : undefined))) {
    fail('unsupported', 'cli.refused', `--${flag.name} is not supported yet: ${flag.refused}`);
  }
  const name = flag.aliasOf ?? flag.name;
  const values = reading.given.get(name);
  if (values !== undefined && flag.list === true) values.push(value);
  else reading.given.set(name, [value]);
}

function problemWith(flag: Flag, value: string): string | undefined {
  try {
    if (!(flag.name === 'memory-swap' && value === '-1')) checkType(flag.type, value);
    return flag.check?.(value);
  } catch (error) {
    if (isHoistError(error, 'cli.value')) return error.message;
    throw error;
  }
}

function flagValues(table: readonly Flag[], given: ReadonlyMap<string, readonly string[]>): FlagValues {
  const of = (name: string): Flag => {
    const flag = table.find((candidate) => candidate.name === name);
    if (flag === undefined) throw new Error(`no flag named --${name} in this command's table`);
    return flag;
  };
  const text = (name: string): string => given.get(name)?.at(-1) ?? of(name).default ?? '';
  return {
    has: (name) => given.has(name),
    bool: (name) => parseBool(text(name) || 'false'),
    string: text,
    list: (name) => given.get(name) ?? (of(name) && []),
  };
}

function wrong(message: string): never {
  return fail('invalid', 'cli.flag', message);
}
