// hoist volume inspect: volumes as whole documents.

import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag } from '../../formatflag.ts';
import { inspectAll } from '../inspect.ts';

export const volumeInspect: Command = {
  names: [['volume', 'inspect']],
  summary: 'Display detailed information on one or more volumes',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: { min: 1 },
  flags: flagTable(`
${documentFormatFlag}`),
  completes: 'volume',
  run: (invocation) => inspectAll(invocation, (ref) => invocation.engine.volumes.inspect(ref)),
};
