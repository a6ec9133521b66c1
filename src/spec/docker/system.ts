// Docker's Engine API documents for events, statistics, disk usage and registries (API 1.51).

import type { ContainerSummary } from './container.ts';
import type { ImageSummary } from './image.ts';
import type { Volume } from './volume.ts';

export type EventType = 'builder' | 'container' | 'daemon' | 'image' | 'network' | 'plugin' | 'volume';

/** One line of `GET /events`. */
export interface EventMessage {
  readonly Type: EventType;
  /** `create`, `start`, `exec_create: sh -c true`, `health_status: healthy`… */
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Unix seconds. */
  readonly time: number;
  /** Unix nanoseconds: more than a double holds exactly, as in Docker's own JSON. */
  readonly timeNano: number;
  /** Of containers and images, for clients of API 1.21 and older. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
}

interface CpuStats {
  readonly cpu_usage: {
    /** Nanoseconds. */
    readonly total_usage: number;
    readonly percpu_usage?: readonly number[];
    readonly usage_in_kernelmode: number;
    readonly usage_in_usermode: number;
  };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
  readonly throttling_data: {
    readonly periods: number;
    readonly throttled_periods: number;
    readonly throttled_time: number;
  };
}

export interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

export interface NetworkStats {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

/** One line of `GET /containers/{id}/stats`. */
export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  readonly os_type: 'linux';
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: {
    readonly usage?: number;
    readonly max_usage?: number;
    readonly stats?: Readonly<Record<string, number>>;
    readonly limit?: number;
    readonly failcnt?: number;
  };
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly blkio_stats: Readonly<Record<string, readonly BlkioEntry[] | null>>;
  readonly num_procs: 0;
  readonly storage_stats: Record<string, never>;
  readonly networks?: Readonly<Record<string, NetworkStats>>;
}

/** `GET /system/df` */
export interface DiskUsage {
  /** Bytes of all layers, each counted once. */
  readonly LayersSize: number;
  readonly Images: readonly ImageSummary[] | null;
  readonly Containers: readonly ContainerSummary[] | null;
  readonly Volumes: readonly Volume[] | null;
  readonly BuildCache: readonly never[] | null;
}

/** The body of `POST /auth`, and the header X-Registry-Auth. Never logged, never shown. */
export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly serveraddress?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** `GET /distribution/{name}/json` */
export interface DistributionInspect {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant?: string;
    readonly 'os.version'?: string;
  }[];
}

/** One row of `GET /images/search`. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

/** One row of `GET /images/{name}/history`. */
export interface HistoryRow {
  readonly Id: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}
