// Golden plans: what each flag of `run` changes in the plan, as text, without root. The whole way is the real one, from the
// words of the command line to the ops: flags -> request -> record -> OCI configuration -> plan. Only the machine is made up.
// UPDATE_GOLDEN=1 writes the file anew; the difference is then read like any other.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { run } from '../src/cli/commands/container/run.ts';
import { parseFlags } from '../src/cli/parse.ts';
import { containerRequest } from '../src/cli/run/request.ts';
import { fakeIo } from '../src/cli/testing/io.ts';
import { mergeConfig } from '../src/engine/containers/merge.ts';
import { composeMounts } from '../src/engine/containers/mounts.ts';
import { ociConfig } from '../src/engine/containers/oci.ts';
import type { ContainerRecord } from '../src/engine/containers/record.ts';
import { resolveUser } from '../src/engine/containers/user.ts';
import { noneOps } from '../src/network/endpoint.ts';
import { containerPlan } from '../src/plan/container.ts';
import type { CgroupFacts } from '../src/plan/facts.ts';
import { printPlan } from '../src/plan/print.ts';
import type { MachineFacts } from '../src/sys/facts.ts';

const id = 'c0ffee'.padEnd(64, '0');
const golden = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'golden/plans.txt');

const v1: CgroupFacts = {
  version: 1,
  mounts: Object.fromEntries(
    ['memory', 'pids', 'cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'blkio'].map((name) => [
      name,
      `/sys/fs/cgroup/${name}`,
    ]),
  ),
  controllers: [],
};
const v2: CgroupFacts = {
  version: 2,
  mounts: { '': '/sys/fs/cgroup' },
  controllers: ['cpu', 'cpuset', 'memory', 'pids'],
};

function facts(cgroup: CgroupFacts): MachineFacts {
  return {
    arch: 'x86_64',
    kernel: [6, 12],
    kernelRelease: '6.12.0',
    capabilities: (1n << 41n) - 1n,
    cgroup,
    pseudoFiles: new Set([
      '/proc/kcore',
      '/proc/keys',
      '/proc/acpi',
      '/proc/acpi/',
      '/proc/sys',
      '/proc/bus',
      '/sys/firmware',
      '/sys/firmware/',
    ]),
    cpus: 4,
    memory: 8 * 2 ** 30,
    erofs: 'file',
  };
}

async function planOf(words: readonly string[], cgroup: CgroupFacts): Promise<string> {
  const { flags, args } = parseFlags(run.flags, [...words, 'busybox', 'true'], true);
  const request = await containerRequest(flags, args, { io: fakeIo(), detach: true });
  const config = mergeConfig(request.Config, { Env: ['PATH=/bin'], Cmd: ['sh'] });
  const record: ContainerRecord = {
    schema: 1,
    id,
    name: 'golden',
    created: '2026-01-01T00:00:00.000000000Z',
    config: { ...config, Hostname: config.Hostname || id.slice(0, 12) },
    hostConfig: request.HostConfig,
    image: { id: 'sha256:1', manifest: 'sha256:2', layers: ['sha256:3'] },
    platform: 'linux/amd64',
    mounts: composeMounts(request.HostConfig, config, {
      from: () => assert.fail('no other container'),
      dataOf: (volume) => `/var/lib/hoist/volumes/${volume}/_data`,
    }).mounts,
    connections: [],
    state: { status: 'created', pid: 0, exitCode: 0, oomKilled: false, error: '', startedAt: '', finishedAt: '' },
  };
  const machine = facts(cgroup);
  const user = resolveUser(
    config.User,
    record.hostConfig.GroupAdd ?? [],
    'root:x:0:0::/root:/bin/sh\nweb:x:33:33::/srv:\n',
    'root:x:0:\naudio:x:29:web\n',
  );
  const oci = ociConfig(
    record,
    {
      user,
      files: { hosts: '/data/hosts', hostname: '/data/hostname', resolvConf: '/data/resolv.conf' },
      devices: [],
      deviceRules: [],
      joined: { network: '/proc/7/ns/net', pid: '/proc/7/ns/pid', ipc: '/proc/7/ns/ipc' },
    },
    machine,
  );
  const plan = containerPlan({
    config: oci,
    facts: machine,
    root: {
      layersDir: '/run/layers',
      layers: ['layer', 'init'],
      upper: '/data/upper',
      work: '/data/work',
      mountpoint: '/run/rootfs',
      volatile: record.hostConfig.AutoRemove,
    },
    keeper: {
      title: 'hoist-keeper',
      socket: '/run/s',
      log: { path: '/data/log', maxSize: 0, maxFiles: 1 },
      exitPath: '/data/exit.json',
      stdin: config.OpenStdin,
      stdinOnce: config.StdinOnce,
      expect: 1,
    },
    runDirectory: '/run/c',
    dataDirectory: '/data',
    files: ['hosts', 'hostname', 'resolv.conf'].map((name) => ({ path: `/data/${name}`, text: `${name}\n` })),
    network: noneOps(),
    init: record.hostConfig.Init ?? false,
    sourceKind: ({ source }) => (source.endsWith('.txt') ? 'file' : 'directory'),
    compileSeccomp: () => new Uint8Array(8),
  });
  return printPlan(plan)
    .replaceAll(id, '<id>')
    .replace(/^ *\d+ {2}/gm, '  ');
}

