// hoist volume create: a volume, or what is there already under that name.

import { fail } from '../../../base/errors.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { checkLabel, keyValues } from '../../run/environment.ts';

const cluster = 'cluster volumes belong to a swarm';

export const createVolume: Command = {
  names: [['volume', 'create']],
  summary: 'Create a volume',
  usage: '[OPTIONS] [VOLUME]',
  args: { min: 0, max: 1 },
  flags: [
    ...flagTable(
      `
      --availability string       Cluster Volume availability ("active", "pause", "drain") (default "active")
  -d, --driver string             Specify volume driver name (default "local")
      --group string              Cluster Volume group (cluster volumes)
      --label list                Set metadata for a volume
      --limit-bytes bytes         Minimum size of the Cluster Volume in bytes
  -o, --opt map                   Set driver specific options (default map[])
      --required-bytes bytes      Maximum size of the Cluster Volume in bytes
      --scope string              Cluster Volume access scope ("single", "multi") (default "single")
      --secret map                Cluster Volume secrets (default map[])
      --sharing string            Cluster Volume access sharing ("none", "readonly", "onewriter", "all") (default "none")
      --topology-preferred list   A topology that the Cluster Volume would be preferred in
      --topology-required list    A topology that the Cluster Volume must be accessible from
      --type string               Cluster Volume access type ("mount", "block") (default "block")`,
      {
        check: { label: checkLabel },
        refused: Object.fromEntries(
          'availability group limit-bytes required-bytes scope secret sharing topology-preferred topology-required type'
            .split(' ')
            .map((name) => [name, cluster]),
        ),
      },
    ),
    { name: 'name', type: 'string', help: 'Specify volume name', hidden: true },
  ],
  async run({ io, flags, args, engine }) {
    const name = flags.string('name');
    if (name !== '' && args[0] !== undefined)
      fail(
        'invalid',
        'cli.plain',
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    const volume = await engine.volumes.create({
      Name: args[0] ?? name,
      Driver: flags.string('driver'),
      DriverOpts: keyValues(flags.list('opt')),
      ...(flags.has('label') ? { Labels: keyValues(flags.list('label')) } : {}),
    });
    await io.stdout.write(`${volume.Name}\n`);
    return 0;
  },
};
