// `linux.resources` of an OCI configuration (runtime-spec 1.2, config-linux.md): what control groups hold.

/** A whole number; a bigint where it does not fit in a double. */
export type Int = number | bigint;

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type: 'a' | 'b' | 'c';
  /** undefined: any. */
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface OciMemory {
  /** Bytes; -1 is no limit. */
  readonly limit?: Int;
  readonly reservation?: Int;
  /** Memory and swap together. */
  readonly swap?: Int;
  readonly kernel?: Int;
  readonly kernelTCP?: Int;
  /** 0 to 100. */
  readonly swappiness?: number;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  /** A limit below what is used already is refused, where the kernel would kill for it. */
  readonly checkBeforeUpdate?: boolean;
}

export interface OciCpu {
  readonly shares?: number;
  /** Microseconds in each period; -1 is no limit. */
  readonly quota?: Int;
  readonly burst?: Int;
  readonly period?: Int;
  readonly realtimeRuntime?: Int;
  readonly realtimePeriod?: Int;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: number;
}

export interface OciWeightDevice {
  readonly major: number;
  readonly minor: number;
  readonly weight?: number;
  readonly leafWeight?: number;
}

export interface OciThrottleDevice {
  readonly major: number;
  readonly minor: number;
  readonly rate: Int;
}

export interface OciBlockIO {
  readonly weight?: number;
  readonly leafWeight?: number;
  readonly weightDevice?: readonly OciWeightDevice[];
  readonly throttleReadBpsDevice?: readonly OciThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly OciThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly OciThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly OciThrottleDevice[];
}

export interface OciResources {
  readonly devices: readonly OciDeviceRule[];
  readonly memory?: OciMemory;
  readonly cpu?: OciCpu;
  readonly pids?: { readonly limit: Int };
  readonly blockIO?: OciBlockIO;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Int }[];
  readonly network?: {
    readonly classID?: number;
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
  };
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>;
  /** v2: file name -> text. */
  readonly unified?: Readonly<Record<string, string>>;
}
