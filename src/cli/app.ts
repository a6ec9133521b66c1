// The command line from argv to exit code: global flags, which command, its flags, its handler, its failure.
// Never touches the process: everything goes through `io`, so that it runs hosted in the engine as well.

import { fail, isHoistError } from '../base/errors.ts';
import { hoistVersion } from '../base/version.ts';
import type { Engine } from '../engine/engine.ts';
import type { Command } from './command.ts';
import { allCommands } from './commands/index.ts';
import { clientConfig } from './config.ts';
import { type Told, tellArgCount, tellFailure, tellFlagError, tellUnknownCommand } from './failures.ts';
import { canonicalPath, commandHelp, groupHelp, inGroup, rootHelp, usageLine } from './help.ts';
import type { Io } from './io.ts';
import { findCommand, similarNames } from './lookup.ts';
import { type Parsed, parseFlags } from './parse.ts';
import { groups, rootFlags } from './root.ts';

export async function runCli(
  argv: readonly string[],
  io: Io,
  connect: () => Promise<Engine> | Engine,
  commands: readonly Command[] = allCommands,
): Promise<number> {
  const cli: Cli = { io, connect, commands };
  try {
    return await Promise.race([dispatch(cli, argv), ended(io.signal)]);
  } catch (error) {
    if (isHoistError(error, 'cli.flag')) {
      return await tell(cli, tellFlagError(error, 'hoist [OPTIONS] COMMAND [ARG...]', []));
    }
    return await tell(cli, tellFailure(error, anonymous, []));
  }
}

interface Cli {
  readonly io: Io;
  readonly connect: () => Promise<Engine> | Engine;
  readonly commands: readonly Command[];
}

/** The command that failures outside of any command are told for. */
const anonymous: Command = { names: [[]], summary: '', usage: '', args: { min: 0 }, flags: [], run: async () => 0 };

const logLevels = ['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace'];

async function dispatch({ io, ...rest }: Cli, argv: readonly string[]): Promise<number> {
  const root = parseFlags(rootFlags(io.env['HOME'] ?? ''), argv, true);
  const config = root.flags.has('config') ? { DOCKER_CONFIG: root.flags.string('config') } : {};
  const cli: Cli = { ...rest, io: { ...io, env: { ...io.env, ...config } } };
  const words = root.args;
  if (words.length === 0 && root.flags.bool('version')) return await print(cli, `Hoist version ${hoistVersion}\n`);
  const help = root.flags.bool('help');
  const level = root.flags.string('log-level');
  if (!logLevels.includes(level))
    return await tell(cli, { text: `Unable to parse logging level: ${level}\n`, code: 1 });
  if (words[0] === 'help') return await helpTopic(cli, words.slice(1));
  if (words.length === 0) {
    const text = rootHelp(cli.commands, cli.io.env['HOME'] ?? '', cli.io.size()?.columns);
    return help ? await print(cli, text) : await tell(cli, { text, code: 0 });
  }
  const found = findCommand(cli.commands, words);
  if (found === undefined || found.command.refused !== undefined) {
    const code = await runPlugin(cli, help ? [...words, '--help'] : words);
    if (code !== undefined) return code;
  }
  if (found === undefined) return await runGroup(cli, words, help);
  const { command, path } = found;
  if (help) return await print(cli, commandHelp(command, path, cli.io.size()?.columns));
  return await runCommand(cli, command, path, words.slice(path.length));
}

/** undefined: there is no plugin of that name. The one alias that Docker knows makes `build` a plugin's. */
async function runPlugin({ io }: Cli, words: readonly string[]): Promise<number | undefined> {
  const [name = '', ...rest] = words;
  if (name !== 'build' && name !== 'builder') return await io.plugin?.(name, words);
  const alias = (await clientConfig(io)).aliases['builder'] ?? '';
  return await io.plugin?.(alias, [alias, ...(name === 'build' ? words : rest)]);
}

