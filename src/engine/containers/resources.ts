// HostConfig -> OCI linux.resources and the standard devices. Pure.

import type { HostFacts } from '../../plan/facts.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { OciDevice, OciDeviceRule, OciResources } from '../../spec/oci/runtime.ts';

export const standardDevices: readonly OciDevice[] = (
  [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const
).map(([name, major, minor]) => ({ path: `/dev/${name}`, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 }));

/** Limits, and which devices may be used. */
export function resourcesOf(host: HostConfig, deviceRules: readonly OciDeviceRule[], facts: HostFacts): OciResources {
  const cpu = {
    ...(host.CpuShares ? { shares: host.CpuShares } : {}),
    ...(host.NanoCpus ? { period: 100000, quota: Math.round(host.NanoCpus / 10000) } : {}),
    ...(host.CpuPeriod ? { period: host.CpuPeriod } : {}),
    ...(host.CpuQuota ? { quota: host.CpuQuota } : {}),
    ...(host.CpusetCpus ? { cpus: host.CpusetCpus } : {}),
    ...(host.CpusetMems ? { mems: host.CpusetMems } : {}),
  };
  // Docker: without a word on swap, as much swap as memory
  const swap = host.MemorySwap !== 0 ? host.MemorySwap : host.Memory > 0 ? host.Memory * 2 : 0;
  const memory = {
    ...(host.Memory ? { limit: host.Memory } : {}),
    ...(swap ? { swap } : {}),
    ...(host.MemoryReservation ? { reservation: host.MemoryReservation } : {}),
  };
  return {
    devices: host.Privileged
      ? facts.cgroup.version === 1
        ? [{ allow: true, type: 'a', access: 'rwm' }]
        : []
      : [...standardRules, ...deviceRules],
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(host.PidsLimit ? { pids: { limit: host.PidsLimit } } : {}),
  };
}

/** Nothing but: making nodes, the standard devices, terminals. */
const standardRules: readonly OciDeviceRule[] = [
  { allow: false, type: 'a', access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...standardDevices.map(({ major, minor }) => ({ allow: true, type: 'c' as const, major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];
