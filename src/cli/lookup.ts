// From words to the command that they name.

import type { Command } from './command.ts';

/** The longest name that the words begin with. */
export function findCommand(
  commands: readonly Command[],
  words: readonly string[],
): { readonly command: Command; readonly path: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const path = words.slice(0, length);
    const same = (name: readonly string[]): boolean =>
      name.length === path.length && name.every((w, i) => w === path[i]);
    const command = commands.find((candidate) => candidate.names.some(same));
    if (command !== undefined) return { command, path };
  }
  return undefined;
}

/** Names in `group` that a typing mistake or two make of `word`, or that it begins. Commands that are refused are none. */
export function similarNames(commands: readonly Command[], group: readonly string[], word: string): readonly string[] {
  const names = commands
    .filter(({ hidden, refused }) => hidden !== true && refused === undefined)
    .flatMap((command) => command.names)
    .filter((name) => name.length > group.length && group.every((w, i) => w === name[i]))
    .map((name) => name[group.length] ?? '');
  const typed = word.toLowerCase();
  const ranked = [...new Set(names)]
    .map((name) => ({ name, far: typed.length > 1 && name.startsWith(typed) ? 0 : distance(typed, name) }))
    .filter(({ name, far }) => far <= Math.min(2, Math.ceil(name.length / 3)))
    .sort((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1));
  return ranked
    .filter(({ far }) => far === ranked[0]?.far)
    .map(({ name }) => name)
    .slice(0, 3);
}

/** Letters to insert, delete, replace or swap with a neighbour. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const up = rows[i - 1] ?? [];
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (up[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (up[j - 1] ?? 0) + cost,
          swapped ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
