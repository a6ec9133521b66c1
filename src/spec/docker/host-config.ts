// What a container asks of the machine (HostConfig of Docker's Engine API 1.51): limits, mounts, ports, walls.

/** `{"80/tcp": {}}` */
export type PortSet = Readonly<Record<string, Record<string, never>>>;

export interface PortBinding {
  readonly HostIp: string;
  /** A port, a range `8000-8010`, or '' for one that the kernel chooses. */
  readonly HostPort: string;
}
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface MountSpec {
  readonly Type: 'bind' | 'volume' | 'tmpfs' | 'image';
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>>;
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Readonly<Record<string, string>> };
    readonly Subpath?: string;
  };
  readonly ImageOptions?: { readonly Subpath?: string };
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[];
  };
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

/** What `--gpus` asks for; the driver `cdi` names devices of CDI specifications. */
export interface DeviceRequest {
  readonly Driver: string;
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

/** Limits that `POST /containers/{id}/update` may change while a container runs. */
export interface Resources {
  readonly CpuShares: number;
  readonly Memory: number;
  readonly NanoCpus: number;
  readonly CpuPeriod: number;
  readonly CpuQuota: number;
  readonly CpusetCpus: string;
  readonly CpusetMems: string;
  readonly MemoryReservation: number;
  /** Memory plus swap; -1 is unlimited. */
  readonly MemorySwap: number;
  /** 0 or -1: unlimited. null: not set. */
  readonly PidsLimit: number | null;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** What this machine is asked to grant: limits, mounts, ports, walls. Zero and '' mean "not set", as in the API. */
export interface HostConfig extends Resources {
  /** `source:target[:options]` */
  readonly Binds: readonly string[] | null;
  readonly ContainerIDFile: string;
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  /** `bridge` (or default), `none`, `host`, `container:<id>`, or a network's name. */
  readonly NetworkMode: string;
  readonly PortBindings: PortMap;
  readonly RestartPolicy: { readonly Name: string; readonly MaximumRetryCount: number };
  readonly AutoRemove: boolean;
  readonly ConsoleSize: readonly [height: number, width: number];
  readonly Annotations?: Readonly<Record<string, string>>;
  readonly CapAdd: readonly string[] | null;
  readonly CapDrop: readonly string[] | null;
  /** '' (the default, private), `private` or `host`. */
  readonly CgroupnsMode: string;
  readonly Dns: readonly string[];
  readonly DnsOptions: readonly string[];
  readonly DnsSearch: readonly string[];
  /** `name:ip`; `host-gateway` stands for the bridge's address. */
  readonly ExtraHosts: readonly string[] | null;
  readonly GroupAdd: readonly string[] | null;
  readonly IpcMode: string;
  readonly OomScoreAdj: number;
  readonly PidMode: string;
  readonly Privileged: boolean;
  readonly PublishAllPorts: boolean;
  readonly ReadonlyRootfs: boolean;
  readonly SecurityOpt: readonly string[] | null;
  /** path -> mount options */
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly UTSMode: string;
  readonly ShmSize: number;
  readonly Sysctls?: Readonly<Record<string, string>>;
  readonly Init?: boolean;
  readonly Devices: readonly DeviceMapping[] | null;
  readonly Ulimits: readonly Ulimit[] | null;
  readonly Mounts?: readonly MountSpec[];
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
  readonly VolumeDriver?: string;
  /** `container[:ro|rw]` */
  readonly VolumesFrom?: readonly string[] | null;
  /** `container[:alias]` */
  readonly Links?: readonly string[] | null;
  readonly StorageOpt?: Readonly<Record<string, string>>;
  readonly UsernsMode?: string;
  readonly Runtime?: string;
  readonly Isolation?: string;
  readonly CgroupParent?: string;
  readonly Cgroup?: string;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly DeviceRequests?: readonly DeviceRequest[] | null;
  readonly MemorySwappiness?: number | null;
  readonly OomKillDisable?: boolean | null;
}
