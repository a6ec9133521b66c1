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
