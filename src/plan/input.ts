// What a container's plan is made from, besides the OCI configuration: paths, streams, network. Types.

import type { OciConfig, OciMount } from '../spec/oci/runtime.ts';
import type { HostFacts } from './facts.ts';
import type { HookSubject } from './hooks.ts';
import type { Op } from './ops.ts';

/** The root file system: read-only layers below a writable directory, joined by overlayfs. */
export interface OverlayRoot {
  /** Directory that the layer names are relative to: overlayfs takes 4 KiB of options at most. */
  readonly layersDir: string;
  /** Top layer first. */
  readonly layers: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** An empty directory; the root is mounted there, in the child's own mount namespace. */
  readonly mountpoint: string;
  /** No sync when it is unmounted: for containers that are removed at their end. */
  readonly volatile: boolean;
}

/** The root file system: a directory as it is. */
export interface BundleRoot {
  /** Absolute. */
  readonly directory: string;
}

export function isBundle(root: OverlayRoot | BundleRoot): root is BundleRoot {
  return 'directory' in root;
}

/** What a network adds to a plan (src/network): in the keeper right after clone, in the child, and at the end. */
export interface NetworkOps {
  readonly before: readonly Op[];
  readonly setup: readonly Op[];
  readonly child: readonly Op[];
  readonly cleanup: readonly Op[];
}

export interface KeeperOptions {
  /** Shown in ps. */
  readonly title: string;
  readonly socket: string;
  /** '' for no log. */
  readonly log: { readonly path: string; readonly maxSize: number; readonly maxFiles: number };
  readonly exitPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  /** How many must have joined before the process is read from: the engine, and a terminal in the foreground. */
  readonly expect: number;
}

/** A small file that the keeper writes beside the container before it starts. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
}

export interface ContainerInput {
  readonly config: OciConfig;
  readonly facts: HostFacts;
  readonly root: OverlayRoot | BundleRoot;
  readonly keeper: KeeperOptions;
  /** Holds the keeper's socket; made where a reboot took it away. */
  readonly runDirectory: string;
  /** Holds the writable layer, the log and the exit record. */
  readonly dataDirectory: string;
  /** hosts, hostname, resolv.conf: mounted from where they are written. */
  readonly files: readonly PlannedFile[];
  readonly network: NetworkOps;
  /** A reaping pid 1 in front of the process. */
  readonly init: boolean;
  /** What the source of each bind mount is (src/sys looked). */
  readonly sourceKind: (mount: OciMount) => 'directory' | 'file';
  /** Who it is to its hooks and to the agent of a seccomp listener. */
  readonly subject?: HookSubject;
  readonly compileSeccomp: (profile: NonNullable<OciConfig['linux']['seccomp']>) => Uint8Array;
}
