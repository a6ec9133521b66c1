// hoist top: a container's processes, as `ps` with the user's own options tells them.

import type { Command } from '../../command.ts';
import { alignTable } from '../../render/table.ts';

export const top: Command = {
  names: [['top'], ['container', 'top']],
  summary: 'Display the running processes of a container',
  usage: 'CONTAINER [ps OPTIONS]',
  args: { min: 1 },
  flags: [],
  stopAtFirstArg: true,
  completes: 'container',
  async run({ io, args, engine }) {
    const [ref = '', ...options] = args;
    const { Titles, Processes } = await engine.containers.top(ref, options.join(' '));
    await io.stdout.write(
      alignTable(
        [Titles, ...Processes].map((cells) => cells.join('\t')),
        20,
      ),
    );
    return 0;
  },
};
