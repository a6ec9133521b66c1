// version and info: what the engine is, and what this machine can do.

import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { readFileLimited, writeFileAtomic } from '../base/files.ts';
import { hoistVersion } from '../base/version.ts';
import type { SystemInfo, SystemVersion } from '../spec/docker/info.ts';
import { cdiDirectories, readCatalog } from './cdi/catalog.ts';
import type { ContainerPool } from './containers/deps.ts';
import { remapSetting } from './containers/userns.ts';
import type { System } from './engine.ts';
import type { Events } from './events.ts';
import { countImages } from './images/catalog.ts';

export function createSystem(
  pool: ContainerPool,
  buildId: string,
  events: Events,
): Omit<System, 'diskUsage' | 'login'> {
  const id = engineId(pool.deps.paths.root);
  return {
    version: async () => versionOf(pool, buildId),
    events: (options) => events.stream(options),
    async info() {
      return {
        ID: await id(),
        ...(await counts(pool)),
        ...machine(pool),
        ...(await system()),
        ...constants,
        Driver: pool.deps.store.layers.driver,
        DriverStatus: [['Layer mounts', pool.deps.facts.erofs]],
        ...(await cdi()),
        NFd: readdirSync('/proc/self/fd').length,
        NGoroutines: 0,
        NEventsListener: events.listeners,
        SystemTime: new Date().toISOString(),
        DockerRootDir: pool.deps.paths.root,
        HttpProxy: proxy('HTTP_PROXY'),
        HttpsProxy: proxy('HTTPS_PROXY'),
        NoProxy: process.env['NO_PROXY'] ?? process.env['no_proxy'] ?? '',
      };
    },
  };
}

function versionOf(pool: ContainerPool, buildId: string): SystemVersion {
  const version = {
    ApiVersion: '1.51',
    MinAPIVersion: '1.24',
    GitCommit: buildId,
    GoVersion: `none (Node ${process.version})`,
    Os: 'linux',
    Arch: pool.deps.host.architecture,
    KernelVersion: pool.deps.facts.kernelRelease,
    BuildTime: '',
  };
  return {
    Platform: { Name: 'Hoist' },
    Components: [{ Name: 'Engine', Version: hoistVersion, Details: { ...version, Experimental: 'false' } }],
    Version: hoistVersion,
    ...version,
  };
}

/** Made at the first question, and kept with the data. */
function engineId(root: string): () => Promise<string> {
  const file = path.join(root, 'engine-id');
  let asked: Promise<string> | undefined;
  const read = async (): Promise<string> => {
    const kept = (await readFileLimited(file, 100))?.toString('utf8').trim();
    if (kept) return kept;
    const made: string = randomUUID();
    await writeFileAtomic(file, `${made}\n`);
    return made;
  };
  return () => {
    asked ??= read();
    asked.catch(() => {
      asked = undefined;
    });
    return asked;
  };
}

async function counts(pool: ContainerPool) {
  const states = [...pool.live.values()].map(({ record }) => record.state.status);
  const paused = states.filter((one) => one === 'paused').length;
  const running = states.filter((one) => one === 'running' || one === 'restarting').length;
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
    Images: await countImages(pool.deps.store),
  };
}

function machine(pool: ContainerPool) {
  const { cgroup, memory, cpus, arch, kernelRelease, userNamespace } = pool.deps.facts;
  const has = (controller: string): boolean =>
    cgroup.version === 2 ? cgroup.controllers.includes(controller) : cgroup.mounts[controller] !== undefined;
  const swap =
    has('memory') &&
    (cgroup.version === 2 || existsSync(path.join(cgroup.mounts['memory'] ?? '', 'memory.memsw.limit_in_bytes')));
  const warnings: readonly (readonly [boolean, string])[] = [
    [has('memory'), 'No memory limit support'],
    [swap || !has('memory'), 'No swap limit support'],
    [has('cpu'), 'No cpu cfs quota support'],
    [has('cpuset'), 'No cpuset support'],
    [has('pids'), 'No pids limit support'],
  ];
  const told = [
    ...warnings.filter(([there]) => !there).map(([, what]) => `WARNING: ${what}`),
    ...(userNamespace?.noWayOut ? [`WARNING: ${userNamespace.noWayOut}`] : []),
  ];
  return {
    MemoryLimit: has('memory'),
    SwapLimit: swap,
    CpuCfsPeriod: has('cpu'),
    CpuCfsQuota: has('cpu'),
    CPUShares: has('cpu'),
    CPUSet: has('cpuset'),
    PidsLimit: has('pids'),
    OomKillDisable: cgroup.version === 1 && has('memory'),
    CgroupDriver: Object.keys(cgroup.mounts).length > 0 ? 'cgroupfs' : 'none',
    CgroupVersion: String(cgroup.version),
    KernelVersion: kernelRelease,
    Architecture: arch,
    NCPU: cpus,
    MemTotal: memory,
    SecurityOptions: [
      'name=seccomp,profile=builtin',
      ...(userNamespace ? ['name=rootless'] : []),
      ...(remapSetting() === '' ? [] : ['name=userns']),
      ...(cgroup.version === 2 ? ['name=cgroupns'] : []),
    ],
    Warnings: told.length > 0 ? told : null,
  };
}

async function system() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (name: string): string => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? '';
  const forwarding = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8').catch(() => '0');
  return {
    Name: os.hostname(),
    OperatingSystem: value('PRETTY_NAME') || 'Linux',
    OSVersion: value('VERSION_ID'),
    IPv4Forwarding: forwarding.trim() === '1',
  };
}

async function cdi() {
  const { devices } = await readCatalog();
  return {
    CDISpecDirs: cdiDirectories(),
    DiscoveredDevices: [...devices.keys()].sort().map((ID) => ({ Source: 'cdi', ID })),
  };
}

/** Without the password that it may carry. */
function proxy(name: string): string {
  const text = process.env[name] ?? process.env[name.toLowerCase()] ?? '';
  return text.replace(/\/\/[^/@]*@/, '//xxxxx:xxxxx@');
}

const none = { ID: '' };

const constants = {
  Plugins: {
    Volume: ['local'],
    Network: ['bridge', 'host', 'null'],
    Authorization: null,
    Log: ['fluentd', 'gelf', 'journald', 'json-file', 'local', 'syslog'],
  },
  Debug: false,
  LoggingDriver: 'json-file',
  OSType: 'linux',
  IndexServerAddress: 'https://index.docker.io/v1/',
  RegistryConfig: {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8'],
    IndexConfigs: { 'docker.io': { Name: 'docker.io', Mirrors: [], Secure: true, Official: true } },
    Mirrors: null,
  },
  GenericResources: null,
  Labels: [],
  ExperimentalBuild: false,
  ServerVersion: hoistVersion,
  Runtimes: { hoist: { path: 'hoist' } },
  DefaultRuntime: 'hoist',
  Swarm: {
    NodeID: '',
    NodeAddr: '',
    LocalNodeState: 'inactive',
    ControlAvailable: false,
    Error: '',
    RemoteManagers: null,
  },
  LiveRestoreEnabled: true,
  Isolation: '',
  InitBinary: 'hoist',
  ContainerdCommit: none,
  RuncCommit: none,
  InitCommit: none,
  FirewallBackend: { Driver: 'nftables' },
} satisfies Partial<SystemInfo>;
