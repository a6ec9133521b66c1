// The engine as every front door sees it: small interfaces, Docker's documents as values.
// A door (CLI, HTTP API, Compose, CRI) turns its own language into these calls and nothing else.
// `ref` names an object as a user would: a full name, a full id, or an unambiguous prefix of an id.

import type { Plan } from '../plan/ops.ts';
import type { ProcessStream, StreamRequest } from '../runtime/keeper-stream.ts';
import type { OnStep } from '../runtime/step.ts';
import type {
  ContainerCreate,
  ContainerInspect,
  ContainerSummary,
  ContainerTop,
  ContainerUpdate,
  ExecCreate,
  ExecInspect,
  FilesystemChange,
  PathStat,
} from '../spec/docker/container.ts';
import type { SystemInfo, SystemVersion } from '../spec/docker/info.ts';
import type { NetworkConnect, NetworkCreate, NetworkDisconnect, NetworkInspect } from '../spec/docker/network.ts';
import type { ContainerStats, DiskUsage, EventMessage, RegistryAuth } from '../spec/docker/system.ts';
import type { Volume, VolumeCreate } from '../spec/docker/volume.ts';
import type { Filters } from './filters.ts';
import type { CommitOptions, Images } from './image-verbs.ts';

export type { OnStep, StepAnswer, StepStop } from '../runtime/step.ts';
export type { Filters } from './filters.ts';
export type * from './image-verbs.ts';

/** Where a terminal can be joined to a container's streams: the keeper's socket (see src/runtime/keeper.ts). */
export interface AttachPoint {
  readonly socket: string;
  /** In place of the socket, where the process is another engine's. */
  readonly open?: (request: StreamRequest) => Promise<ProcessStream>;
  readonly tty: boolean;
  /** Whether the process has a stdin that can be fed. */
  readonly stdin: boolean;
  /** Whoever joined says so when its user has left with the detach keys. */
  readonly detached?: () => void;
}

export interface LogOptions {
  readonly follow: boolean;
  /** Unix seconds, fractions allowed; 0: from the beginning. */
  readonly since: number;
  readonly until: number;
  /** Lines from the end; undefined: all. */
  readonly tail?: number;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly signal: AbortSignal;
}

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** RFC 3339 with nanoseconds. */
  readonly time: string;
  /** With its newline, unless the program wrote a part of a line. Binary-safe. */
  readonly data: Uint8Array;
  /** What `--log-opt labels=… env=… tag=…` add, for `logs --details`; the same for every line of a container. */
  readonly details?: Readonly<Record<string, string>>;
}

