// hoist history: the steps that made an image.

import { humanDuration } from '../../../base/duration.ts';
import { goType } from '../../../base/template/values.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { humanSize } from '../../render/size.ts';
import { ellipsis, shortId } from '../../render/text.ts';
import { checkPlatform } from '../../run/platform.ts';

const createdByWidth = 45;

export const history: Command = {
  names: [['history'], ['image', 'history']],
  summary: 'Show the history of an image',
  usage: '[OPTIONS] IMAGE',
  args: { min: 1, max: 1 },
  flags: flagTable(`
${listFormatFlag}
  -H, --human             Print sizes and dates in human readable format
                          (default true)
      --no-trunc          Don't truncate output
      --platform string   Show history for the given platform. Formatted
                          as "os[/arch[/variant]]" (e.g., "linux/amd64")
  -q, --quiet             Only show image IDs`),
  completes: 'image',
  async run({ io, flags, args, engine }) {
    const platform = checkPlatform(flags.string('platform'));
    const rows = await engine.images.history(args[0] ?? '', platform === '' ? {} : { platform });
    const full = flags.bool('no-trunc');
    const human = !flags.has('human') || flags.bool('human');
    const now = Date.now() / 1000;
    const since = human
      ? '{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}'
      : '{{if .CreatedAt}}{{.CreatedAt}}{{else}}N/A{{end}}';
    const given = flags.string('format');
    const plain = given === '' || given === 'table';
    await io.stdout.write(
      renderListing({
        format: flags.bool('quiet') && plain ? '{{.ID}}' : given,
        tableFormat: `table {{.ID}}\\t${since}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}`,
        rawFormat: '',
        complaints: ['template parsing error', 'template parsing error'],
        headers: {
          ID: 'IMAGE',
          CreatedSince: human ? 'CREATED' : 'CREATED AT',
          CreatedAt: 'CREATED AT',
          CreatedBy: 'CREATED BY',
          Size: 'SIZE',
          Comment: 'COMMENT',
        },
        rows: rows.map((row) => {
          const by = row.CreatedBy.replaceAll('\t', ' ');
          return {
            [goType]: '*formatter.historyContext',
            Comment: row.Comment,
            CreatedAt: row.Created <= 0 ? '' : zoned(row.Created),
            CreatedBy: full ? by : ellipsis(by, createdByWidth),
            CreatedSince:
              row.Created <= 0 ? '' : human ? `${humanDuration(now - row.Created)} ago` : zoned(row.Created),
            ID: full ? row.Id : shortId(row.Id),
            Size: human ? humanSize(row.Size, 3) : String(row.Size),
          };
        }),
      }),
    );
    return 0;
  },
};

/** RFC 3339 in local time, as Go prints it: `Z` for UTC. */
function zoned(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  if (offset === 0) return `${date.toISOString().slice(0, 19)}Z`;
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}
