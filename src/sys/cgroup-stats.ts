// What the kernel counts for a container: processor, memory, processes, disks, network, in the API's shape. Each file is
// read once, at once: they are small and made by the kernel when they are read.

import { readFileSync } from 'node:fs';
import { groupOf } from '../plan/cgroup.ts';
import type { HostFacts } from '../plan/facts.ts';
import type { BlkioEntry, ContainerStats, NetworkStats } from '../spec/docker/system.ts';
import { readGroupFile } from './cgroup.ts';

export type Sample = Pick<
  ContainerStats,
  'cpu_stats' | 'memory_stats' | 'pids_stats' | 'blkio_stats' | 'num_procs' | 'storage_stats'
>;

/** `path`: of the container's groups below every hierarchy (src/plan/cgroup.ts). */
export function sampleOf(path: string, facts: HostFacts): Sample {
  const file = (controller: string, name: string): string | undefined =>
    readGroupFile(groupOf(path, controller, facts), name);
  return {
    cpu_stats: { ...(facts.cgroup.version === 2 ? cpuV2(file) : cpuV1(file)), ...machineCpu() },
    memory_stats: facts.cgroup.version === 2 ? memoryV2(file, facts) : memoryV1(file, facts),
    pids_stats: pidsOf(file),
    blkio_stats: facts.cgroup.version === 2 ? blkioV2(file) : blkioV1(file),
    num_procs: 0,
    storage_stats: {},
  };
}

type ReadFile = (controller: string, name: string) => string | undefined;

/** `key value` lines. */
export function counters(text: string | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  for (const line of (text ?? '').split('\n')) {
    const [key = '', value] = line.split(' ');
    if (value !== undefined) found[key] = Number(value);
  }
  return found;
}

const tick = 1e7; // nanoseconds: USER_HZ is 100 on every machine that we know

function machineCpu(): { system_cpu_usage: number; online_cpus: number } {
  const text = readFileSync('/proc/stat', 'utf8');
  const fields = (text.split('\n')[0] ?? '').split(/ +/).slice(1, 8);
  const system_cpu_usage = fields.reduce((sum, field) => sum + Number(field), 0) * tick;
  return { system_cpu_usage, online_cpus: text.match(/^cpu\d+ /gm)?.length ?? 1 };
}

function cpuV1(file: ReadFile): ContainerStats['cpu_stats'] {
  const share = counters(file('cpuacct', 'cpuacct.stat'));
  const throttled = counters(file('cpu', 'cpu.stat'));
  const percpu = file('cpuacct', 'cpuacct.usage_percpu')?.trim();
  return {
    cpu_usage: {
      total_usage: Number(file('cpuacct', 'cpuacct.usage') ?? 0),
      ...(percpu ? { percpu_usage: percpu.split(' ').map(Number) } : {}),
      usage_in_kernelmode: (share['system'] ?? 0) * tick,
      usage_in_usermode: (share['user'] ?? 0) * tick,
    },
    throttling_data: {
      periods: throttled['nr_periods'] ?? 0,
      throttled_periods: throttled['nr_throttled'] ?? 0,
      throttled_time: throttled['throttled_time'] ?? 0,
    },
  };
}

function cpuV2(file: ReadFile): ContainerStats['cpu_stats'] {
  const stat = counters(file('', 'cpu.stat'));
  return {
    cpu_usage: {
      total_usage: (stat['usage_usec'] ?? 0) * 1000,
      usage_in_kernelmode: (stat['system_usec'] ?? 0) * 1000,
      usage_in_usermode: (stat['user_usec'] ?? 0) * 1000,
    },
    throttling_data: {
      periods: stat['nr_periods'] ?? 0,
      throttled_periods: stat['nr_throttled'] ?? 0,
      throttled_time: (stat['throttled_usec'] ?? 0) * 1000,
    },
  };
}

/** A limit above what there is, or none, is what there is. */
function limitOf(text: string | undefined, { memory }: HostFacts): number {
  const limit = Number(text ?? 'max');
  return limit > 0 && limit < memory ? limit : memory; // NaN of 'max' compares false
}

