// state, list, ps, events: what is so, and nothing changed. pause and resume beside them.

import { readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import { fail } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { freeze, processesOf, thaw } from '../../sys/cgroup.ts';
import { sampleOf } from '../../sys/cgroup-stats.ts';
import { runPs } from '../../sys/ps.ts';
import { groupTree } from './groups.ts';
import { listRecords, loadRecord, type OciRecord, ociPaths, standingOf } from './records.ts';

export interface OciStateDocument {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function stateOf(root: string, id: string): OciStateDocument {
  return describe(root, loadRecord(root, id));
}

export function listContainers(root: string): OciStateDocument[] {
  return listRecords(root).map((record) => describe(root, record));
}

function describe(root: string, record: OciRecord): OciStateDocument {
  const { pid, status } = standingOf(root, record);
  const { ociVersion, id, bundle, rootfs, created, annotations } = record;
  const owned = { owner: ownerOf(ociPaths(root, id).dir) };
  const noted = Object.keys(annotations).length > 0 ? { annotations } : {};
  return { ociVersion, id, pid, status, bundle, rootfs, created, ...noted, ...owned };
}

function ownerOf(directory: string): string {
  const { uid } = statSync(directory);
  if (uid === process.geteuid?.()) return os.userInfo().username;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `#${uid}`;
}

export function processesIn(root: string, id: string): number[] {
  const record = loadRecord(root, id);
  const { pid } = standingOf(root, record);
  const found = groupTree(record.groups[0] ?? '').flatMap((group) => [...processesOf(group)]);
  return found.length === 0 && pid !== 0 ? [pid] : found.sort((a, b) => a - b);
}

/** The lines of `ps WORDS` that are about these processes, below its titles. */
export async function psOf(pids: readonly number[], words: readonly string[]): Promise<string> {
  const output = await runPs(words.length === 0 ? ['-ef'] : words);
  if (output === undefined) return fail('unavailable', 'ps.missing', 'this machine has no ps');
  if ('problem' in output) return fail('invalid', 'ps.failed', output.problem);
  const lines = output.text.trimEnd().split('\n');
  const titles = lines[0] ?? '';
  const column = titles.trim().split(/\s+/).indexOf('PID');
  if (column < 0) fail('invalid', 'ps.no_pid', "couldn't find PID field in ps output");
  const wanted = new Set(pids.map(String));
  const kept = lines.slice(1).filter((line) => wanted.has(line.trim().split(/\s+/)[column] ?? ''));
  return `${[titles, ...kept].join('\n')}\n`;
}

export async function setPaused(root: string, id: string, paused: boolean): Promise<void> {
  const record = loadRecord(root, id);
  const { status } = standingOf(root, record);
  if (paused && status !== 'running' && status !== 'created')
    fail('conflict', 'container.not_running', 'container not running or created');
  if (!paused && status !== 'paused') fail('conflict', 'container.not_paused', 'container not paused');
  if (paused) await freeze(record.freezer, record.cgroupVersion);
  else thaw(record.freezer, record.cgroupVersion);
}

/** One line of `events`. */
export function statsEvent(root: string, id: string, facts: HostFacts): string {
  const record = loadRecord(root, id);
  if (standingOf(root, record).pid === 0)
    fail('conflict', 'container.not_running', `container with id ${id} is not running`);
  const {
    cpu_stats: cpu,
    memory_stats: memory,
    pids_stats: pids,
    blkio_stats: blkio,
  } = sampleOf(record.cgroupsPath, facts);
  const usage = cpu.cpu_usage;
  const data = {
    cpu: {
      usage: {
        total: usage.total_usage,
        ...(usage.percpu_usage ? { percpu: usage.percpu_usage } : {}),
        kernel: usage.usage_in_kernelmode,
        user: usage.usage_in_usermode,
      },
      throttling: {
        periods: cpu.throttling_data.periods,
        throttledPeriods: cpu.throttling_data.throttled_periods,
        throttledTime: cpu.throttling_data.throttled_time,
      },
    },
    memory: {
      usage: {
        limit: memory.limit ?? 0,
        usage: memory.usage ?? 0,
        ...(memory.max_usage ? { max: memory.max_usage } : {}),
      },
      ...(memory.stats ? { raw: memory.stats } : {}),
    },
    pids: { current: pids.current ?? 0, ...(pids.limit ? { limit: pids.limit } : {}) },
    blkio: {
      ioServiceBytesRecursive: blkio.io_service_bytes_recursive ?? [],
      ioServicedRecursive: blkio.io_serviced_recursive ?? [],
    },
  };
  return JSON.stringify({ type: 'stats', id, data });
}
