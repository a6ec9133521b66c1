// The OCI runtime configuration (config.json), runtime-spec 1.2, for Linux: types. Lists that may be left out are empty.
// https://github.com/opencontainers/runtime-spec

import type { Int, OciResources } from './resources.ts';
import type { SeccompProfile } from './seccomp.ts';

export type { OciDeviceRule, OciResources } from './resources.ts';

export interface OciUser {
  readonly uid: number;
  readonly gid: number;
  readonly umask?: number;
  readonly additionalGids: readonly number[];
}

export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface OciRlimit {
  /** `RLIMIT_NOFILE` */
  readonly type: string;
  /** -1: infinity. */
  readonly soft: Int;
  readonly hard: Int;
}

/** sched_setattr(2). */
export interface OciScheduler {
  /** `SCHED_BATCH` */
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  /** `SCHED_FLAG_RESET_ON_FORK` */
  readonly flags: readonly string[];
  /** Nanoseconds, of SCHED_DEADLINE. */
  readonly runtime?: Int;
  readonly deadline?: Int;
  readonly period?: Int;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: OciUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly rlimits: readonly OciRlimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
  readonly scheduler?: OciScheduler;
  readonly ioPriority?: { readonly class: string; readonly priority: number };
  /** Lists of CPUs: while an exec is set up, and for what it runs. */
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

export interface OciIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface OciMount {
  readonly destination: string;
  /** '' for a bind. */
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
  /** The part of a bind's source that is mounted, resolved inside it (Docker's; not in the specification). */
  readonly subpath?: string;
}

export type NamespaceType = 'mount' | 'pid' | 'network' | 'ipc' | 'uts' | 'cgroup' | 'user' | 'time';

export interface OciNamespace {
  readonly type: NamespaceType;
  /** Join this one instead of making a new one. */
  readonly path?: string;
}

export interface OciDevice {
  readonly path: string;
  /** The host's node, where it has another path (not in the specification). */
  readonly source?: string;
  /** The specification's `u` is a `c`. */
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface OciHook {
  readonly path: string;
  /** With the program's own name first; empty: the path alone. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Seconds; undefined: as long as it takes. */
  readonly timeout?: number;
}

export const hookPoints = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
export type HookPoint = (typeof hookPoints)[number];
export type OciHooks = { readonly [P in HookPoint]?: readonly OciHook[] };

export interface OciIntelRdt {
  readonly closID?: string;
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly enableCMT?: boolean;
  readonly enableMBM?: boolean;
}

export interface OciLinux {
  readonly namespaces: readonly OciNamespace[];
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
  /** `monotonic`, `boottime` */
  readonly timeOffsets?: Readonly<Record<string, { readonly secs: Int; readonly nanosecs: number }>>;
  readonly devices: readonly OciDevice[];
  /** Below each hierarchy's mount point: `/hoist/<id>`; '' where the configuration says nothing. */
  readonly cgroupsPath: string;
  readonly resources: OciResources;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly seccomp?: SeccompProfile;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** '' where the configuration says nothing. */
  readonly rootfsPropagation: string;
  readonly mountLabel?: string;
  readonly personality?: { readonly domain: 'LINUX' | 'LINUX32' };
  readonly intelRdt?: OciIntelRdt;
}

export interface OciConfig {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly OciMount[];
  readonly hooks?: OciHooks;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: OciLinux;
}

/** What hooks get on stdin, and `state` prints (runtime-spec, runtime.md#state). */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: 'creating' | 'created' | 'running' | 'stopped';
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
