// hoist search: what a registry's search knows, Docker Hub's where no other registry is named.

import { goType } from '../../../base/template/values.ts';
import type { Command } from '../../command.ts';
import { authAt } from '../../credentials.ts';
import { filters } from '../../filters.ts';
import { flagTable } from '../../flags.ts';
import { renderListing } from '../../render/listing.ts';
import { ellipsis } from '../../render/text.ts';

const descriptionWidth = 45;

export const search: Command = {
  names: [['search']],
  summary: 'Search Docker Hub for images',
  usage: '[OPTIONS] TERM',
  args: { min: 1, max: 1 },
  flags: flagTable(`
  -f, --filter filter   Filter output based on conditions provided
      --format string   Pretty-print search using a Go template
      --limit int       Max number of search results
      --no-trunc        Don't truncate output`),
  async run({ io, flags, args, engine }) {
    const [term = ''] = args;
    const first = term.includes('/') ? (term.split('/')[0] ?? '') : '';
    const domain = first === 'localhost' || /[.:]/.test(first) ? first : 'docker.io';
    const found = await engine.images.search(term, {
      limit: Number(flags.string('limit') || 0),
      filters: filters(flags.list('filter')),
      auth: await authAt(io, domain),
      signal: io.signal,
    });
    const rows = [...found].sort((a, b) => b.star_count - a.star_count);
    await io.stdout.write(
      renderListing({
        format: flags.string('format'),
        tableFormat: 'table {{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}',
        rawFormat: '',
        complaints: ['template parsing error', 'template parsing error'],
        headers: {
          Name: 'NAME',
          Description: 'DESCRIPTION',
          StarCount: 'STARS',
          IsOfficial: 'OFFICIAL',
          IsAutomated: 'AUTOMATED',
        },
        rows: rows.map((row) => {
          const description = row.description.replace(/[\n\r]/g, ' ');
          return {
            [goType]: '*formatter.searchContext',
            Description: flags.bool('no-trunc') ? description : ellipsis(description, descriptionWidth),
            IsAutomated: row.is_automated ? '[OK]' : '',
            IsOfficial: row.is_official ? '[OK]' : '',
            Name: row.name,
            StarCount: String(row.star_count),
          };
        }),
      }),
    );
    return 0;
  },
};