export interface StartOptions {
  /** Called as soon as a terminal can be joined, before the process runs: nothing it writes is lost. */
  readonly onAttachable?: (point: AttachPoint) => void;
  /** The start stops before each op of its plan and asks (`explain --step`). `quit` fails with `step.quit`; all is undone. */
  readonly onStep?: OnStep;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface Containers {
  create(
    request: ContainerCreate,
    options: { readonly name: string; readonly platform: string },
  ): Promise<{ readonly Id: string; readonly Warnings: readonly string[] }>;
  /** Resolves once the process runs. Rejects with kind command_not_found or not_executable where execve said so. */
  start(ref: string, options?: StartOptions): Promise<void>;
  /**
   * Fails with `container.not_running`, unless there is a `wait`: then the point is that of the next start, which waits for
   * whoever asked. The asking itself is done when this returns, before the promise resolves.
   */
  attach(ref: string, options?: { readonly wait?: AbortSignal }): Promise<AttachPoint>;
  list(options: {
    readonly all: boolean;
    readonly limit: number;
    readonly size: boolean;
    readonly filters: Filters;
  }): Promise<readonly ContainerSummary[]>;
  inspect(ref: string, options?: { readonly size?: boolean }): Promise<ContainerInspect>;
  /** `timeout` in seconds; -1 waits for ever; undefined: the container's own. */
  stop(ref: string, options: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  restart(ref: string, options: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  kill(ref: string, signal: string): Promise<void>;
  remove(
    ref: string,
    options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean },
  ): Promise<void>;
  wait(
    ref: string,
    condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ readonly StatusCode: number; readonly Error?: { readonly Message: string } }>;
  logs(ref: string, options: LogOptions): AsyncIterable<LogLine>;
  resize(ref: string, size: { readonly rows: number; readonly columns: number }): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  update(ref: string, update: ContainerUpdate): Promise<{ readonly Warnings: readonly string[] }>;
  /** `psArgs` as `ps` takes them; '' is `-ef`. */
  top(ref: string, psArgs: string): Promise<ContainerTop>;
  /** One document a second (`stream`), or one; `oneShot` does not wait for a second sample to compare with. */
  stats(
    ref: string,
    options: { readonly stream: boolean; readonly oneShot: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<ContainerStats>;
  changes(ref: string): Promise<readonly FilesystemChange[]>;
  /** The root file system as a tar, without mounted volumes. */
  export(ref: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** `path` is resolved inside the container's root; a last symlink is not followed. Fails with `path.not_found`. */
  statPath(ref: string, path: string): Promise<PathStat>;
  /** A tar with the file or directory under its own name. */
  getArchive(
    ref: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }>;
  /** Unpacks a tar (plain, gzip, zstd…) into the directory `path`. */
  putArchive(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void>;
  /** Returns the image's id. */
  commit(ref: string, options: CommitOptions): Promise<string>;
  /** Filters `until`, `label`, `label!`. */
  prune(filters: Filters): Promise<{ readonly ContainersDeleted: readonly string[]; readonly SpaceReclaimed: number }>;
  /** The plan of `start`, for a request that need not exist as a container: nothing is run or written. */
  explain(request: ContainerCreate, options: { readonly platform: string }): Promise<ExplainedPlan>;
}

export interface Execs {
  create(container: string, request: ExecCreate): Promise<string>;
  start(id: string, options: StartOptions): Promise<void>;
  inspect(id: string): Promise<ExecInspect>;
  resize(id: string, size: { readonly rows: number; readonly columns: number }): Promise<void>;
  wait(id: string): Promise<number>;
  explain(container: string, request: ExecCreate): Promise<ExplainedPlan>;
}

/** A plan made readable; `text` is what a person reads, `json` what a program does. */
export interface ExplainedPlan {
  readonly text: string;
  readonly json: unknown;
  readonly plan: Plan;
  /** What the engine does besides, before the plan and after the process has ended. */
  readonly around: readonly string[];
  /** Names that are new each time (its id): two plans are compared without them. */
  readonly fresh: readonly string[];
}

export interface Networks {
  create(request: NetworkCreate): Promise<{ readonly Id: string; readonly Warning: string }>;
  list(filters: Filters): Promise<readonly NetworkInspect[]>;
  inspect(ref: string, options?: { readonly verbose?: boolean; readonly scope?: string }): Promise<NetworkInspect>;
  remove(ref: string): Promise<void>;
  connect(ref: string, request: NetworkConnect): Promise<void>;
  disconnect(ref: string, request: NetworkDisconnect): Promise<void>;
  prune(filters: Filters): Promise<{ readonly NetworksDeleted: readonly string[] }>;
}

export interface Volumes {
  create(request: VolumeCreate): Promise<Volume>;
  list(filters: Filters): Promise<readonly Volume[]>;
  inspect(name: string): Promise<Volume>;
  remove(name: string, options: { readonly force: boolean }): Promise<void>;
  /** Filters `all` (also named ones), `label`, `label!`. */
  prune(filters: Filters): Promise<{ readonly VolumesDeleted: readonly string[]; readonly SpaceReclaimed: number }>;
}

export interface EventsOptions {
  /** Unix seconds, fractions allowed; undefined: from now on. */
  readonly since?: number;
  readonly until?: number;
  readonly filters: Filters;
  readonly signal: AbortSignal;
}

export interface System {
  version(): Promise<SystemVersion>;
  info(): Promise<SystemInfo>;
  events(options: EventsOptions): AsyncIterable<EventMessage>;
  /** `types`: of `container`, `image`, `volume`, `build-cache`; all where it is empty. */
  diskUsage(types: readonly string[]): Promise<DiskUsage>;
  /** Asks a registry whether the credentials hold. Fails with kind denied. Nothing is stored. */
  login(auth: RegistryAuth, signal: AbortSignal): Promise<{ readonly Status: string; readonly IdentityToken: string }>;
}

export interface Engine {
  readonly images: Images;
  readonly containers: Containers;
  readonly execs: Execs;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly system: System;
}
