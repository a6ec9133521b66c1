// `--help`, laid out as Docker's client lays it out (cobra's template, pflag's wrapping), made from the command tables.

import type { Command, Flag } from './command.ts';
import { type Group, groups, rootFlags } from './root.ts';

const program = 'hoist';

/** The order of the first block of `hoist --help`; the others are alphabetical. */
const commonCommands = 'run exec ps build pull push images login logout search version info'.split(' ');

/** `width`: columns of the terminal; Docker takes 80 where there is none. */
export function commandHelp(command: Command, path: readonly string[], width = 80): string {
  const parts = [`Usage:  ${usageLine(command, path)}`, command.description ?? command.summary];
  const aliases = aliasLines(command);
  if (aliases.length > 1) parts.push(`Aliases:\n  ${aliases.join(', ')}`);
  const shown = command.flags.filter((flag) => flag.hidden !== true);
  if (shown.length > 0) parts.push(`Options:\n${flagUsages(shown, width - 1)}`);
  return `${parts.join('\n\n')}\n`;
}

export function groupHelp(group: Group, commands: readonly Command[]): string {
  const rows = visible(commands).flatMap((command) => {
    const path = command.names.find((name) => name.length === 2 && name[0] === group.name);
    return path?.[1] === undefined ? [] : [[path[1], command.summary] as const];
  });
  return [
    `Usage:  ${program} ${group.name} COMMAND`,
    group.description ?? group.summary,
    `Commands:\n${commandRows(rows)}`,
    `Run '${program} ${group.name} COMMAND --help' for more information on a command.\n`,
  ].join('\n\n');
}

export function rootHelp(commands: readonly Command[], home: string, width = 80): string {
  const top = visible(commands).flatMap((command) => {
    const path = command.names.find((name) => name.length === 1);
    return path?.[0] === undefined ? [] : [[path[0], command.summary] as const];
  });
  const common = commonCommands.flatMap((name) => top.filter((row) => row[0] === name));
  const others = top.filter((row) => !commonCommands.includes(row[0]));
  const management = groups.filter((group) => commands.some((command) => inGroup(command, group.name)));
  return [
    `Usage:  ${program} [OPTIONS] COMMAND`,
    'A container engine for Linux in one program',
    `Common Commands:\n${commandRows(common, false)}`,
    `Management Commands:\n${commandRows(management.map((group) => [group.name, group.summary]))}`,
    `Commands:\n${commandRows(others)}`,
    `Global Options:\n${flagUsages(rootFlags(home), width - 1)}`,
    `Run '${program} COMMAND --help' for more information on a command.\n`,
  ].join('\n\n');
}

/** `hoist ps [OPTIONS]`: the usage of a command under the name that was typed. */
export function usageLine(command: Command, path: readonly string[]): string {
  return [program, ...canonicalPath(command, path), command.usage].filter((part) => part !== '').join(' ');
}

/** `container ps` is told as `container ls`: the first name in the same group. */
export function canonicalPath(command: Command, path: readonly string[]): readonly string[] {
  if (path.length < 2) return path;
  const sameGroup = (name: readonly string[]): boolean => name.length === path.length && name[0] === path[0];
  return command.names.find(sameGroup) ?? path;
}

export function inGroup(command: Command, group: string): boolean {
  return command.hidden !== true && command.names.some((name) => name.length > 1 && name[0] === group);
}

function visible(commands: readonly Command[]): readonly Command[] {
  return commands.filter((command) => command.hidden !== true);
}

/** The names in groups first, as Docker shows them. */
function aliasLines(command: Command): readonly string[] {
  const ordered = [...command.names].sort((a, b) => Number(a.length < 2) - Number(b.length < 2));
  return ordered.map((name) => [program, ...name].join(' '));
}

/** cobra pads names to the longest of the list, and to 11 columns at least. */
function commandRows(rows: readonly (readonly [string, string])[], sorted = true): string {
  const width = Math.max(11, ...rows.map(([name]) => name.length));
  const ordered = sorted ? [...rows].sort(([a], [b]) => (a < b ? -1 : 1)) : rows;
  return ordered.map(([name, summary]) => `  ${name.padEnd(width)} ${summary}`).join('\n');
}

function flagUsages(flags: readonly Flag[], width: number): string {
  const ordered = [...flags].sort((a, b) => (a.name < b.name ? -1 : 1));
  const heads = ordered.map((flag) => {
    const short = flag.short === undefined ? '      ' : `  -${flag.short}, `;
    return `${short}--${flag.name}${flag.type === undefined ? '' : ` ${flag.type}`}`;
  });
  const column = Math.max(...heads.map((head) => head.length)) + 3;
  return ordered.map((flag, i) => (heads[i] ?? '').padEnd(column) + wrapped(flag.help, column, width)).join('\n');
}

/** Wraps as pflag does: at blanks, five columns early unless the last words fit in those five. */
function wrapped(text: string, column: number, width: number): string {
  const slop = 5;
  const narrow = width - column < 24;
  const indent = narrow ? 16 : column;
  const room = width - indent;
  const newline = `\n${' '.repeat(indent)}`;
  const start = narrow ? newline : '';
  if (room < 24) return text.replaceAll('\n', newline);
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const cut = cutAt(rest, room - slop, slop);
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut + 1);
  }
  return start + lines.join('\n').replaceAll('\n', newline);
}

function cutAt(text: string, limit: number, slop: number): number {
  if (limit + slop > text.length) return text.length;
  const head = text.slice(0, limit);
  const blank = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t'), head.lastIndexOf('\n'));
  if (blank <= 0) return text.length;
  const newline = head.lastIndexOf('\n');
  return newline > 0 && newline < blank ? newline : blank;
}
