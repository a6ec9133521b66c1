// hoist wait: one exit code per container, in the order that was asked.

import type { Command } from '../../command.ts';
import { eachRef } from '../../each.ts';

export const wait: Command = {
  names: [['wait'], ['container', 'wait']],
  summary: 'Block until one or more containers stop, then print their exit codes',
  usage: 'CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags: [],
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      const { StatusCode } = await invocation.engine.containers.wait(ref, 'not-running', invocation.io.signal);
      return String(StatusCode);
    }),
};
