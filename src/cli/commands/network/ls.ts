// hoist network ls: networks as rows.

import { goType } from '../../../base/template/values.ts';
import type { NetworkInspect } from '../../../spec/docker/network.ts';
import type { Command } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { naturally, quietFormat } from '../../render/order.ts';
import { shortId } from '../../render/text.ts';
import { goTime } from '../../render/time.ts';

export const networks: Command = {
  names: [
    ['network', 'ls'],
    ['network', 'list'],
  ],
  summary: 'List networks',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -f, --filter filter   Provide filter values (e.g. "driver=bridge")
${listFormatFlag}
      --no-trunc        Do not truncate the output
  -q, --quiet           Only display network IDs`),
  async run({ io, flags, engine }) {
    const list = await engine.networks.list(filters(flags.list('filter')));
    const format = quietFormat(flags, 'network_id: {{.ID}}') || (await clientConfig(io)).networksFormat;
    const truncate = !flags.bool('no-trunc');
    await io.stdout.write(
      renderListing({
        format,
        tableFormat: 'table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}',
        rawFormat: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
        complaints: ['template parsing error', 'template parsing error'],
        headers: {
          ID: 'NETWORK ID',
          Name: 'NAME',
          Driver: 'DRIVER',
          Scope: 'SCOPE',
          IPv4: 'IPV4',
          IPv6: 'IPV6',
          Internal: 'INTERNAL',
          Labels: 'LABELS',
          CreatedAt: 'CREATED AT',
        },
        rows: [...list].sort((a, b) => naturally(a.Name, b.Name)).map((network) => networkRow(network, truncate)),
      }),
    );
    return 0;
  },
};

function networkRow(network: NetworkInspect, truncate: boolean): Readonly<Record<string, unknown>> {
  const labels = network.Labels ?? {};
  return {
    [goType]: '*network.networkContext',
    CreatedAt: goTime(network.Created),
    Driver: network.Driver,
    ID: truncate ? shortId(network.Id) : network.Id,
    IPv4: String(network.EnableIPv4),
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Label: (name: unknown) => labels[String(name)] ?? '',
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .sort()
      .join(','),
    Name: network.Name,
    Scope: network.Scope,
  };
}
