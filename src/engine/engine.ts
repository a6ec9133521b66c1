// The engine as every front door sees it: small interfaces, Docker's documents as values.
// A door (CLI, HTTP API, Compose, CRI) turns its own language into these calls and nothing else.
// `ref` names an object as a user would: a full name, a full id, or an unambiguous prefix of an id.

import type {
  ContainerCreate,
  ContainerInspect,
  ContainerSummary,
  ExecCreate,
  ExecInspect,
} from '../spec/docker/container.ts';
import type { ImageDeleteItem, ImageInspect, ImageSummary, SystemInfo, SystemVersion } from '../spec/docker/image.ts';

/** Filters as Docker spells them: key -> values (`{status: ['exited'], label: ['a=b']}`). */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** One step of a long work on images; rendered as bars on a tty, as lines in a pipe, as JSON by the API. */
export type Progress =
  | { readonly kind: 'message'; readonly text: string }
  /** `id`: 12 hex digits of the layer. `phase` is Docker's word: `Pulling fs layer`, `Downloading`, `Pull complete`… */
  | {
      readonly kind: 'layer';
      readonly id: string;
      readonly phase: string;
      readonly current?: number;
      readonly total?: number;
    };

export interface PullOptions {
  /** `linux/arm64/v8`; '' for this machine's. */
  readonly platform: string;
  readonly allTags?: boolean;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface PulledImage {
  /** The familiar name that was pulled: `docker.io/library/busybox:latest`. */
  readonly reference: string;
  readonly id: string;
  readonly digest: string;
  /** False when everything was here already ("Image is up to date"). */
  readonly changed: boolean;
}

export interface ImportOptions {
  readonly reference?: string;
  readonly message: string;
  /** Dockerfile instructions, as `docker import --change` takes them. */
  readonly changes: readonly string[];
  readonly platform: string;
  readonly signal: AbortSignal;
}

export interface BootstrapOptions {
  /** The name that the image gets; that of the base where none is given. */
  readonly tag?: string;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface Images {
  pull(reference: string, options: PullOptions): Promise<PulledImage>;
  /** Makes an image of one layer from a tar stream (plain, gzip, zstd, xz refused). Returns its id. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<string>;
  list(options: { readonly all: boolean; readonly filters: Filters }): Promise<readonly ImageSummary[]>;
  inspect(ref: string, options?: { readonly platform?: string }): Promise<ImageInspect>;
  remove(
    ref: string,
    options: { readonly force: boolean; readonly prune: boolean },
  ): Promise<readonly ImageDeleteItem[]>;
  /** Makes a base image from this machine's own packages: `busybox`, `debian`, `debian:SUITE`. */
  bootstrap?(kind: string, options: BootstrapOptions): Promise<{ readonly reference: string; readonly id: string }>;
}

/** Where a terminal can be joined to a container's streams: the keeper's socket (see src/runtime/keeper.ts). */
export interface AttachPoint {
  readonly socket: string;
  readonly tty: boolean;
  /** Whether the process has a stdin that can be fed. */
  readonly stdin: boolean;
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
}

export interface StartOptions {
  /** Called as soon as a terminal can be joined, before the process runs: nothing it writes is lost. */
  readonly onAttachable?: (point: AttachPoint) => void;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface Containers {
  create(
    request: ContainerCreate,
    options: { readonly name: string; readonly platform: string },
  ): Promise<{ readonly Id: string; readonly Warnings: readonly string[] }>;
  /** Resolves once the process runs. Rejects with kind command_not_found or not_executable where execve said so. */
  start(ref: string, options?: StartOptions): Promise<void>;
  attach(ref: string): Promise<AttachPoint>;
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
}

export interface System {
  version(): Promise<SystemVersion>;
  info(): Promise<SystemInfo>;
}

export interface Engine {
  readonly images: Images;
  readonly containers: Containers;
  readonly execs: Execs;
  readonly system: System;
}
