// HostConfig as inspect shows it: complete, with what holds where nothing was asked. The record keeps what was asked.

import type { HostConfig } from '../../spec/docker/host-config.ts';
import { cgroupNamespace } from './oci.ts';
import { hiddenPaths } from './security.ts';

/** Only Windows has them. */
const windows = { CpuCount: 0, CpuPercent: 0, IOMaximumIOps: 0, IOMaximumBandwidth: 0 };

export function completeHostConfig(asked: HostConfig, cgroupVersion: 1 | 2): HostConfig {
  const { MaskedPaths, ReadonlyPaths } = hiddenPaths(asked);
  const hidden =
    asked.Privileged && MaskedPaths.length === 0
      ? { MaskedPaths: null, ReadonlyPaths: null }
      : { MaskedPaths, ReadonlyPaths };
  return {
    VolumeDriver: '',
    VolumesFrom: null,
    Cgroup: '',
    Links: null,
    UsernsMode: '',
    Runtime: 'hoist',
    Isolation: '',
    CgroupParent: '',
    BlkioWeight: 0,
    BlkioWeightDevice: null,
    BlkioDeviceReadBps: null,
    BlkioDeviceWriteBps: null,
    BlkioDeviceReadIOps: null,
    BlkioDeviceWriteIOps: null,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemorySwappiness: null,
    ...asked,
    ...hidden,
    ...windows,
    CgroupnsMode: cgroupNamespace(asked, cgroupVersion),
    IpcMode: asked.IpcMode || 'private',
    OomKillDisable: asked.OomKillDisable ?? false,
    ShmSize: asked.ShmSize || 64 * 2 ** 20,
    MemorySwap: asked.MemorySwap === 0 ? asked.Memory * 2 : asked.MemorySwap,
    RestartPolicy: { ...asked.RestartPolicy, Name: asked.RestartPolicy.Name || 'no' },
  };
}
