// hoist load: images from a tar, out of a file or a pipe.

import { errnoOf, fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import type { Io } from '../../io.ts';
import { fileProblem } from '../../run/environment.ts';
import { checkPlatform } from '../../run/platform.ts';

export const load: Command = {
  names: [['load'], ['image', 'load']],
  summary: 'Load an image from a tar archive or STDIN',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -i, --input string      Read from tar archive file, instead of STDIN
      --platform string   Load only the given platform variant. Formatted
                          as "os[/arch[/variant]]" (e.g., "linux/amd64")
  -q, --quiet             Suppress the load output`),
  async run({ io, flags, engine }) {
    const platform = checkPlatform(flags.string('platform'));
    const input = flags.string('input');
    if (input === '' && io.stdin.isTTY) fail('invalid', 'cli.plain', 'requested load from stdin, but stdin is empty');
    const source = input === '' ? io.stdin.read() : fileStream(io, input);
    for (const { reference, id, replaced } of await engine.images.load(source, { platform, signal: io.signal })) {
      if (replaced !== undefined && !flags.bool('quiet')) {
        const what = `The image ${reference} already exists, renaming the old one with ID ${replaced} to empty string`;
        await io.stdout.write(`${what}\n`);
      }
      await io.stdout.write(reference === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${reference}\n`);
    }
    return 0;
  },
};

async function* fileStream(io: Io, path: string): AsyncIterable<Uint8Array> {
  try {
    yield* io.openFile(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    fail('invalid', 'cli.file', `open ${path}: ${fileProblem(error)}`, { cause: error });
  }
}
