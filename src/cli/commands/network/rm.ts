// hoist network rm, hoist network prune: networks that nobody needs any more.

import type { Command } from '../../command.ts';
import { confirmed } from '../../confirm.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { pruneFilters } from '../../prunefilters.ts';
import { isGone } from '../../session.ts';

export const removeNetwork: Command = {
  names: [
    ['network', 'rm'],
    ['network', 'remove'],
  ],
  summary: 'Remove one or more networks',
  usage: 'NETWORK [NETWORK...]',
  args: { min: 1 },
  flags: flagTable(`
  -f, --force   Do not error if the network does not exist`),
  completes: 'network',
  async run({ io, flags, args, engine }) {
    let failed = false;
    for (const ref of args) {
      try {
        await engine.networks.remove(ref);
        await io.stdout.write(`${ref}\n`);
      } catch (error) {
        if (flags.bool('force') && isGone(error)) continue;
        await io.stderr.write(errorLines(error));
        failed = true;
      }
    }
    if (failed) await io.stderr.write('exit status 1\n');
    return failed ? 1 : 0;
  },
};

export const pruneNetworks: Command = {
  names: [['network', 'prune']],
  summary: 'Remove all unused networks',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
      --filter filter   Provide filter values (e.g. "until=<timestamp>")
  -f, --force           Do not prompt for confirmation`),
  async run({ io, flags, engine }) {
    const chosen = await pruneFilters(flags, io);
    const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
    if (!flags.bool('force') && !(await confirmed(io, warning))) return 0;
    const deleted = (await engine.networks.prune(chosen)).NetworksDeleted ?? [];
    if (deleted.length > 0) await io.stdout.write(`Deleted Networks:\n${deleted.join('\n')}\n\n`);
    return 0;
  },
};
