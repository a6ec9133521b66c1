// A container as the API's documents show it: one row of `ps`, the page of `inspect`. Pure, but for the clock.

import { humanDuration } from '../../base/duration.ts';
import type {
  ContainerInspect,
  ContainerSummary,
  EndpointSettings,
  Health,
  PortBinding,
  PortSummary,
} from '../../spec/docker/container.ts';
import { argumentsOf } from './merge.ts';
import {
  type Connection,
  type ContainerPaths,
  type ContainerRecord,
  dnsNames,
  isUp,
  pathsOf,
  publishedPorts,
  type RunState,
} from './record.ts';
import { labelsOf } from './security.ts';

/** The part of a row that holds as long as its record does: most of the work, done once for each record. */
export type FixedRow = Omit<ContainerSummary, 'Image' | 'Status'>;

export function fixedRow(record: ContainerRecord): FixedRow {
  const { config, state } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    ImageID: record.image.id,
    Command: argumentsOf(config).map(quoteArgument).join(' '),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: portSummaries(record),
    Labels: config.Labels,
    State: state.status,
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networksOf(record) },
    Mounts: record.mounts,
    ...(state.health ? { Health: { Status: state.health.Status, FailingStreak: state.health.FailingStreak } } : {}),
  };
}

/** As Docker joins a command for display: arguments with blanks are quoted. */
function quoteArgument(argument: string): string {
  return argument.includes(' ') ? `'${argument}'` : argument;
}

/** `Up 3 minutes`, `Exited (0) 2 hours ago`, `Created` */
export function statusText(state: RunState, now: number): string {
  const since = (time: string): string => humanDuration(Math.max(0, now - Date.parse(time)) / 1000);
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state.health)}`;
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'created':
      return 'Created';
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'dead':
      return 'Dead';
  }
}

function healthText(health: Health | undefined): string {
  if (!health || health.Status === 'none') return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}

function portSummaries(record: ContainerRecord): PortSummary[] {
  const { config } = record;
  if (!isConnected(record)) return [];
  const published = publishedPorts(record).map(({ hostIp, hostPort, containerPort, protocol }) => ({
    IP: hostIp,
    PrivatePort: containerPort,
    PublicPort: hostPort,
    Type: protocol,
  }));
  const exposed = Object.keys(config.ExposedPorts ?? {})
    .map((key) => ({ PrivatePort: Number.parseInt(key, 10), Type: key.split('/')[1] ?? 'tcp' }))
    .filter((one) => !published.some((other) => other.PrivatePort === one.PrivatePort && other.Type === one.Type));
  return [...exposed, ...published];
}

function networksOf(record: ContainerRecord): Record<string, EndpointSettings> {
  return Object.fromEntries(record.connections.map((one) => [one.name, endpointSettings(record, one)]));
}

/** One network of a container; addresses are empty while it does not run. */
function endpointSettings(record: ContainerRecord, { name, network, request, endpoint }: Connection): EndpointSettings {
  return {
    IPAMConfig: request.IPAMConfig ?? null,
    Links: request.Links ?? null,
    Aliases: request.Aliases ?? null,
    MacAddress: endpoint?.mac ?? request.MacAddress ?? '',
    DriverOpts: request.DriverOpts ?? null,
    GwPriority: request.GwPriority ?? 0,
    NetworkID: network,
    EndpointID: endpoint?.id ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: endpoint?.prefix ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: network === '' || predefinedNetworks.includes(name) ? null : dnsNames(record, request),
  };
}

const predefinedNetworks = ['bridge', 'host', 'none'];

function isConnected({ connections }: ContainerRecord): boolean {
  return connections.some(({ endpoint }) => endpoint?.address);
}

function portMap(record: ContainerRecord): Record<string, readonly PortBinding[] | null> {
  const { config } = record;
  const map: Record<string, PortBinding[] | null> = {};
  if (!isConnected(record)) return map;
  for (const key of Object.keys(config.ExposedPorts ?? {})) map[key] = null;
  for (const port of publishedPorts(record)) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }];
  }
  return map;
}

export interface Sizes {
  readonly SizeRw: number;
  readonly SizeRootFs: number;
}

export function inspectOf(
  record: ContainerRecord,
  paths: ContainerPaths,
  driver: string,
  execs: readonly string[],
  sizes: Sizes | undefined,
): ContainerInspect {
  const { config, state } = record;
  const endpoint = record.connections.find(({ name }) => name === 'bridge')?.endpoint;
  const [program = '', ...args] = argumentsOf(config);
  const files = pathsOf(paths, record.id);
  return {
    Id: record.id,
    Created: record.created,
    Path: program,
    Args: args,
    State: {
      Status: state.status,
      Running: isUp(state),
      Paused: state.status === 'paused',
      Restarting: state.status === 'restarting',
      OOMKilled: state.oomKilled,
      Dead: state.status === 'dead',
      Pid: state.pid,
      ExitCode: state.exitCode,
      Error: state.error,
      StartedAt: state.startedAt,
      FinishedAt: state.finishedAt,
      ...(state.health ? { Health: state.health } : {}),
    },
    Image: record.image.id,
    ResolvConfPath: files.resolvConf,
    HostnamePath: files.hostname,
    HostsPath: files.hosts,
    LogPath: record.hostConfig.LogConfig.Type === 'none' ? '' : files.log,
    Name: `/${record.name}`,
    RestartCount: record.restartCount ?? 0,
    Driver: driver,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: labelsOf(record.hostConfig).selinuxLabel ?? '',
    AppArmorProfile: labelsOf(record.hostConfig).apparmorProfile ?? '',
    ExecIDs: execs.length > 0 ? execs : null,
    HostConfig: record.hostConfig,
    GraphDriver: { Name: driver, Data: { UpperDir: files.upper, WorkDir: files.work } },
    ...sizes,
    Mounts: record.mounts,
    Config: config,
    NetworkSettings: {
      Bridge: '',
      SandboxID: '',
      SandboxKey: state.pid > 0 ? `/proc/${state.pid}/ns/net` : '',
      Ports: portMap(record),
      Gateway: endpoint?.gateway ?? '',
      IPAddress: endpoint?.address ?? '',
      IPPrefixLen: endpoint?.prefix ?? 0,
      MacAddress: endpoint?.mac ?? '',
      Networks: networksOf(record),
    },
  };
}
