// hoist stop, hoist restart: the stop signal, a time to leave, and then SIGKILL.

import type { Command, FlagValues } from '../../command.ts';
import { eachRef } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { parseInt64 } from '../../values.ts';

const flags = flagTable(
  `
  -s, --signal string   Signal to send to the container
  -t, --timeout int     Seconds to wait before killing the container`,
  { deprecated: { time: ['timeout', 'use --timeout instead'] } },
);

function options(given: FlagValues): { readonly signal?: string; readonly timeout?: number } {
  return {
    ...(given.string('signal') === '' ? {} : { signal: given.string('signal') }),
    ...(given.has('timeout') ? { timeout: parseInt64(given.string('timeout')) } : {}),
  };
}

export const stop: Command = {
  names: [['stop'], ['container', 'stop']],
  summary: 'Stop one or more running containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags,
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      await invocation.engine.containers.stop(ref, options(invocation.flags));
      return ref;
    }),
};

export const restart: Command = {
  names: [['restart'], ['container', 'restart']],
  summary: 'Restart one or more containers',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  args: { min: 1 },
  flags,
  completes: 'container',
  run: (invocation) =>
    eachRef(invocation, async (ref) => {
      await invocation.engine.containers.restart(ref, options(invocation.flags));
      return ref;
    }),
};