function memoryV1(file: ReadFile, facts: HostFacts): ContainerStats['memory_stats'] {
  const usage = file('memory', 'memory.usage_in_bytes');
  if (usage === undefined) return {};
  const failcnt = Number(file('memory', 'memory.failcnt') ?? 0);
  return {
    usage: Number(usage),
    max_usage: Number(file('memory', 'memory.max_usage_in_bytes') ?? 0),
    stats: counters(file('memory', 'memory.stat')),
    ...(failcnt > 0 ? { failcnt } : {}),
    limit: limitOf(file('memory', 'memory.limit_in_bytes'), facts),
  };
}

function memoryV2(file: ReadFile, facts: HostFacts): ContainerStats['memory_stats'] {
  const usage = file('', 'memory.current');
  if (usage === undefined) return {};
  const failcnt = counters(file('', 'memory.events'))['oom'] ?? 0;
  return {
    usage: Number(usage),
    stats: counters(file('', 'memory.stat')),
    ...(failcnt > 0 ? { failcnt } : {}),
    limit: limitOf(file('', 'memory.max')?.trim(), facts),
  };
}

function pidsOf(file: ReadFile): ContainerStats['pids_stats'] {
  const current = file('pids', 'pids.current');
  if (current === undefined) return {};
  const limit = Number(file('pids', 'pids.max') ?? 'max');
  return { current: Number(current), ...(Number.isNaN(limit) ? {} : { limit }) };
}

function blkioV1(file: ReadFile): ContainerStats['blkio_stats'] {
  const entries = (...names: string[]): readonly BlkioEntry[] | null => {
    for (const name of names) {
      const found = [...(file('blkio', `blkio.${name}`) ?? '').matchAll(/^(\d+):(\d+) (\w+) (\d+)$/gm)];
      if (found.length === 0) continue;
      return found.map(([, major, minor, op = '', value]) => ({
        major: Number(major),
        minor: Number(minor),
        op: op.toLowerCase(),
        value: Number(value),
      }));
    }
    return [];
  };
  return {
    ...noBlkio,
    io_service_bytes_recursive: entries('throttle.io_service_bytes_recursive', 'throttle.io_service_bytes'),
    io_serviced_recursive: entries('throttle.io_serviced_recursive', 'throttle.io_serviced'),
  };
}

/** Counters of schedulers that no kernel has any more; the API still names them. */
const noBlkio: ContainerStats['blkio_stats'] = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

function blkioV2(file: ReadFile): ContainerStats['blkio_stats'] {
  const bytes: BlkioEntry[] = [];
  for (const line of (file('', 'io.stat') ?? '').split('\n')) {
    const match = /^(\d+):(\d+) (.*)$/.exec(line);
    if (!match) continue;
    const values = counters((match[3] ?? '').replaceAll(' ', '\n').replaceAll('=', ' '));
    const at = { major: Number(match[1]), minor: Number(match[2]) };
    bytes.push({ ...at, op: 'read', value: values['rbytes'] ?? 0 });
    bytes.push({ ...at, op: 'write', value: values['wbytes'] ?? 0 });
  }
  return { ...noBlkio, io_service_bytes_recursive: bytes };
}

/** The interfaces in a process's network namespace (proc_pid_net(5)), without the loopback; undefined when it is gone. */
export function networksOf(pid: number): Readonly<Record<string, NetworkStats>> | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/net/dev`, 'utf8');
  } catch {
    return undefined;
  }
  const networks: Record<string, NetworkStats> = {};
  for (const [, name = '', numbers = ''] of text.matchAll(/^ *([^\s:]+): *(.*)$/gm)) {
    if (name === 'lo') continue;
    const n = numbers.split(/ +/).map(Number);
    const at = (i: number): number => n[i] ?? 0;
    networks[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    };
  }
  return networks;
}

/** Of a container that does not run. */
export const noSample: Sample = {
  cpu_stats: {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  },
  memory_stats: {},
  pids_stats: {},
  blkio_stats: noBlkio,
  num_procs: 0,
  storage_stats: {},
};
