// `linux.resources` and `linux.devices` of an OCI configuration (runtime-spec 1.2, config-linux.md), checked.

import {
  absolutePath,
  boolean,
  entries,
  i64,
  integer,
  isMissing,
  list,
  maybe,
  member,
  number,
  oneOf,
  type Place,
  quote,
  refuse,
  string,
  u32,
  u64,
  word,
} from './config-read.ts';
import type { OciBlockIO, OciCpu, OciMemory, OciResources, OciThrottleDevice, OciWeightDevice } from './resources.ts';
import type { OciDevice, OciDeviceRule } from './runtime.ts';

export function readResources(place: Place): OciResources {
  if (isMissing(place)) return { devices: [] };
  return {
    devices: list(member(place, 'devices')).map(readDeviceRule),
    ...maybe(place, 'memory', readMemory),
    ...maybe(place, 'cpu', readCpu),
    ...maybe(place, 'pids', (at) => ({ limit: i64(member(at, 'limit')) })),
    ...maybe(place, 'blockIO', readBlockIO),
    ...maybe(place, 'hugepageLimits', (at) =>
      list(at).map((entry) => ({
        pageSize: readPageSize(member(entry, 'pageSize')),
        limit: u64(member(entry, 'limit')),
      })),
    ),
    ...maybe(place, 'network', (at) => ({
      ...maybe(at, 'classID', u32),
      ...maybe(at, 'priorities', (all) =>
        list(all).map((entry) => ({ name: word(member(entry, 'name')), priority: u32(member(entry, 'priority')) })),
      ),
    })),
    ...maybe(place, 'rdma', (at) =>
      Object.fromEntries(
        entries(at).map(([name, limits]) => {
          const both = { ...maybe(limits, 'hcaHandles', u32), ...maybe(limits, 'hcaObjects', u32) };
          if (Object.keys(both).length === 0) refuse(limits.path, 'must have hcaHandles or hcaObjects');
          return [name, both];
        }),
      ),
    ),
    ...maybe(place, 'unified', readUnified),
  };
}

function readMemory(place: Place): OciMemory {
  return {
    ...maybe(place, 'limit', i64),
    ...maybe(place, 'reservation', i64),
    ...maybe(place, 'swap', i64),
    ...maybe(place, 'kernel', i64),
    ...maybe(place, 'kernelTCP', i64),
    ...maybe(place, 'swappiness', (at) => number(at, 0, 100)),
    ...maybe(place, 'disableOOMKiller', boolean),
    ...maybe(place, 'useHierarchy', boolean),
    ...maybe(place, 'checkBeforeUpdate', boolean),
  };
}

function readCpu(place: Place): OciCpu {
  const { cpus, mems } = { ...maybe(place, 'cpus', string), ...maybe(place, 'mems', string) };
  return {
    ...maybe(place, 'shares', (at) => number(at, 0, Number.MAX_SAFE_INTEGER)),
    ...maybe(place, 'quota', i64),
    ...maybe(place, 'burst', u64),
    ...maybe(place, 'period', u64),
    ...maybe(place, 'realtimeRuntime', i64),
    ...maybe(place, 'realtimePeriod', u64),
    ...(cpus ? { cpus } : {}),
    ...(mems ? { mems } : {}),
    ...maybe(place, 'idle', (at) => number(at, 0, 1)),
  };
}

function readBlockIO(place: Place): OciBlockIO {
  // 0 is what Go writes for "not set"
  const weight = (at: Place): number => (at.value === 0 ? 0 : number(at, 10, 1000));
  const node = (at: Place): { major: number; minor: number } => ({
    major: number(member(at, 'major'), 0, 0xfff),
    minor: number(member(at, 'minor'), 0, 0xfffff),
  });
  const weights = (at: Place): OciWeightDevice[] =>
    list(at).map((one) => {
      const both = { ...maybe(one, 'weight', weight), ...maybe(one, 'leafWeight', weight) };
      if (Object.keys(both).length === 0) refuse(one.path, 'must have weight or leafWeight');
      return { ...node(one), ...both };
    });
  const throttles = (at: Place): OciThrottleDevice[] =>
    list(at).map((one) => ({ ...node(one), rate: u64(member(one, 'rate')) }));
  return {
    ...maybe(place, 'weight', weight),
    ...maybe(place, 'leafWeight', weight),
    ...maybe(place, 'weightDevice', weights),
    ...maybe(place, 'throttleReadBpsDevice', throttles),
    ...maybe(place, 'throttleWriteBpsDevice', throttles),
    ...maybe(place, 'throttleReadIOPSDevice', throttles),
    ...maybe(place, 'throttleWriteIOPSDevice', throttles),
  };
}

function readPageSize(place: Place): string {
  return /^[1-9]\d*[KMG]B$/.test(string(place))
    ? string(place)
    : refuse(place.path, `must be a size like 64KB, 2MB or 1GB, not ${quote(string(place))}`);
}

/** File names of the container's own group: no way out of it. */
function readUnified(place: Place): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries(place).map(([name, text]) => {
      if (!/^[a-z0-9_]+(\.[A-Za-z0-9_]+)+$/.test(name)) refuse(text.path, `${quote(name)} is no file of a cgroup`);
      return [name, string(text)];
    }),
  );
}

function readDeviceRule(place: Place): OciDeviceRule {
  const any = (at: Place): number | undefined => {
    const value = Number(integer(at, -1, 0xffffffff));
    return value < 0 ? undefined : value;
  };
  const {
    type = 'a',
    major,
    minor,
    access,
  } = {
    ...maybe(place, 'type', (at) => (at.value === '' ? 'a' : oneOf(at, ['a', 'b', 'c'] as const, 'type of device'))),
    ...maybe(place, 'major', any),
    ...maybe(place, 'minor', any),
    ...maybe(place, 'access', (at) =>
      /^[rwm]{0,3}$/.test(string(at))
        ? string(at)
        : refuse(at.path, `must be made of r, w and m, not ${quote(string(at))}`),
    ),
  };
  return {
    allow: boolean(member(place, 'allow')),
    type,
    ...(major === undefined ? {} : { major }),
    ...(minor === undefined ? {} : { minor }),
    access: access || 'rwm',
  };
}

export function readDevice(place: Place): OciDevice {
  const type = oneOf(member(place, 'type'), ['c', 'b', 'u', 'p'] as const, 'type of device');
  const part = (name: string, max: number): number => {
    const at = member(place, name);
    if (type === 'p' && isMissing(at)) return 0;
    return number(at, 0, max);
  };
  return {
    path: absolutePath(member(place, 'path')),
    type: type === 'u' ? 'c' : type,
    major: part('major', 0xfff),
    minor: part('minor', 0xfffff),
    fileMode: (maybe(place, 'fileMode', u32).fileMode ?? 0o666) & 0o7777,
    uid: maybe(place, 'uid', u32).uid ?? 0,
    gid: maybe(place, 'gid', u32).gid ?? 0,
  };
}
