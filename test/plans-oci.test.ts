// Golden plans of the OCI specification: what each member of a bundle's config.json changes in the plan, as text, without
// root. UPDATE_GOLDEN=1 writes the file anew; the difference is then read like any other.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { containerPlan } from '../src/plan/container.ts';
import type { HostFacts } from '../src/plan/facts.ts';
import { printPlan } from '../src/plan/print.ts';
import { parseOciConfig } from '../src/spec/oci/config.ts';

const golden = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'golden/bundles.txt');

const facts: HostFacts = {
  arch: 'x86_64',
  kernel: [6, 12],
  capabilities: (1n << 41n) - 1n,
  cgroup: { version: 2, mounts: { '': '/sys/fs/cgroup' }, controllers: ['cpu', 'cpuset', 'io', 'memory', 'pids'] },
  pseudoFiles: new Set(['/proc/kcore', '/proc/acpi', '/proc/acpi/']),
  cpus: 4,
  lsm: 'apparmor',
  resctrl: '/sys/fs/resctrl',
  memory: 8 * 2 ** 30,
};

interface Parts {
  readonly process?: object;
  readonly linux?: object;
  readonly [member: string]: unknown;
}

const spaces = (...types: string[]) => types.map((type) => ({ type }));
const usual = ['mount', 'pid'];
const maps = (name: string) => ({ [name]: [{ containerID: 0, hostID: 100000, size: 65536 }] });
const mapped = { ...maps('uidMappings'), ...maps('gidMappings') };
const proc = { destination: '/proc', type: 'proc', source: 'proc' };
const mount = (options: readonly string[], more: object = {}) => ({
  mounts: [proc, { destination: '/data', source: '/srv/data', options, ...more }],
});

function planOf({ process = {}, linux = {}, ...rest }: Parts): string {
  const config = parseOciConfig(
    JSON.stringify({
      ociVersion: '1.2.0',
      process: { args: ['/bin/true'], cwd: '/', ...process },
      root: { path: 'rootfs' },
      mounts: [proc],
      linux: { namespaces: spaces(...usual), cgroupsPath: '/box', ...linux },
      ...rest,
    }),
  );
  const plan = containerPlan({
    config,
    facts,
    root: { directory: '/bundle/rootfs' },
    keeper: {
      title: 'hoist-keeper',
      socket: '/run/s',
      log: { path: '', maxSize: 0, maxFiles: 1 },
      exitPath: '',
      stdin: false,
      stdinOnce: false,
      expect: 1,
    },
    runDirectory: '/run/c',
    dataDirectory: '/data',
    files: [],
    network: { before: [], setup: [], child: [], cleanup: [] },
    init: false,
    sourceKind: () => 'directory',
    subject: { id: 'box', bundle: '/bundle' },
    compileSeccomp: () => new Uint8Array(8),
  });
  return printPlan(plan).replace(/^ *\d+ {2}/gm, '  ');
}

const hook = { path: '/bin/hook', args: ['hook', 'x'], env: ['A=b'], timeout: 5 };
const notify = {
  defaultAction: 'SCMP_ACT_ALLOW',
  listenerPath: '/run/agent',
  syscalls: [{ names: ['mknod'], action: 'SCMP_ACT_NOTIFY' }],
};

