// The only place where failures become words on stderr and exit codes: Docker's sentences, Docker's codes.

import { errnoOf, HoistError, isHoistError } from '../base/errors.ts';
import type { Command } from './command.ts';
import { canonicalPath, usageLine } from './help.ts';

const program = 'hoist';

/** What `run`, `create` and `exec` exit with by kind; everything else exits with 1. */
const launchCodes: Readonly<Partial<Record<HoistError['kind'], number>>> = {
  not_executable: 126,
  command_not_found: 127,
};

export interface Told {
  readonly text: string;
  readonly code: number;
}

/** Flags that do not parse: Docker's text has no program name in front, and the code is 125 for every command. */
export function tellFlagError(error: HoistError, usage: string, path: readonly string[]): Told {
  const pointer = `Run '${[program, ...path].join(' ')} --help' for more information`;
  return { text: `${error.message}\n\nUsage:  ${usage}\n\n${pointer}\n`, code: 125 };
}

/** The number of arguments, in Docker's words; undefined when it is right. */
export function tellArgCount(command: Command, path: readonly string[], count: number): Told | undefined {
  const { min, max } = command.args;
  if (count >= min && (max === undefined || count <= max)) return undefined;
  const typed = [program, ...canonicalPath(command, path)].join(' ');
  const plural = (n: number): string => `${n} argument${n === 1 ? '' : 's'}`;
  const [what, verb] =
    max === undefined
      ? [`requires at least ${plural(min)}`, 'See']
      : max === 0
        ? ['accepts no arguments', 'Run']
        : min === max
          ? [`requires ${plural(min)}`, 'Run']
          : min === 0
            ? [`requires at most ${plural(max)}`, 'Run']
            : [`requires at least ${min} and at most ${plural(max)}`, 'Run'];
  const usage = usageLine(command, path);
  const text = `${program}: '${typed}' ${what}\n\nUsage:  ${usage}\n\n${verb} '${typed} --help' for more information\n`;
  return { text, code: 1 };
}

/** `usage`: of the group that the word was looked for in; undefined: of all commands. `near`: names that are much like it. */
export function tellUnknownCommand(
  path: readonly string[],
  { usage, near }: { readonly usage?: string; readonly near: readonly string[] },
): Told {
  const group = path.slice(0, -1);
  const pointer = `Run '${[program, ...group].join(' ')} --help' for more information`;
  const shown = usage === undefined ? '' : `Usage:  ${usage}\n\n`;
  const meant = near.map((name) => `"${[program, ...group, name].join(' ')}"`).join(' or ');
  const hint = meant === '' ? '' : `hint: did you mean ${meant}?\n`;
  return {
    text: `${program}: unknown command: ${[program, ...path].join(' ')}\n\n${shown}${pointer}\n${hint}`,
    code: 1,
  };
}

/**
 * Everything that a handler throws. Codes that begin with `cli.` come from this folder and are told as they are; the
 * engine's are introduced as the Docker client introduces its daemon's, because scripts look for those words.
 */
export function tellFailure(error: unknown, command: Command, path: readonly string[]): Told {
  if (errnoOf(error) === 'EPIPE') return { text: '', code: 141 };
  if (!isHoistError(error))
    return { text: `${program}: ${bugText(error)}\n`, code: command.launches === true ? 125 : 1 };
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
  const message = sentence(error);
  if (command.launches === true && error.code !== 'cli.plain') {
    const typed = [program, ...canonicalPath(command, path)].join(' ');
    const text = `${program}: ${message}\n${hint}\nRun '${typed} --help' for more information\n`;
    return { text, code: launchCodes[error.kind] ?? 125 };
  }
  if (error.code === 'cli.bad_template') return { text: `${message}\n`, code: 64 };
  const code = command.names.some((name) => name.at(-1) === 'exec') ? launchCodes[error.kind] : undefined;
  return { text: `${message}\n${hint}`, code: code ?? 1 };
}

/** The failure without `hoist: ` in front and the pointer to --help behind; the exit code becomes 1. */
export function plainFailure(error: unknown): unknown {
  if (!isHoistError(error)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new HoistError(error.kind, 'cli.plain', sentence(error), { ...hint, cause: error });
}

/** `Error response from daemon: ` before what the engine says; nothing before what the command line says. */
export function sentence(error: HoistError): string {
  if (/^(cli|file|reference)\./.test(error.code)) return error.message;
  if (error.kind === 'command_not_found' || error.kind === 'not_executable') return error.message;
  return `Error response from daemon: ${error.message}`;
}

/** A bug: the stack is worth more than a sentence. */
function bugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return errnoOf(error) === undefined ? (error.stack ?? error.message) : error.message;
}
