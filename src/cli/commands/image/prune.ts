// hoist image prune: images that nobody uses.

import type { Command } from '../../command.ts';
import { confirmed } from '../../confirm.ts';
import { flagTable } from '../../flags.ts';
import { pruneFilters } from '../../prunefilters.ts';
import { humanSize } from '../../render/size.ts';

export const pruneImages: Command = {
  names: [['image', 'prune']],
  summary: 'Remove unused images',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -a, --all             Remove all unused images, not just dangling ones
      --filter filter   Provide filter values (e.g. "until=<timestamp>")
  -f, --force           Do not prompt for confirmation`),
  async run({ io, flags, engine }) {
    const all = flags.bool('all');
    const chosen = { ...(await pruneFilters(flags, io)), dangling: [String(!all)] };
    const warning = all
      ? 'WARNING! This will remove all images without at least one container associated to them.'
      : 'WARNING! This will remove all dangling images.';
    if (!flags.bool('force') && !(await confirmed(io, warning))) return 0;
    const { ImagesDeleted, SpaceReclaimed } = await engine.images.prune(chosen);
    const items = ImagesDeleted ?? [];
    if (items.length > 0) {
      const lines = items.map((item) =>
        'Deleted' in item ? `deleted: ${item.Deleted}` : `untagged: ${item.Untagged}`,
      );
      await io.stdout.write(`Deleted Images:\n${lines.join('\n')}\n\n`);
    }
    await io.stdout.write(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`);
    return 0;
  },
};
