// Docker's Engine API documents for containers (API 1.51), as far as Hoist reads or writes them.
// Field names, units and defaults are the API's: nanoseconds, bytes, NanoCpus; they are used inside too,
// so that a request is described once, from the flag to the OCI configuration.

import type { HealthConfig } from '../oci/image.ts';
import type { HostConfig, PortMap, PortSet, Resources } from './host-config.ts';

export type * from './host-config.ts';

/** What the image and the user say about the process: portable between machines. */
export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly ExposedPorts?: PortSet;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  /** `KEY=value`; `KEY` alone removes one that the image sets. */
  readonly Env: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly Healthcheck?: HealthConfig;
  readonly Image: string;
  readonly Volumes?: Readonly<Record<string, Record<string, never>>> | null;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  /** Seconds. */
  readonly StopTimeout?: number;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[];
  /** API < 1.44 only: the address of the main network's interface. */
  readonly MacAddress?: string;
  readonly NetworkDisabled?: boolean;
}

/** The body of `POST /containers/create`. */
export interface ContainerCreate {
  readonly Config: ContainerConfig;
  readonly HostConfig: HostConfig;
  /** By the network's name or id, as the user gave it; only what the user may ask for is read. */
  readonly NetworkingConfig?: {
    readonly EndpointsConfig?: Readonly<Record<string, EndpointRequest | null>> | null;
  };
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerState {
  readonly Status: ContainerStatus;
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` where it never happened. */
  readonly StartedAt: string;
  readonly FinishedAt: string;
  readonly Health?: Health;
}

export type HealthStatus = 'none' | 'starting' | 'healthy' | 'unhealthy';

export interface HealthResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface Health {
  readonly Status: HealthStatus;
  readonly FailingStreak: number;
  /** The last five. */
  readonly Log: readonly HealthResult[] | null;
}

/** What a user may ask of a container's place in one network (create, connect). */
export interface EndpointRequest {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  /** `container[:alias]` */
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly GwPriority?: number;
}

/** As `inspect` shows it; empty strings while the container does not run. */
export interface EndpointSettings extends EndpointRequest {
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly MacAddress: string;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly Aliases: readonly string[] | null;
  readonly DNSNames: readonly string[] | null;
}

export interface MountPoint {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

/** `GET /containers/{id}/json` */
export interface ContainerInspect {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  /** The image's id, `sha256:…`. */
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: HostConfig;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> };
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: {
    readonly Bridge: string;
    readonly SandboxID: string;
    readonly SandboxKey: string;
    readonly Ports: PortMap;
    readonly Gateway: string;
    readonly IPAddress: string;
    readonly IPPrefixLen: number;
    readonly MacAddress: string;
    readonly Networks: Readonly<Record<string, EndpointSettings>>;
  };
}

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** One row of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  /** Each with a leading slash. */
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly State: ContainerStatus;
  /** `Up 3 minutes`, `Exited (0) 2 hours ago` */
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string; readonly Annotations?: Readonly<Record<string, string>> };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> };
  readonly Mounts: readonly MountPoint[];
  readonly Health?: { readonly Status: HealthStatus; readonly FailingStreak: number };
}

/** The body of `POST /containers/{id}/update`: what is absent (or 0, or '') stays. */
export type ContainerUpdate = Partial<Resources> & {
  readonly RestartPolicy?: { readonly Name: string; readonly MaximumRetryCount?: number };
};

/** `GET /containers/{id}/top` */
export interface ContainerTop {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

/** One line of `GET /containers/{id}/changes`. Kind 0: modified, 1: added, 2: deleted. */
export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

/** The header of archive answers, `X-Docker-Container-Path-Stat`. `mode` has Go's bits (io/fs.FileMode). */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** The body of `POST /containers/{id}/exec`. */
export interface ExecCreate {
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  readonly DetachKeys?: string;
  readonly Env: readonly string[];
  readonly Cmd: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Privileged: boolean;
  readonly ConsoleSize?: readonly [height: number, width: number];
}

export interface ExecInspect {
  readonly ID: string;
  readonly CanRemove?: boolean;
  readonly DetachKeys?: string;
  readonly ContainerID: string;
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
  readonly OpenStdin: boolean;
  readonly OpenStdout: boolean;
  readonly OpenStderr: boolean;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly user: string;
    readonly privileged: boolean;
  };
}