const cases: Readonly<Record<string, Parts>> = {
  'root.readonly': { root: { path: 'rootfs', readonly: true } },
  'no mount namespace': { linux: { namespaces: spaces('pid') }, mounts: [] },
  'a mount namespace by path': { linux: { namespaces: [{ type: 'mount', path: '/run/mnt' }] } },
  'a user namespace': { linux: { namespaces: spaces(...usual, 'user'), ...mapped } },
  'a user namespace, a network by path': {
    linux: { namespaces: [...spaces(...usual, 'user'), { type: 'network', path: '/run/net' }], ...mapped },
  },
  'a user namespace by path': { linux: { namespaces: [...spaces(...usual), { type: 'user', path: '/run/user' }] } },
  'a user namespace, a bind and a device': {
    ...mount(['rbind']),
    process: { oomScoreAdj: -5 },
    linux: {
      namespaces: spaces(...usual, 'user'),
      ...mapped,
      devices: [{ path: '/dev/null', type: 'c', major: 1, minor: 3 }],
    },
  },
  'a time namespace': {
    linux: { namespaces: spaces(...usual, 'time'), timeOffsets: { boottime: { secs: 7, nanosecs: 5 } } },
  },
  'a pid namespace by path, with hooks': {
    linux: { namespaces: [...spaces('mount'), { type: 'pid', path: '/run/pid' }] },
    hooks: { createRuntime: [hook] },
  },
  'rootfsPropagation: rshared': {
    ...mount(['rbind', 'rshared']),
    linux: { rootfsPropagation: 'rshared', namespaces: spaces('mount') },
  },
  'rootfsPropagation: private': {
    ...mount(['bind']),
    linux: { rootfsPropagation: 'private', namespaces: spaces('mount') },
  },
  'bind, ro': mount(['bind', 'ro']),
  'rbind, ro, rnosuid': mount(['rbind', 'ro', 'rnosuid']),
  'rbind, ro, rro': mount(['rbind', 'ro', 'rro']),
  'rbind, rnoatime, nosymfollow': mount(['rbind', 'rnoatime', 'nosymfollow']),
  'bind, idmap by its own maps': mount(['bind'], mapped),
  'bind, ridmap by those of the container': {
    ...mount(['rbind', 'ridmap']),
    linux: { namespaces: spaces(...usual, 'user'), ...mapped },
  },
  'tmpfs, tmpcopyup, size, shared': mount(['tmpcopyup', 'size=1m', 'noexec', 'shared'], { type: 'tmpfs' }),
  'a disk, ro': mount(['ro'], { type: 'ext4', source: '/dev/sda1' }),
  'remount, ro': mount(['remount', 'ro', 'nosuid']),
  mountLabel: { ...mount([], { type: 'tmpfs' }), linux: { namespaces: spaces('mount'), mountLabel: 'a:b:c' } },
  hooks: {
    hooks: {
      prestart: [hook],
      createRuntime: [hook],
      createContainer: [hook],
      startContainer: [hook],
      poststart: [hook],
      poststop: [hook],
    },
  },
  'process.scheduler': {
    process: {
      scheduler: { policy: 'SCHED_DEADLINE', flags: ['SCHED_FLAG_RECLAIM'], runtime: 1, deadline: 2, period: 3 },
    },
  },
  'process.scheduler, nice': { process: { scheduler: { policy: 'SCHED_BATCH', nice: -5 } } },
  'process.ioPriority': { process: { ioPriority: { class: 'IOPRIO_CLASS_IDLE', priority: 7 } } },
  'process.rlimits': { process: { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: -1 }] } },
  'process.apparmorProfile': { process: { apparmorProfile: 'mine' } },
  'linux.personality': { linux: { namespaces: spaces(...usual), personality: { domain: 'LINUX32' } } },
  'linux.intelRdt': { linux: { namespaces: spaces(...usual), intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f' } } },
  'linux.seccomp with a listener': { linux: { namespaces: spaces(...usual), seccomp: notify } },
  'masked and read-only paths': {
    linux: {
      namespaces: spaces(...usual),
      maskedPaths: ['/proc/kcore', '/proc/acpi', '/proc/none', '/etc/x'],
      readonlyPaths: ['/proc/kcore', '/etc/x'],
    },
  },
};

/** The lines that only one of both has, in order. */
function difference(before: string, after: string): string {
  const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());
  const without = (all: readonly string[], others: readonly string[]): string[] => {
    const left = [...others];
    return all.filter((line) => {
      const at = left.indexOf(line);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
  };
  return [
    ...without(lines(before), lines(after)).map((line) => `- ${line}`),
    ...without(lines(after), lines(before)).map((line) => `+ ${line}`),
  ].join('\n');
}

test('the plan of each member of a bundle is the golden one', () => {
  const base = planOf({});
  const parts = [`===== a bundle\n${base}`];
  for (const [name, changes] of Object.entries(cases)) {
    const changed = difference(base, planOf(changes));
    assert.notEqual(changed, '', `${name} changes nothing in the plan`);
    parts.push(`===== ${name}\n${changed}\n`);
  }
  const text = parts.join('\n');
  if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'), 'read the difference; UPDATE_GOLDEN=1 writes it down');
});
