// hoist pause, hoist unpause: stop the clock of every process in a container, and let it go on.

import type { Command } from '../../command.ts';
import { eachRef } from '../../each.ts';

export const pause: Command = {
  names: [['pause'], ['container', 'pause']],
  summary: 'Pause all processes within one or more containers',
  usage: 'CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: [],
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      await invocation.engine.containers.pause(ref);
      return ref;
    }),
};

export const unpause: Command = {
  names: [['unpause'], ['container', 'unpause']],
  summary: 'Unpause all processes within one or more containers',
  usage: 'CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: [],
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      await invocation.engine.containers.unpause(ref);
      return ref;
    }),
};
