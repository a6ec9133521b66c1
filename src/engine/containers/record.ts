// A container as the engine keeps it: one directory with one JSON document, replaced atomically.
//
//   <root>/containers/<id>/     container.json, upper/ work/ (the writable layer), log, exit.json, hosts hostname resolv.conf
//   <run>/containers/<id>/      s (the keeper's socket); for --rm containers also container.json: they do not survive a
//                               reboot, and memory takes it faster than a disk
//
// A directory without a readable document is half-made: it is removed when an engine starts.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { translateWriteError } from '../../base/errors.ts';
import { containerGroup } from '../../plan/cgroup.ts';
import { k, type Op, op } from '../../plan/ops.ts';
import type {
  ContainerConfig,
  ContainerStatus,
  EndpointRequest,
  Health,
  HostConfig,
  MountPoint,
} from '../../spec/docker/container.ts';
import type { Digest } from '../../spec/oci/image.ts';
import type { OciIdMapping } from '../../spec/oci/runtime.ts';
import type { ImageUse, VolumeUse } from '../volumes/uses.ts';

export const recordSchema = 1;
export const never = '0001-01-01T00:00:00Z';

export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
}

/** What a running container holds of one network; gone when it ends. */
export interface EndpointRecord {
  readonly id: string;
  /** '' in the networks host and none. */
  readonly address: string;
  readonly prefix: number;
  /** '' where nothing leaves the network. */
  readonly gateway: string;
  /** This machine's address in the network. */
  readonly host: string;
  readonly mac: string;
  readonly ports: readonly PublishedPort[];
  /** The host's end of the cable. */
  readonly veth: string;
  /** 0 is eth0. */
  readonly place: number;
  /** Whether the default route goes this way. */
  readonly isGateway: boolean;
}

/** A network that a container belongs to, running or not. */
export interface Connection {
  /** The network's name; until it was looked up, what the user called it. */
  readonly name: string;
  /** Its id; '' until it was looked up, at the first start. */
  readonly network: string;
  /** What was asked for. */
  readonly request: EndpointRequest;
  readonly endpoint?: EndpointRecord;
}

export interface RunState {
  readonly status: ContainerStatus;
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Of a container with a health check, once it was started. */
  readonly health?: Health;
}

/** It has a process, though that may be frozen. */
export function isAlive({ status }: Pick<RunState, 'status'>): boolean {
  return status === 'running' || status === 'paused';
}

/** What Docker calls running: also what is about to be started again by itself. */
export function isUp(state: Pick<RunState, 'status'>): boolean {
  return isAlive(state) || state.status === 'restarting';
}

/** Of a container's user namespace. */
export interface IdMaps {
  readonly uids: readonly OciIdMapping[];
  readonly gids: readonly OciIdMapping[];
}

export interface ContainerRecord {
  readonly schema: typeof recordSchema;
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  readonly created: string;
  /** The image's and the user's words as one, as `inspect` shows them. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly image: { readonly id: Digest; readonly manifest: Digest; readonly layers: readonly Digest[] };
  readonly platform: string;
  readonly mounts: readonly MountPoint[];
  readonly volumes?: readonly VolumeUse[];
  readonly images?: readonly ImageUse[];
  /** Where it has a user namespace of its own. */
  readonly idMaps?: IdMaps;
  readonly state: RunState;
  /** In the order of its interfaces. */
  readonly connections: readonly Connection[];
  /** Frozen for a commit, not by a user: an engine that finds it so lets it go on. */
  readonly held?: boolean;
  /** Automatic restarts since somebody started it. */
  readonly restartCount?: number;
  /** Somebody stopped it: `unless-stopped` leaves it alone, also in the next engine. */
  readonly manuallyStopped?: boolean;
}

/** The path of its control groups below every hierarchy. */
export function groupPath({ id, hostConfig }: Pick<ContainerRecord, 'id' | 'hostConfig'>): string {
  return containerGroup(id, hostConfig.CgroupParent);
}

/** The connection that the default route goes through, which also has the published ports. */
export function gatewayEndpoint({ connections }: Pick<ContainerRecord, 'connections'>): EndpointRecord | undefined {
  return connections.find(({ endpoint }) => endpoint?.isGateway)?.endpoint;
}

