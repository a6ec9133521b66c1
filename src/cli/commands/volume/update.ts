// hoist volume update: of cluster volumes alone, so there is nothing to update.

import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { notSwarm } from '../unsupported.ts';

export const updateVolume: Command = {
  names: [['volume', 'update']],
  summary: 'Update a volume (cluster volumes only)',
  usage: '[OPTIONS] [VOLUME]',
  args: { min: 0, max: 1 },
  flags: flagTable(
    `
      --availability string   Cluster Volume availability ("active", "pause", "drain") (default "active")`,
  ),
  refused: notSwarm,
  run: async () => 1,
};
