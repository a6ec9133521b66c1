// hoist save: images as a tar, into a file or a pipe.

import { errnoOf, fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { checkPlatform } from '../../run/platform.ts';

export const save: Command = {
  names: [['save'], ['image', 'save']],
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: flagTable(`
  -o, --output string     Write to a file, instead of STDOUT
      --platform string   Save only the given platform variant. Formatted
                          as "os[/arch[/variant]]" (e.g., "linux/amd64")`),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const platform = checkPlatform(flags.string('platform'));
    const output = flags.string('output');
    if (output === '' && io.stdout.isTTY)
      fail('invalid', 'cli.plain', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const tar = engine.images.save(args, { platform, signal: io.signal });
    if (output === '') {
      for await (const chunk of tar) await io.stdout.write(chunk);
      return 0;
    }
    try {
      await io.replaceFile(output, tar, { mode: 0o600 });
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
      const directory = output.includes('/') ? output.slice(0, output.lastIndexOf('/')) || '/' : '.';
      fail(
        'invalid',
        'cli.file',
        `failed to save image: invalid output path: stat ${directory}: no such file or directory`,
      );
    }
    return 0;
  },
};
