// The image part of the engine's interface (engine.ts).

import type { ContainerConfig } from '../spec/docker/container.ts';
import type { ImageDeleteItem, ImageInspect, ImageSummary } from '../spec/docker/image.ts';
import type { DistributionInspect, HistoryRow, RegistryAuth, SearchResult } from '../spec/docker/system.ts';
import type { Filters } from './filters.ts';

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
  /** Of this request alone (the API's X-Registry-Auth); without it, the user's own config.json is asked. */
  readonly auth?: RegistryAuth;
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

export interface PushOptions {
  readonly allTags?: boolean;
  readonly auth?: RegistryAuth;
  /** Called for each tag as soon as the registry has it. */
  readonly onPushed?: (image: PushedImage) => void;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

export interface PushedImage {
  readonly tag: string;
  readonly digest: string;
  /** Bytes of the manifest. */
  readonly size: number;
}

export interface LoadOptions {
  /** '' for this machine's. */
  readonly platform: string;
  readonly signal: AbortSignal;
}

export interface LoadedImage {
  /** Familiar; undefined for an image without a name. */
  readonly reference: string | undefined;
  readonly id: string;
  /** The id of the image that had this name before. */
  readonly replaced?: string;
}

export interface CommitOptions {
  /** The name that the image gets; undefined: none. */
  readonly reference?: string;
  readonly author: string;
  readonly message: string;
  /** Dockerfile instructions, as `docker commit --change` takes them. */
  readonly changes: readonly string[];
  /** Whether the container stands still meanwhile. */
  readonly pause: boolean;
  /** The API's body: laid over the container's configuration. */
  readonly config?: Partial<ContainerConfig>;
}

export interface Images {
  pull(reference: string, options: PullOptions): Promise<PulledImage>;
  /** Makes an image of one layer from a tar stream (plain, gzip, zstd, xz refused). Returns its id. */
  import(tar: AsyncIterable<Uint8Array>, options: ImportOptions): Promise<string>;
  list(options: {
    readonly all: boolean;
    readonly filters: Filters;
    /** Count what other images have too (`SharedSize`), and containers; -1 without. */
    readonly sharedSize?: boolean;
    readonly containerCount?: boolean;
  }): Promise<readonly ImageSummary[]>;
  inspect(ref: string, options?: { readonly platform?: string }): Promise<ImageInspect>;
  remove(
    ref: string,
    options: { readonly force: boolean; readonly prune: boolean },
  ): Promise<readonly ImageDeleteItem[]>;
  tag(ref: string, target: string): Promise<void>;
  /** One result per pushed tag. */
  push(reference: string, options: PushOptions): Promise<readonly PushedImage[]>;
  /** A tar that `load` of Hoist, Docker and Podman takes: an OCI layout with Docker's manifest.json. Ends early with the signal. */
  save(
    refs: readonly string[],
    options: { readonly platform: string; readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>;
  load(tar: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<readonly LoadedImage[]>;
  /** Newest first. */
  history(ref: string, options?: { readonly platform?: string }): Promise<readonly HistoryRow[]>;
  search(
    term: string,
    options: {
      readonly limit: number;
      readonly filters: Filters;
      readonly auth?: RegistryAuth;
      readonly signal: AbortSignal;
    },
  ): Promise<readonly SearchResult[]>;
  /** Filters `dangling` (default true), `until`, `label`, `label!`. */
  prune(
    filters: Filters,
  ): Promise<{ readonly ImagesDeleted: readonly ImageDeleteItem[]; readonly SpaceReclaimed: number }>;
  distribution(
    ref: string,
    options: { readonly auth?: RegistryAuth; readonly signal: AbortSignal },
  ): Promise<DistributionInspect>;
  /** Makes a base image from this machine's own packages: `busybox`, `debian`, `debian:SUITE`. */
  bootstrap?(kind: string, options: BootstrapOptions): Promise<{ readonly reference: string; readonly id: string }>;
}
