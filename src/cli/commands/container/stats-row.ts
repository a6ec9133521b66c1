// One row of `stats`: a sample of a container's counters as percentages and sizes.

import { goType } from '../../../base/template/values.ts';
import type { ContainerStats } from '../../../spec/docker/system.ts';
import { bytesSize, humanSize } from '../../render/size.ts';
import { shortId } from '../../render/text.ts';

export interface Sample {
  /** As it was asked for. */
  readonly ref: string;
  /** undefined: none has come yet. */
  readonly stats?: ContainerStats;
  readonly failure?: unknown;
}

export function statsRow({ ref, stats, failure }: Sample, truncate: boolean): Readonly<Record<string, unknown>> {
  const id = stats?.id ?? '';
  const lost = failure !== undefined;
  const used = stats === undefined ? 0 : memoryUsed(stats);
  const limit = stats?.memory_stats.limit ?? 0;
  return {
    [goType]: '*container.statsContext',
    BlockIO: lost ? '--' : pair(blockIo(stats)),
    CPUPerc: lost ? '--' : percent(stats === undefined ? 0 : cpuShare(stats)),
    Container: ref,
    ID: truncate ? shortId(id) : id,
    MemPerc: lost ? '--' : percent(limit === 0 ? 0 : (used / limit) * 100),
    MemUsage: lost ? '-- / --' : `${bytesSize(used)} / ${bytesSize(limit)}`,
    Name: (stats?.name ?? '').replace(/^\//, '') || '--',
    NetIO: lost ? '--' : pair(netIo(stats)),
    PIDs: lost ? '--' : String(stats?.pids_stats.current ?? 0),
  };
}

/** Of one processor: two that are busy are 200%. */
function cpuShare({ cpu_stats: now, precpu_stats: before }: ContainerStats): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus ?? now.cpu_usage.percpu_usage?.length ?? 0;
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Without what the kernel would give back at once: pages of files that nobody looks at. */
function memoryUsed({ memory_stats: { usage = 0, stats = {} } }: ContainerStats): number {
  const idle = stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0;
  return idle < usage ? usage - idle : usage;
}

function netIo(stats: ContainerStats | undefined): readonly [number, number] {
  const links = Object.values(stats?.networks ?? {});
  const sum = (field: 'rx_bytes' | 'tx_bytes'): number => links.reduce((total, link) => total + link[field], 0);
  return [sum('rx_bytes'), sum('tx_bytes')];
}

function blockIo(stats: ContainerStats | undefined): readonly [number, number] {
  const entries = stats?.blkio_stats['io_service_bytes_recursive'] ?? [];
  const sum = (letter: string): number =>
    entries.reduce((total, { op, value }) => total + (op.toLowerCase().startsWith(letter) ? value : 0), 0);
  return [sum('r'), sum('w')];
}

function pair([first, second]: readonly [number, number]): string {
  return `${humanSize(first, 3)} / ${humanSize(second, 3)}`;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
