// hoist network inspect: networks as whole documents.

import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { documentFormatFlag } from '../../formatflag.ts';
import { inspectAll } from '../inspect.ts';

export const networkInspect: Command = {
  names: [['network', 'inspect']],
  summary: 'Display detailed information on one or more networks',
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  args: { min: 1 },
  flags: flagTable(`
${documentFormatFlag}
  -v, --verbose         Verbose output for diagnostics`),
  completes: 'network',
  run: (invocation) =>
    inspectAll(invocation, (ref) =>
      invocation.engine.networks.inspect(ref, { verbose: invocation.flags.bool('verbose') }),
    ),
};
