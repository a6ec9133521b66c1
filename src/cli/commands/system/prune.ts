// hoist system prune: everything that nothing needs.

import { fail } from '../../../base/errors.ts';
import type { Command, FlagValues } from '../../command.ts';
import { confirmed } from '../../confirm.ts';
import { flagTable } from '../../flags.ts';
import { pruneFilters } from '../../prunefilters.ts';
import { humanSize } from '../../render/size.ts';

export const pruneSystem: Command = {
  names: [['system', 'prune']],
  summary: 'Remove unused data',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -a, --all             Remove all unused images not just dangling ones
      --filter filter   Provide filter values (e.g. "label=<key>=<value>")
  -f, --force           Do not prompt for confirmation
      --volumes         Prune anonymous volumes`),
  async run({ io, flags, engine }) {
    const chosen = await pruneFilters(flags, io);
    if (flags.bool('volumes') && chosen['until'] !== undefined) {
      fail('invalid', 'cli.prune', 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    if (!flags.bool('force') && !(await confirmed(io, warning(flags, chosen)))) return 0;
    const told = (title: string, names: readonly string[] | null): Promise<void> =>
      names === null || names.length === 0
        ? Promise.resolve()
        : io.stdout.write(`Deleted ${title}:\n${names.join('\n')}\n\n`);
    const containers = await engine.containers.prune(chosen);
    await told('Containers', containers.ContainersDeleted);
    const networks = await engine.networks.prune(chosen);
    await told('Networks', networks.NetworksDeleted);
    const volumes = flags.bool('volumes')
      ? await engine.volumes.prune(chosen)
      : { VolumesDeleted: [], SpaceReclaimed: 0 };
    await told('Volumes', volumes.VolumesDeleted);
    const dangling = [String(!flags.bool('all'))];
    const images = await engine.images.prune({ ...chosen, dangling });
    await told(
      'Images',
      (images.ImagesDeleted ?? []).map((item) =>
        'Untagged' in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
      ),
    );
    const total = containers.SpaceReclaimed + volumes.SpaceReclaimed + images.SpaceReclaimed;
    await io.stdout.write(`Total reclaimed space: ${humanSize(total)}\n`);
    return 0;
  },
};

function warning(flags: FlagValues, chosen: Readonly<Record<string, readonly string[]>>): string {
  const all = flags.bool('all');
  const items = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(flags.bool('volumes') ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const only = Object.entries(chosen)
    .flatMap(([key, values]) => values.map((value) => `${key}=${value}`))
    .sort();
  const filtered =
    only.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${only.map((o) => `  - ${o}\n`).join('')}`;
  return `WARNING! This will remove:\n${items.map((item) => `  - ${item}\n`).join('')}${filtered}`;
}
