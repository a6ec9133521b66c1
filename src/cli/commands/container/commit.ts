// hoist commit: an image of a container's changes.

import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';

export const commit: Command = {
  names: [['commit'], ['container', 'commit']],
  summary: "Create a new image from a container's changes",
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  args: { min: 1, max: 2 },
  flags: flagTable(`
  -a, --author string    Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
  -c, --change list      Apply Dockerfile instruction to the created image
  -m, --message string   Commit message
  -p, --pause            Pause container during commit (default true)`),
  completes: 'container',
  async run({ io, flags, args, engine }) {
    const [ref = '', reference = ''] = args;
    const id = await engine.containers.commit(ref, {
      ...(reference === '' ? {} : { reference }),
      author: flags.string('author'),
      message: flags.string('message'),
      changes: flags.list('change'),
      pause: flags.bool('pause'),
    });
    await io.stdout.write(`${id}\n`);
    return 0;
  },
};
