// hoist logs: what the process wrote, its stdout to stdout and its stderr to stderr.

import type { LogLine } from '../../../engine/engine.ts';
import type { Command } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import { parseMoment } from '../../moment.ts';

const newline = 10;
const example = '(e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)';

export const logs: Command = {
  names: [['logs'], ['container', 'logs']],
  summary: 'Fetch the logs of a container',
  usage: '[OPTIONS] CONTAINER',
  args: { min: 1, max: 1 },
  flags: flagTable(`
      --details        Show extra details provided to logs
  -f, --follow         Follow log output
      --since string   Show logs since timestamp ${example}
  -n, --tail string    Number of lines to show from the end of the logs (default "all")
  -t, --timestamps     Show timestamps
      --until string   Show logs before a timestamp ${example}`),
  completes: 'container',
  async run({ io, flags, args, engine }) {
    const tail = flags.string('tail');
    const now = Date.now();
    const lines = engine.containers.logs(args[0] ?? '', {
      follow: flags.bool('follow'),
      since: parseMoment('since', flags.string('since'), now),
      until: parseMoment('until', flags.string('until'), now),
      ...(/^\d+$/.test(tail) ? { tail: Number(tail) } : {}),
      stdout: true,
      stderr: true,
      signal: io.signal,
    });
    const details = flags.bool('details');
    /** Streams whose last line is not at its end: the next piece has no prefix. */
    const open = new Set<string>();
    for await (const line of lines) {
      const prefix = open.has(line.stream)
        ? ''
        : `${flags.bool('timestamps') ? `${line.time} ` : ''}${details ? detailsOf(line) : ''}`;
      if (line.data.at(-1) === newline) open.delete(line.stream);
      else open.add(line.stream);
      const output = line.stream === 'stdout' ? io.stdout : io.stderr;
      await output.write(prefix === '' ? line.data : Buffer.concat([Buffer.from(prefix), line.data]));
    }
    return 0;
  },
};

/** What --log-opt labels, env and tag add, as Docker's client shows it; where there is nothing, its blank. */
function detailsOf({ details }: LogLine): string {
  const entries = Object.entries(details ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${entries.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join(',')} `;
}

function escaped(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
