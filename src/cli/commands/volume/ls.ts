// hoist volume ls: volumes as rows.

import { goType } from '../../../base/template/values.ts';
import type { Volume } from '../../../spec/docker/volume.ts';
import type { Command } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { naturally, quietFormat } from '../../render/order.ts';

export const volumes: Command = {
  names: [
    ['volume', 'ls'],
    ['volume', 'list'],
  ],
  summary: 'List volumes',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
      --cluster         Display only cluster volumes, and use cluster volume list formatting
  -f, --filter filter   Provide filter values (e.g. "dangling=true")
${listFormatFlag}
  -q, --quiet           Only display volume names`),
  async run({ io, flags, engine }) {
    const cluster = flags.bool('cluster');
    const list = await engine.volumes.list(filters(flags.list('filter')));
    const asked = quietFormat(flags, 'name: {{.Name}}', '{{.Name}}') || (await clientConfig(io)).volumesFormat;
    await io.stdout.write(
      renderListing({
        format: asked,
        tableFormat: cluster
          ? 'table {{.Name}}\\t{{.Group}}\\t{{.Driver}}\\t{{.Availability}}\\t{{.Status}}'
          : 'table {{.Driver}}\\t{{.Name}}',
        rawFormat: 'name: {{.Name}}\ndriver: {{.Driver}}\n',
        complaints: ['template parsing error', 'template parsing error'],
        headers,
        // none is of a cluster
        rows: cluster ? [] : [...list].sort((a, b) => naturally(a.Name, b.Name)).map(volumeRow),
      }),
    );
    return 0;
  },
};

const headers = {
  Availability: 'AVAILABILITY',
  Driver: 'DRIVER',
  Group: 'GROUP',
  Labels: 'LABELS',
  Links: 'LINKS',
  Mountpoint: 'MOUNTPOINT',
  Name: 'VOLUME NAME',
  Scope: 'SCOPE',
  Size: 'SIZE',
  Status: 'STATUS',
};

function volumeRow({ Name, Driver, Scope, Mountpoint, Labels }: Volume): Readonly<Record<string, unknown>> {
  const labels = Labels ?? {};
  return {
    [goType]: '*formatter.volumeContext',
    Availability: 'N/A',
    Driver,
    Group: 'N/A',
    Label: (name: unknown) => labels[String(name)] ?? '',
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    Links: 'N/A',
    Mountpoint,
    Name,
    Scope,
    Size: 'N/A',
    Status: 'N/A',
  };
}
