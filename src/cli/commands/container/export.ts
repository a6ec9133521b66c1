// hoist export: a container's root file system as a tar.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';

export const exportContainer: Command = {
  names: [['export'], ['container', 'export']],
  summary: "Export a container's filesystem as a tar archive",
  usage: '[OPTIONS] CONTAINER',
  args: { min: 1, max: 1 },
  flags: flagTable(`
  -o, --output string   Write to a file, instead of STDOUT`),
  completes: 'container',
  async run({ io, flags, args, engine }) {
    const output = flags.string('output');
    if (output === '' && io.stdout.isTTY)
      fail('invalid', 'cli.plain', 'cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const tar = engine.containers.export(args[0] ?? '', io.signal);
    if (output !== '') await io.replaceFile(output, tar, { mode: 0o600 });
    else for await (const piece of tar) await io.stdout.write(piece);
    return 0;
  },
};
