// The limits that `run`, `create` and `update` share: flags to the numbers of the API.

import type { HostConfig, Resources } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import { parseBytes, parseCpus, parseInt64 } from '../values.ts';
import { memorySwap } from './limits.ts';

type Limits = Pick<
  Resources & HostConfig,
  | 'CpuShares'
  | 'Memory'
  | 'NanoCpus'
  | 'BlkioWeight'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'PidsLimit'
>;

export function limits(flags: FlagValues): Limits {
  return {
    CpuShares: int(flags, 'cpu-shares'),
    Memory: bytes(flags, 'memory'),
    NanoCpus: flags.has('cpus') ? parseCpus(flags.string('cpus')) : 0,
    BlkioWeight: int(flags, 'blkio-weight'),
    CpuPeriod: int(flags, 'cpu-period'),
    CpuQuota: int(flags, 'cpu-quota'),
    CpuRealtimePeriod: int(flags, 'cpu-rt-period'),
    CpuRealtimeRuntime: int(flags, 'cpu-rt-runtime'),
    CpusetCpus: flags.string('cpuset-cpus'),
    CpusetMems: flags.string('cpuset-mems'),
    MemoryReservation: bytes(flags, 'memory-reservation'),
    MemorySwap: memorySwap(flags.string('memory-swap')),
    PidsLimit: flags.has('pids-limit') ? int(flags, 'pids-limit') : null,
  };
}

export function int(flags: FlagValues, name: string): number {
  const text = flags.string(name);
  return text === '' ? 0 : parseInt64(text);
}

export function bytes(flags: FlagValues, name: string): number {
  const text = flags.string(name);
  return text === '' ? 0 : parseBytes(text);
}
