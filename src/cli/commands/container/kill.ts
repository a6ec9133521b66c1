// hoist kill: one signal, SIGKILL if none is named.

import type { Command } from '../../command.ts';
import { eachRef } from '../../each.ts';
import { flagTable } from '../../flags.ts';

export const kill: Command = {
  names: [['kill'], ['container', 'kill']],
  summary: 'Kill one or more running containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: flagTable(`
  -s, --signal string   Signal to send to the container`),
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      await invocation.engine.containers.kill(ref, invocation.flags.string('signal') || 'SIGKILL');
      return ref;
    }),
};
