// What can stand at the cursor: commands, flags, their values, and the names of containers and images.

import type { Engine } from '../engine/engine.ts';
import type { Command, Flag } from './command.ts';
import { findCommand } from './lookup.ts';
import { groups, rootFlags } from './root.ts';

/** Values of flags that take one of a few words. */
const choices: Readonly<Record<string, readonly string[]>> = {
  attach: ['stdin', 'stdout', 'stderr'],
  cgroupns: ['host', 'private'],
  'log-driver': ['json-file', 'local', 'none'],
  network: ['bridge', 'host', 'none'],
  pull: ['always', 'missing', 'never'],
  restart: ['no'],
  type: ['container', 'image'],
};

/** `words`: all after the program; the last one is being typed. The last line says whether files may follow. */
export async function completions(
  words: readonly string[],
  commands: readonly Command[],
  engine: Engine,
): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const before = withoutGlobalFlags(words.slice(0, -1));
  const found = findCommand(commands, before);
  const lines = found === undefined ? [...subcommands(before, commands, current), ':end'] : undefined;
  if (lines !== undefined || found === undefined) return matching(lines ?? [], current);
  const { command, path } = found;
  const given = before.slice(path.length);
  const waiting = flagBefore(command, given);
  if (waiting !== undefined) {
    const values = choices[waiting.aliasOf ?? waiting.name];
    return values === undefined ? [':files'] : matching([...values, ':end'], current);
  }
  if (current.startsWith('-')) return matching([...command.flags.flatMap(flagLine), ':end'], current);
  return matching(await objects(command, positional(command, given), engine), current);
}

function matching(lines: readonly string[], current: string): readonly string[] {
  return lines.filter((line) => line.startsWith(':') || line.startsWith(current));
}

function subcommands(before: readonly string[], commands: readonly Command[], current: string): readonly string[] {
  const [group] = before;
  if (group === undefined && current.startsWith('-')) return rootFlags('').flatMap(flagLine);
  const shown = commands.filter((command) => command.hidden !== true);
  const rows = shown.flatMap((command) => {
    const name = command.names.find(
      (path) => path.length === (group === undefined ? 1 : 2) && (group === undefined || path[0] === group),
    );
    return name === undefined ? [] : [`${name.at(-1) ?? ''}\t${command.summary}`];
  });
  const top = group === undefined ? groups.map(({ name, summary }) => `${name}\t${summary}`) : [];
  return before.length > 1 ? [] : [...rows, ...top].sort();
}

function flagLine(flag: Flag): readonly string[] {
  return flag.hidden === true ? [] : [`--${flag.name}\t${flag.help.split('\n', 1)[0] ?? ''}`];
}

function withoutGlobalFlags(words: readonly string[]): readonly string[] {
  const flags = rootFlags('');
  let start = 0;
  while (words[start]?.startsWith('-') === true) {
    const flag = named(flags, words[start] ?? '');
    start += flag?.type !== undefined && !(words[start] ?? '').includes('=') ? 2 : 1;
  }
  return words.slice(start);
}

/** The flag that the word before the cursor leaves waiting for its value. */
function flagBefore(command: Command, given: readonly string[]): Flag | undefined {
  const last = given.at(-1) ?? '';
  if (!last.startsWith('-') || last.includes('=')) return undefined;
  const flag = named(command.flags, last);
  return flag?.type === undefined ? undefined : flag;
}

function named(flags: readonly Flag[], word: string): Flag | undefined {
  if (word.startsWith('--')) return flags.find((flag) => flag.name === word.slice(2).split('=', 1)[0]);
  return flags.find((flag) => flag.short === word.at(-1));
}

/** The words that are no flags and no values of flags. */
function positional(command: Command, given: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let i = 0; i < given.length; i++) {
    const word = given[i] ?? '';
    if (!word.startsWith('-')) words.push(word);
    else if (flagBefore(command, given.slice(0, i + 1)) !== undefined) i++;
  }
  return words;
}

async function objects(command: Command, typed: readonly string[], engine: Engine): Promise<readonly string[]> {
  const full = command.args.max !== undefined && typed.length >= command.args.max;
  if (command.completes === undefined || full || (command.stopAtFirstArg === true && typed.length > 0))
    return [':files'];
  const names = await Promise.all(
    kindsOf(command.completes, typed.length).map((kind) => namesOf(kind, engine).catch(() => [])),
  );
  return [...names.flat().filter((name) => !typed.includes(name)), ':end'];
}

type Kind = 'container' | 'image' | 'network' | 'volume';

/** What a name at this place may be of; `network connect` names a network first and a container after it. */
function kindsOf(completes: NonNullable<Command['completes']>, place: number): readonly Kind[] {
  if (completes === 'object') return ['container', 'image', 'network', 'volume'];
  if (completes === 'context') return [];
  return completes === 'network' && place > 0 ? ['network', 'container'] : [completes];
}

async function namesOf(kind: Kind, engine: Engine): Promise<readonly string[]> {
  if (kind === 'network') return (await engine.networks.list({})).map(({ Name }) => Name);
  if (kind === 'volume') return (await engine.volumes.list({})).map(({ Name }) => Name);
  if (kind === 'image') {
    const all = await engine.images.list({ all: false, filters: {} });
    return all.flatMap(({ RepoTags }) => RepoTags.filter((tag) => !tag.startsWith('<none>')));
  }
  const all = await engine.containers.list({ all: true, limit: 0, size: false, filters: {} });
  return all.flatMap(({ Names }) => Names.map((name) => name.replace(/^\//, '')));
}