async function runCommand(
  cli: Cli,
  command: Command,
  path: readonly string[],
  argv: readonly string[],
): Promise<number> {
  const { io } = cli;
  if (command.refused !== undefined) return await refuse(cli, command, path, argv);
  let parsed: Parsed;
  try {
    parsed = parseFlags(command.flags, argv, command.stopAtFirstArg === true);
  } catch (error) {
    if (!isHoistError(error, 'cli.flag')) return await tell(cli, tellFailure(error, command, path));
    return await tell(cli, tellFlagError(error, usageLine(command, path), canonicalPath(command, path)));
  }
  for (const notice of parsed.notices) await io.stderr.write(`${notice}\n`);
  const { flags, args } = parsed;
  if (flags.bool('help')) return await print(cli, commandHelp(command, path, io.size()?.columns));
  const wrong = tellArgCount(command, path, args.length);
  if (wrong !== undefined) return await tell(cli, wrong);
  try {
    const engine = await connectOrTell(cli);
    const code = await command.run({ io, path, flags, args, engine, commands: cli.commands });
    return code === 0 && io.signal.aborted ? signalCode(io.signal) : code; // what follows has no other end
  } catch (error) {
    if (io.signal.aborted) return signalCode(io.signal);
    return await tell(cli, tellFailure(error, command, path));
  }
}

async function refuse(cli: Cli, command: Command, path: readonly string[], argv: readonly string[]): Promise<number> {
  if (argv.includes('--help')) return await print(cli, commandHelp(command, path, cli.io.size()?.columns));
  return await tell(cli, { text: `hoist ${path.join(' ')} is not supported: ${command.refused}\n`, code: 1 });
}

/** An engine that cannot be reached has not said anything: its absence is told without its name in front. */
async function connectOrTell({ connect }: Cli): Promise<Engine> {
  try {
    return await connect();
  } catch (error) {
    if (!isHoistError(error)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return fail(error.kind, 'cli.connect', error.message, { ...hint, cause: error });
  }
}

async function runGroup(cli: Cli, words: readonly string[], help: boolean): Promise<number> {
  const [name = '', ...rest] = words;
  const group = groups.find((candidate) => candidate.name === name);
  if (group === undefined || !cli.commands.some((command) => inGroup(command, name))) {
    return await tell(cli, tellUnknownCommand([name], { near: similarNames(cli.commands, [], name) }));
  }
  const text = groupHelp(group, cli.commands);
  const usage = ['hoist', name, group.usage ?? ''].join(' ').trim();
  if (help) return await print(cli, text);
  let parsed: Parsed;
  try {
    parsed = parseFlags([], rest, true);
  } catch (error) {
    if (!isHoistError(error, 'cli.flag')) throw error;
    return await tell(cli, tellFlagError(error, usage, [name]));
  }
  if (parsed.flags.bool('help')) return await print(cli, text);
  if (parsed.args[0] === undefined) return await tell(cli, { text, code: 0 });
  const near = similarNames(cli.commands, [name], parsed.args[0]);
  return await tell(cli, tellUnknownCommand([name, parsed.args[0]], { usage, near }));
}

async function helpTopic(cli: Cli, words: readonly string[]): Promise<number> {
  if (words.length === 0) return await dispatch(cli, ['--help']);
  const found = findCommand(cli.commands, words);
  const known = found?.path.length ?? (groups.some((group) => group.name === words[0]) ? 1 : 0);
  const unknown = words[known];
  if (unknown !== undefined) return await tell(cli, { text: `unknown help topic: ${unknown}\n`, code: 1 });
  return await dispatch(cli, ['--help', ...words]);
}

async function print(cli: Cli, text: string): Promise<number> {
  await cli.io.stdout.write(text);
  return 0;
}

async function tell(cli: Cli, told: Told): Promise<number> {
  if (told.text !== '') await cli.io.stderr.write(told.text).catch(() => undefined);
  return told.code;
}

/** Handlers stop by themselves where they hold something; the exit code does not wait for those that do not look. */
function ended(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const end = (): void => resolve(signalCode(signal));
    if (signal.aborted) end();
    else signal.addEventListener('abort', () => setTimeout(end, 200).unref(), { once: true });
  });
}

/** 128 + the signal, as a shell tells it. */
function signalCode(signal: AbortSignal): number {
  const codes: Readonly<Record<string, number>> = {
    SIGHUP: 129,
    SIGINT: 130,
    SIGQUIT: 131,
    SIGPIPE: 141,
    SIGTERM: 143,
  };
  return codes[String(signal.reason)] ?? 130;
}
