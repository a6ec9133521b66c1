// HostConfig -> OCI linux.resources and the standard devices. Pure.

import { fail } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { OciBlockIO } from '../../spec/oci/resources.ts';
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
export function resourcesOf(
  host: HostConfig,
  deviceRules: readonly OciDeviceRule[],
  facts: HostFacts,
  blockIO?: OciBlockIO,
): OciResources {
  const cpu = {
    ...(host.CpuShares ? { shares: host.CpuShares } : {}),
    ...(host.NanoCpus ? { period: 100000, quota: Math.round(host.NanoCpus / 10000) } : {}),
    ...(host.CpuPeriod ? { period: host.CpuPeriod } : {}),
    ...(host.CpuQuota ? { quota: host.CpuQuota } : {}),
    ...(host.CpuRealtimePeriod ? { realtimePeriod: host.CpuRealtimePeriod } : {}),
    ...(host.CpuRealtimeRuntime ? { realtimeRuntime: host.CpuRealtimeRuntime } : {}),
    ...(host.CpusetCpus ? { cpus: host.CpusetCpus } : {}),
    ...(host.CpusetMems ? { mems: host.CpusetMems } : {}),
  };
  // Docker: without a word on swap, as much swap as memory
  const swap = host.MemorySwap !== 0 ? host.MemorySwap : host.Memory > 0 ? host.Memory * 2 : 0;
  const memory = {
    ...(host.Memory ? { limit: host.Memory } : {}),
    ...(swap ? { swap } : {}),
    ...(host.MemoryReservation ? { reservation: host.MemoryReservation } : {}),
    // -1: not asked for
    ...((host.MemorySwappiness ?? -1) >= 0 ? { swappiness: host.MemorySwappiness ?? 0 } : {}),
    ...(host.OomKillDisable ? { disableOOMKiller: true } : {}),
  };
  return {
    devices: host.Privileged
      ? facts.cgroup.version === 1
        ? [{ allow: true, type: 'a', access: 'rwm' }]
        : []
      : [...standardRules, ...deviceRules, ...(host.DeviceCgroupRules ?? []).map(parseDeviceRule)],
    ...(Object.keys(memory).length > 0 ? { memory } : {}),
    ...(Object.keys(cpu).length > 0 ? { cpu } : {}),
    ...(host.PidsLimit ? { pids: { limit: host.PidsLimit } } : {}),
    ...(blockIO ? { blockIO } : {}),
  };
}

/** `c 1:3 mr`, `b *:* r`, `a *:* rwm`. Fails with `device.rule`. */
export function parseDeviceRule(text: string): OciDeviceRule {
  const match = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text);
  if (!match) return fail('invalid', 'device.rule', `invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access = ''] = match;
  return {
    allow: true,
    type: type as OciDeviceRule['type'],
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
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
