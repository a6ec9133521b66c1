// hoist diff: what a container has made of its image's files.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';

const kinds = ['C', 'A', 'D'] as const;

export const diff: Command = {
  names: [['diff'], ['container', 'diff']],
  summary: "Inspect changes to files or directories on a container's filesystem",
  usage: 'CONTAINER',
  args: { min: 1, max: 1 },
  flags: [],
  completes: 'container',
  async run({ io, args, engine }) {
    const [ref = ''] = args;
    if (ref === '') fail('invalid', 'cli.container', 'Container name cannot be empty');
    const changes = await engine.containers.changes(ref);
    await io.stdout.write(changes.map(({ Kind, Path }) => `${kinds[Kind]} ${Path}\n`).join(''));
    return 0;
  },
};