export function publishedPorts({ connections }: Pick<ContainerRecord, 'connections'>): readonly PublishedPort[] {
  return connections.flatMap(({ endpoint }) => endpoint?.ports ?? []);
}

/** The names by which others in a network that the user made find it. */
export function dnsNames({ id, name, config }: ContainerRecord, request: EndpointRequest): readonly string[] {
  return [...new Set([name, ...(request.Aliases ?? []), id.slice(0, 12), config.Hostname])].filter((one) => one !== '');
}

/** The same connections of a container that does not run. */
export function withoutEndpoints(connections: readonly Connection[]): readonly Connection[] {
  return connections.map(({ endpoint: _, ...rest }) => rest);
}

export interface ContainerPaths {
  readonly root: string;
  readonly run: string;
}

export function pathsOf(paths: ContainerPaths, id: string) {
  const data = path.join(paths.root, 'containers', id);
  const run = path.join(paths.run, 'c', id.slice(0, 12));
  return {
    data,
    run,
    socket: path.join(run, 's'),
    upper: path.join(data, 'upper'),
    work: path.join(data, 'work'),
    log: path.join(data, 'log'),
    exit: path.join(data, 'exit.json'),
    hosts: path.join(data, 'hosts'),
    hostname: path.join(data, 'hostname'),
    resolvConf: path.join(data, 'resolv.conf'),
  };
}

function documentPath(paths: ContainerPaths, record: Pick<ContainerRecord, 'id' | 'hostConfig'>): string {
  const { data, run } = pathsOf(paths, record.id);
  return path.join(record.hostConfig.AutoRemove ? run : data, 'container.json');
}

/**
 * Replaces the document. The bytes are on their way to the disk when this returns; they are not waited for: a power cut
 * within that moment loses a container that nobody has used yet, never an image or a volume (docs/performance.md).
 * Synchronous on purpose: such small writes take less time than a trip to Node's thread pool and back.
 */
export function saveRecord(paths: ContainerPaths, record: ContainerRecord): void {
  const target = documentPath(paths, record);
  const temp = `${target}.${process.hrtime.bigint().toString(36)}.tmp`;
  try {
    writeFileSync(temp, JSON.stringify(record), { mode: 0o600 });
    renameSync(temp, target);
  } catch (error) {
    rmSync(temp, { force: true });
    throw translateWriteError(error, target);
  }
  if (!record.hostConfig.AutoRemove) void flush(target);
}

/** A full disk must not keep the engine from knowing, in memory, what is. */
export function saveQuietly(
  { deps }: { readonly deps: { readonly paths: ContainerPaths; readonly warn: (message: string) => void } },
  record: ContainerRecord,
): void {
  try {
    saveRecord(deps.paths, record);
  } catch (error) {
    deps.warn(`cannot note the state of ${record.id}: ${error}`);
  }
}

/** The clock, as documents have it: RFC 3339 with nanoseconds. */
export function now(): string {
  const nanos = String(process.hrtime.bigint() % 1000000n).padStart(6, '0');
  return new Date().toISOString().replace('Z', `${nanos}Z`);
}

async function flush(file: string): Promise<void> {
  try {
    await using handle = await open(file, 'r');
    await handle.datasync();
  } catch {} // removed meanwhile: nothing left to keep
}

/** Where its document goes; the rest is made by the plan of each start. */
export function makeDirectories(paths: ContainerPaths, { id, hostConfig }: ContainerRecord): void {
  const { data, run } = pathsOf(paths, id);
  mkdirSync(run, { mode: 0o700 });
  if (!hostConfig.AutoRemove) mkdirSync(data, { mode: 0o710 });
}

/** Ops that remove everything. The documents first: from then on what is left is rubbish, whatever happens in between. */
export function removalOps(paths: ContainerPaths, id: string): Op[] {
  const { data, run } = pathsOf(paths, id);
  return [
    op('nice', { increment: 19 }, 'nobody waits for it'),
    op('unlink', { path: path.join(run, 'container.json') }, 'the container is no more', k.ENOENT),
    op('unlink', { path: path.join(data, 'container.json') }, 'the container is no more', k.ENOENT),
    op('removeTree', { path: run }, 'its sockets'),
    op('removeTree', { path: data }, 'its files'),
  ];
}
