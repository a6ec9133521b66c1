// hoist rm: remove containers; -f kills those that run, and does not mind those that are not there.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { eachRef } from '../../each.ts';
import { flagTable } from '../../flags.ts';

export const rm: Command = {
  names: [['rm'], ['container', 'rm'], ['container', 'remove']],
  summary: 'Remove one or more containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: flagTable(
    `
  -f, --force     Force the removal of a running container (uses SIGKILL)
  -l, --link      Remove the specified link
  -v, --volumes   Remove anonymous volumes associated with the container`,
  ),
  completes: 'container',
  run(invocation) {
    const { engine, flags } = invocation;
    const options = { force: flags.bool('force'), volumes: flags.bool('volumes'), link: flags.bool('link') };
    return eachRef(
      invocation,
      async (ref) => {
        const name = ref.replace(/^\/+|\/+$/g, '');
        if (name === '') fail('invalid', 'cli.name', 'container name cannot be empty');
        await engine.containers.remove(name, options);
        return ref;
      },
      options.force,
    );
  },
};
