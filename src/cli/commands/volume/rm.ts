// hoist volume rm, hoist volume prune: volumes that nobody needs any more.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { confirmed } from '../../confirm.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { pruneFilters } from '../../prunefilters.ts';
import { humanSize } from '../../render/size.ts';

export const removeVolume: Command = {
  names: [
    ['volume', 'rm'],
    ['volume', 'remove'],
  ],
  summary: 'Remove one or more volumes',
  description: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: { min: 1 },
  flags: flagTable(`
  -f, --force   Force the removal of one or more volumes`),
  completes: 'volume',
  async run({ io, flags, args, engine }) {
    const failures: string[] = [];
    for (const name of args) {
      try {
        await engine.volumes.remove(name, { force: flags.bool('force') });
        await io.stdout.write(`${name}\n`);
      } catch (error) {
        failures.push(errorLines(error));
      }
    }
    await io.stderr.write(failures.join(''));
    return failures.length > 0 ? 1 : 0;
  },
};

export const pruneVolumes: Command = {
  names: [['volume', 'prune']],
  summary: 'Remove unused local volumes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -a, --all             Remove all unused volumes, not just anonymous ones
      --filter filter   Provide filter values (e.g. "label=<label>")
  -f, --force           Do not prompt for confirmation`),
  async run({ io, flags, engine }) {
    const chosen = await pruneFilters(flags, io);
    const all = flags.bool('all');
    if (all && chosen['all'] !== undefined)
      fail('invalid', 'cli.plain', 'conflicting options: cannot specify both --all and --filter all=1');
    const which = all ? 'all' : 'anonymous';
    const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.`;
    if (!flags.bool('force') && !(await confirmed(io, warning))) return 0;
    const { VolumesDeleted, SpaceReclaimed } = await engine.volumes.prune(all ? { ...chosen, all: ['true'] } : chosen);
    const deleted = VolumesDeleted ?? [];
    if (deleted.length > 0) await io.stdout.write(`Deleted Volumes:\n${deleted.join('\n')}\n\n`);
    await io.stdout.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
};
