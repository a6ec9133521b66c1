// hoist stats: what containers use, once or as a table that stays on the screen.

import { setTimeout as sleep } from 'node:timers/promises';
import type { EventMessage } from '../../../spec/docker/system.ts';
import type { Command, Invocation } from '../../command.ts';
import { clientConfig } from '../../config.ts';
import { errorLines } from '../../each.ts';
import { flagTable } from '../../flags.ts';
import { listFormatFlag } from '../../formatflag.ts';
import { renderListing } from '../../render/listing.ts';
import { type Sample, statsRow } from './stats-row.ts';

const tableFormat =
  'table {{.ID}}\\t{{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.MemPerc}}\\t{{.NetIO}}\\t{{.BlockIO}}\\t{{.PIDs}}';

const headers = {
  Container: 'CONTAINER',
  Name: 'NAME',
  ID: 'CONTAINER ID',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};

/** Milliseconds between two screens. */
const refresh = 500;

export const stats: Command = {
  names: [['stats'], ['container', 'stats']],
  summary: 'Display a live stream of container(s) resource usage statistics',
  usage: '[OPTIONS] [CONTAINER...]',
  args: { min: 0 },
  flags: flagTable(`
  -a, --all             Show all containers (default shows just running)
${listFormatFlag}
      --no-stream       Disable streaming stats and only pull the first result
      --no-trunc        Do not truncate output`),
  completes: 'container',
  async run(invocation) {
    const { io, flags, args } = invocation;
    const format = flags.string('format') || (await clientConfig(io)).statsFormat;
    const end = new AbortController();
    io.signal.addEventListener('abort', () => end.abort(), { once: true });
    const watch = createWatch(invocation, end.signal);
    try {
      const listening = args.length === 0 && !flags.bool('no-stream') ? watch.follow() : undefined;
      listening?.catch(() => undefined);
      await Promise.all((args.length > 0 ? args : await watch.present()).map((ref) => watch.add(ref)));
      const failures = args.length > 0 ? watch.samples().flatMap(({ failure }) => failure ?? []) : [];
      if (failures.length > 0) {
        await io.stderr.write(failures.map(errorLines).join(''));
        return 1;
      }
      const table = (): string => listing(watch.samples(), format, !flags.bool('no-trunc'));
      if (flags.bool('no-stream')) await io.stdout.write(table());
      else await redraw(invocation, table, () => args.length === 0 || watch.samples().length > 0);
      return 0;
    } finally {
      end.abort();
    }
  },
};

function listing(samples: readonly Sample[], format: string, truncate: boolean): string {
  return renderListing({
    format: format === 'raw' ? '{{"raw"}}' : format,
    tableFormat,
    rawFormat: '',
    complaints: ['template parsing error', 'template parsing error'],
    headers,
    rows: samples.map((sample) => statsRow(sample, truncate)),
  });
}

/** Until the command ends, or nothing is left to show. On a terminal each table takes the place of the last one. */
async function redraw({ io }: Invocation, table: () => string, alive: () => boolean): Promise<void> {
  while (!io.signal.aborted && alive()) {
    const text = table();
    await io.stdout.write(io.stdout.isTTY ? `\u001b[H${text.replaceAll('\n', '\u001b[K\n')}\u001b[J` : text);
    await sleep(refresh, undefined, { signal: io.signal }).catch(() => undefined);
  }
}

interface Watch {
  /** Resolves with the first sample, or its failure. */
  add(ref: string): Promise<void>;
  samples(): readonly Sample[];
  /** The containers to show where none is named. */
  present(): Promise<readonly string[]>;
  /** Containers that come and go while the table stands. */
  follow(): Promise<void>;
}

function createWatch({ engine, flags }: Invocation, signal: AbortSignal): Watch {
  const samples = new Map<string, Sample>();
  const all = flags.bool('all');
  const stream = !flags.bool('no-stream');
  const collect = async (ref: string, first: () => void): Promise<void> => {
    try {
      for await (const stats of engine.containers.stats(ref, { stream, oneShot: false, signal })) {
        if (samples.has(ref)) samples.set(ref, { ref, stats });
        first();
        if (!stream) break;
      }
    } catch (failure) {
      if (samples.has(ref)) samples.set(ref, { ref, failure });
    }
    first();
  };
  const add = (ref: string): Promise<void> => {
    if (samples.has(ref)) return Promise.resolve();
    samples.set(ref, { ref });
    return new Promise((resolve) => void collect(ref, resolve));
  };
  const take = ({ Action, Actor }: EventMessage): void => {
    const ref = Actor.ID.slice(0, 12);
    if (Action === (all ? 'create' : 'start')) void add(ref);
    else if (Action === (all ? 'destroy' : 'die')) samples.delete(ref);
  };
  return {
    add,
    samples: () => [...samples.values()],
    async present() {
      const list = await engine.containers.list({ all, limit: 0, size: false, filters: {} });
      return list.map(({ Id }) => Id.slice(0, 12));
    },
    async follow() {
      for await (const event of engine.system.events({ filters: { type: ['container'] }, signal })) take(event);
    },
  };
}
