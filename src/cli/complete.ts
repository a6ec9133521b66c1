// What can stand at the cursor: commands, flags, their values, and the names of containers and images.

import type { Command, Flag } from './command.ts';
import { flagValues, type Kind, namesOf, type World } from './complete-values.ts';
import { findCommand } from './lookup.ts';
import { groups, rootFlags } from './root.ts';

/** `words`: all after the program; the last one is being typed. The last line says whether files may follow. */
export async function completions(
  words: readonly string[],
  commands: readonly Command[],
  { engine, io }: World,
): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  const typed = words.slice(0, -1);
  const before = withoutGlobalFlags(typed);
  const found = findCommand(commands, before);
  const world: World = { engine, io };
  if (found === undefined) {
    const globals = rootFlags('');
    const asked = valueAt(globals, typed, current);
    if (asked !== undefined && before.length === 0) return await valueLines(asked, [], world);
    return matching([...subcommands(before, commands, current), ':end'], current);
  }
  const { command, path } = found;
  const given = before.slice(path.length);
  const inFlags = command.stopAtFirstArg !== true || positional(command, given).length === 0;
  const asked = inFlags ? valueAt(command.flags, given, current) : undefined;
  if (asked !== undefined) return await valueLines(asked, path, world);
  if (inFlags && current.startsWith('-')) return matching([...command.flags.flatMap(flagLine), ':end'], current);
  return matching(await objects(command, { path, typed: positional(command, given) }, world), current);
}

interface Asked {
  readonly flag: Flag;
  /** What stands before the value in the same word: `--network=`. */
  readonly head: string;
  readonly value: string;
}

/** The flag whose value is being typed: `--network h`, `--network=h`. */
function valueAt(flags: readonly Flag[], given: readonly string[], current: string): Asked | undefined {
  const [, head = '', value = ''] = /^(--[\w-]+=)(.*)$/s.exec(current) ?? [];
  if (head !== '') {
    const flag = named(flags, head);
    return flag?.type === undefined ? undefined : { flag, head, value };
  }
  const waiting = flagBefore(flags, given);
  return waiting === undefined ? undefined : { flag: waiting, head: '', value: current };
}

async function valueLines({ flag, head, value }: Asked, path: readonly string[], world: World) {
  const values = await flagValues(flag.aliasOf ?? flag.name, path, world);
  if (values === undefined) return [':files'];
  return [...values.filter((one) => one.startsWith(value)).map((one) => `${head}${one}`), ':end'];
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
function flagBefore(flags: readonly Flag[], given: readonly string[]): Flag | undefined {
  const last = given.at(-1) ?? '';
  if (!last.startsWith('-') || last.includes('=')) return undefined;
  const flag = named(flags, last);
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
    else if (flagBefore(command.flags, given.slice(0, i + 1)) !== undefined) i++;
  }
  return words;
}

async function objects(
  command: Command,
  { path, typed }: { readonly path: readonly string[]; readonly typed: readonly string[] },
  world: World,
): Promise<readonly string[]> {
  const full = command.args.max !== undefined && typed.length >= command.args.max;
  if (command.completes === undefined || full || (command.stopAtFirstArg === true && typed.length > 0))
    return [':files'];
  const kinds = kindsOf(command.completes, typed.length);
  const names = await Promise.all(kinds.map((kind) => namesOf(kind, world, path)));
  return [...names.flat().filter((name) => !typed.includes(name)), ':end'];
}

/** What a name at this place may be of; `network connect` names a network first and a container after it. */
function kindsOf(completes: NonNullable<Command['completes']>, place: number): readonly Kind[] {
  if (completes === 'object') return ['container', 'image', 'network', 'volume'];
  return completes === 'network' && place > 0 ? ['network', 'container'] : [completes];
}
