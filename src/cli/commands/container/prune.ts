// hoist container prune: every container that does not run.

import type { Command } from '../../command.ts';
import { confirmed } from '../../confirm.ts';
import { flagTable } from '../../flags.ts';
import { pruneFilters } from '../../prunefilters.ts';
import { humanSize } from '../../render/size.ts';

export const pruneContainers: Command = {
  names: [['container', 'prune']],
  summary: 'Remove all stopped containers',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
      --filter filter   Provide filter values (e.g. "until=<timestamp>")
  -f, --force           Do not prompt for confirmation`),
  async run({ io, flags, engine }) {
    const chosen = await pruneFilters(flags, io);
    const warning = 'WARNING! This will remove all stopped containers.';
    if (!flags.bool('force') && !(await confirmed(io, warning))) return 0;
    const { ContainersDeleted, SpaceReclaimed } = await engine.containers.prune(chosen);
    const deleted = ContainersDeleted ?? [];
    if (deleted.length > 0) await io.stdout.write(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
    await io.stdout.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
};
