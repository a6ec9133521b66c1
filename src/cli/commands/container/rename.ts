// hoist rename: another name for a container.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { errorLines } from '../../each.ts';

export const rename: Command = {
  names: [['rename'], ['container', 'rename']],
  summary: 'Rename a container',
  usage: 'CONTAINER NEW_NAME',
  args: { min: 2, max: 2 },
  flags: [],
  completes: 'container',
  async run({ io, args, engine }) {
    const [from = '', to = ''] = args.map((name) => name.trim());
    if (from === '' || to === '') fail('invalid', 'cli.name', 'Error: Neither old nor new names may be empty');
    try {
      await engine.containers.rename(from, to);
      return 0;
    } catch (error) {
      await io.stderr.write(`${errorLines(error)}Error: failed to rename container named ${from}\n`);
      return 1;
    }
  },
};