/** Each flag whose plan is written down. */
const cases: readonly (readonly string[])[] = [
  ['-i'],
  ['-t'],
  ['-it'],
  ['--rm'],
  ['--init'],
  ['--read-only'],
  ['--privileged'],
  ['-u', 'web'],
  ['-u', '1000:1000', '--group-add', '29'],
  ['-w', '/srv/www'],
  ['-e', 'A=1'],
  ['-h', 'box', '--domainname', 'example.org'],
  ['-v', '/host/dir:/dir:ro'],
  ['-v', '/host/file.txt:/etc/file.txt'],
  ['-v', '/a:/x/y', '-v', '/b:/x'],
  ['--mount', 'type=bind,src=/host/dir,dst=/dir,bind-propagation=rslave'],
  ['--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700'],
  ['--tmpfs', '/t:size=64k,exec'],
  ['--shm-size', '1m'],
  ['--cap-add', 'NET_ADMIN'],
  ['--cap-drop', 'ALL'],
  ['--cap-drop', 'chown', '-u', 'web'],
  ['--security-opt', 'no-new-privileges'],
  ['--security-opt', 'seccomp=unconfined'],
  ['--sysctl', 'net.core.somaxconn=1024'],
  ['--ulimit', 'nofile=100:200'],
  ['--oom-score-adj', '500'],
  ['--network', 'host'],
  ['--network', 'container:other'],
  ['--pid', 'host'],
  ['--pid', 'container:other'],
  ['--ipc', 'host'],
  ['--ipc', 'none'],
  ['--uts', 'host'],
  ['--cgroupns', 'host'],
  ['-m', '64m'],
  ['-m', '64m', '--memory-swap', '128m', '--memory-reservation', '32m'],
  ['--cpus', '0.5'],
  ['--cpu-shares', '512'],
  ['--cpuset-cpus', '0-1'],
  ['--pids-limit', '100'],
];

/** The lines that only one of both has, in order: a plain difference of lines is what a reviewer wants to see. */
function difference(before: string, after: string): string {
  const count = new Map<string, number>();
  for (const line of before.split('\n')) count.set(line, (count.get(line) ?? 0) + 1);
  const added: string[] = [];
  for (const line of after.split('\n')) {
    const left = count.get(line) ?? 0;
    if (left === 0) added.push(`+ ${line.trim()}`);
    else count.set(line, left - 1);
  }
  const gone = before
    .split('\n')
    .filter((line) => {
      const left = count.get(line) ?? 0;
      if (left > 0) count.set(line, left - 1);
      return left > 0;
    })
    .map((line) => `- ${line.trim()}`);
  return [...gone, ...added].join('\n');
}

test('the plan of each flag is the golden one', async () => {
  const parts: string[] = [];
  for (const [name, cgroup] of [
    ['cgroup v1', v1],
    ['cgroup v2', v2],
  ] as const) {
    const base = await planOf([], cgroup);
    parts.push(`===== ${name}: run -d busybox true\n${base}`);
    for (const words of cases) {
      const changed = difference(base, await planOf(words, cgroup));
      assert.notEqual(changed, '', `${words.join(' ')} changes nothing in the plan`);
      parts.push(`===== ${name}: ${words.join(' ')}\n${changed}\n`);
    }
  }
  const text = parts.join('\n');
  if (process.env['UPDATE_GOLDEN']) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'), 'read the difference; UPDATE_GOLDEN=1 writes it down');
});
