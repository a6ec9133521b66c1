// Measures what plans depend on of this machine (src/plan/facts.ts). Once per engine.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import os from 'node:os';
import type { CgroupFacts, HostFacts } from '../plan/facts.ts';
import { delegatedCgroups, userNamespaceFacts } from './user-namespace.ts';

export interface MachineFacts extends HostFacts {
  readonly kernelRelease: string;
  /** erofs can be mounted straight from a file (6.12), through a loop device, or not at all. */
  readonly erofs: 'file' | 'loop' | 'none';
  /** The security module that gives processes labels, where there is one. */
  readonly lsm?: 'apparmor' | 'selinux';
}

export function measureFacts(): MachineFacts {
  const release = os.release();
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const userNamespace = userNamespaceFacts();
  const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
  const cgroup = cgroupFacts(mountinfo);
  const [, resctrl] = /^\S+ \S+ \S+ \S+ (\S+) .* - resctrl /m.exec(mountinfo) ?? [];
  return {
    arch: os.arch() === 'arm64' ? 'aarch64' : 'x86_64',
    kernel: [major, minor],
    kernelRelease: release,
    capabilities: boundingSet(),
    cgroup: userNamespace ? delegatedCgroups(cgroup) : cgroup,
    ...(userNamespace ? { userNamespace } : {}),
    pseudoFiles: pseudoFiles(),
    cpus: os.cpus().length,
    memory: os.totalmem(),
    erofs: userNamespace ? 'none' : erofsSupport(major, minor),
    ...securityModule(),
    ...(resctrl ? { resctrl } : {}),
  };
}

function securityModule(): Pick<MachineFacts, 'lsm'> {
  if (existsSync('/sys/fs/selinux/enforce')) return { lsm: 'selinux' };
  const switched = '/sys/module/apparmor/parameters/enabled';
  return existsSync(switched) && readFileSync(switched, 'utf8').startsWith('Y') ? { lsm: 'apparmor' } : {};
}

function boundingSet(): bigint {
  const line = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return BigInt(`0x${line?.[1] ?? '0'}`);
}

function erofsSupport(major: number, minor: number): MachineFacts['erofs'] {
  const known =
    readFileSync('/proc/filesystems', 'utf8').includes('\terofs') ||
    existsSync(`/lib/modules/${os.release()}/kernel/fs/erofs`);
  if (!known || process.geteuid?.() !== 0) return 'none';
  return major > 6 || (major === 6 && minor >= 12) ? 'file' : 'loop';
}

const controllersV1 = new Set(
  'cpu cpuacct cpuset memory pids devices freezer blkio hugetlb net_cls net_prio rdma'.split(' '),
);

/** Reads /proc/self/mountinfo (proc(5)): fields up to ' - ', then type, source, super options. */
function cgroupFacts(mountinfo: string): CgroupFacts {
  const mounts: Record<string, string> = {};
  let unified: string | undefined;
  let services: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ');
    if (!left || !right) continue;
    const mountpoint = left.split(' ')[4] ?? '';
    const [type, , superOptions = ''] = right.split(' ');
    if (type === 'cgroup2') unified ??= mountpoint;
    if (type !== 'cgroup') continue;
    for (const option of superOptions.split(',')) {
      if (controllersV1.has(option)) mounts[option] ??= mountpoint;
      if (option === 'name=systemd') services ??= mountpoint;
    }
  }
  if (Object.keys(mounts).length > 0) {
    if (services !== undefined) mounts['systemd'] = services;
    return { version: 1, mounts, controllers: [] };
  }
  if (unified === undefined) return { version: 1, mounts: {}, controllers: [] };
  let controllers: string[] = [];
  try {
    controllers = readFileSync(`${unified}/cgroup.controllers`, 'utf8').trim().split(' ');
  } catch {} // not readable: then nothing can be limited, and creating a group says so
  return { version: 2, mounts: { '': unified }, controllers };
}

/** What this kernel has below /proc and /sys, of what containers hide: a trailing slash marks a directory as well. */
function pseudoFiles(): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (path: string): void => {
    try {
      found.add(path);
      if (statSync(path).isDirectory()) found.add(`${path}/`);
    } catch {
      found.delete(path);
    }
  };
  for (const name of readdirSync('/proc')) if (!/^\d+$/.test(name)) look(`/proc/${name}`);
  for (const path of [
    '/dev/mqueue',
    '/sys/firmware',
    '/sys/devices/virtual/powercap',
    '/sys/fs/selinux',
    ...coreThermal(),
  ])
    look(path);
  return found;
}

function coreThermal(): string[] {
  return os.cpus().map((_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`);
}
