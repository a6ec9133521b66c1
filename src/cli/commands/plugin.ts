// hoist plugin ls: the table of the engine's plugins, of which there are none.

import type { Command } from '../command.ts';
import { clientConfig } from '../config.ts';
import { flagTable } from '../flags.ts';
import { listFormatFlag } from '../formatflag.ts';
import { renderListing } from '../render/listing.ts';
import { quietFormat } from '../render/order.ts';

export const plugins: Command = {
  names: [
    ['plugin', 'ls'],
    ['plugin', 'list'],
  ],
  summary: 'List plugins',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: flagTable(`
  -f, --filter filter   Provide filter values (e.g. "enabled=true")
${listFormatFlag}
      --no-trunc        Don't truncate output
  -q, --quiet           Only display plugin IDs`),
  async run({ io, flags }) {
    await io.stdout.write(
      renderListing({
        format: quietFormat(flags, 'plugin_id: {{.ID}}') || (await clientConfig(io)).pluginsFormat,
        tableFormat: 'table {{.ID}}\\t{{.Name}}\\t{{.Description}}\\t{{.Enabled}}',
        rawFormat: 'plugin_id: {{.ID}}\nname: {{.Name}}\ndescription: {{.Description}}\nenabled: {{.Enabled}}\n',
        complaints: ['template parsing error', 'template parsing error'],
        headers: {
          ID: 'ID',
          Name: 'NAME',
          Description: 'DESCRIPTION',
          Enabled: 'ENABLED',
          PluginReference: 'IMAGE',
        },
        rows: [],
      }),
    );
    return 0;
  },
};
