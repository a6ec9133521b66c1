// HostConfig: what a container asks of the machine.

import { fail } from '../../base/errors.ts';
import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  MountSpec,
  PortBinding,
  PortMap,
  Resources,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from '../../spec/docker/host-config.ts';
import {
  consoleSize,
  flag,
  list,
  map,
  nullable,
  object,
  optional,
  type Reader,
  text,
  textMap,
  texts,
  whole,
  words,
} from './read.ts';

const throttles = nullable(list(object<ThrottleDevice>({ Path: text, Rate: whole })));

const resources = {
  CpuShares: whole,
  Memory: whole,
  NanoCpus: whole,
  CpuPeriod: whole,
  CpuQuota: whole,
  CpusetCpus: text,
  CpusetMems: text,
  MemoryReservation: whole,
  MemorySwap: whole,
  PidsLimit: nullable(whole),
  BlkioWeight: optional(whole),
  BlkioWeightDevice: optional(nullable(list(object<WeightDevice>({ Path: text, Weight: whole })))),
  BlkioDeviceReadBps: optional(throttles),
  BlkioDeviceWriteBps: optional(throttles),
  BlkioDeviceReadIOps: optional(throttles),
  BlkioDeviceWriteIOps: optional(throttles),
  CpuRealtimePeriod: optional(whole),
  CpuRealtimeRuntime: optional(whole),
} satisfies { readonly [K in keyof Resources]-?: Reader<unknown> };

/** What update may change. */
export const resourceNames = Object.keys(resources) as readonly (keyof Resources)[];

export function readResource(name: keyof Resources, value: unknown): unknown {
  return resources[name](value, name);
}

type BindOptions = NonNullable<MountSpec['BindOptions']>;
type VolumeOptions = NonNullable<MountSpec['VolumeOptions']>;
type DriverConfig = NonNullable<VolumeOptions['DriverConfig']>;
type TmpfsOptions = NonNullable<MountSpec['TmpfsOptions']>;

const mountTypes = ['bind', 'volume', 'tmpfs', 'image'] as const;
const mountType: Reader<MountSpec['Type']> = (value, at) => {
  const name = text(value, at);
  return (
    mountTypes.find((type) => type === name) ??
    fail('invalid', 'mount.type', `invalid mount config: mount type unknown: "${name}"`)
  );
};

export const readMount: Reader<MountSpec> = object<MountSpec>({
  Type: mountType,
  Source: optional(text),
  Target: text,
  ReadOnly: optional(flag),
  Consistency: optional(text),
  BindOptions: optional(
    object<BindOptions>({
      Propagation: optional(text),
      NonRecursive: optional(flag),
      CreateMountpoint: optional(flag),
      ReadOnlyNonRecursive: optional(flag),
      ReadOnlyForceRecursive: optional(flag),
    }),
  ),
  VolumeOptions: optional(
    object<VolumeOptions>({
      NoCopy: optional(flag),
      Labels: optional(textMap),
      DriverConfig: optional(object<DriverConfig>({ Name: optional(text), Options: optional(textMap) })),
      Subpath: optional(text),
    }),
  ),
  ImageOptions: optional(object<NonNullable<MountSpec['ImageOptions']>>({ Subpath: optional(text) })),
  TmpfsOptions: optional(
    object<TmpfsOptions>({ SizeBytes: optional(whole), Mode: optional(whole), Options: optional(list(texts)) }),
  ),
});

const bindings: Reader<readonly PortBinding[]> = list(object<PortBinding>({ HostIp: text, HostPort: text }));

const portMap: Reader<PortMap> = map(nullable(bindings));

const logConfig: Reader<HostConfig['LogConfig']> = object<HostConfig['LogConfig']>({ Type: text, Config: textMap });

export const readHostConfig: Reader<HostConfig> = object<HostConfig>({
  ...resources,
  Binds: nullable(texts),
  ContainerIDFile: text,
  LogConfig: logConfig,
  NetworkMode: text,
  PortBindings: portMap,
  RestartPolicy: object<HostConfig['RestartPolicy']>({ Name: text, MaximumRetryCount: whole }),
  AutoRemove: flag,
  ConsoleSize: consoleSize,
  Annotations: optional(textMap),
  CapAdd: nullable(words),
  CapDrop: nullable(words),
  CgroupnsMode: text,
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: nullable(texts),
  GroupAdd: nullable(texts),
  IpcMode: text,
  OomScoreAdj: whole,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: nullable(texts),
  Tmpfs: optional(textMap),
  UTSMode: text,
  ShmSize: whole,
  Sysctls: optional(textMap),
  Init: optional(flag),
  Devices: nullable(list(object<DeviceMapping>({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text }))),
  Ulimits: nullable(list(object<Ulimit>({ Name: text, Soft: whole, Hard: whole }))),
  Mounts: optional(list(readMount)),
  MaskedPaths: optional(nullable(texts)),
  ReadonlyPaths: optional(nullable(texts)),
  VolumeDriver: optional(text),
  VolumesFrom: nullable(texts),
  Links: nullable(texts),
  StorageOpt: optional(textMap),
  UsernsMode: optional(text),
  Runtime: optional(text),
  Isolation: optional(text),
  CgroupParent: optional(text),
  Cgroup: optional(text),
  DeviceCgroupRules: nullable(texts),
  DeviceRequests: nullable(
    list(
      object<DeviceRequest>({
        Driver: text,
        Count: whole,
        DeviceIDs: nullable(texts),
        Capabilities: nullable(list(texts)),
        Options: nullable(textMap),
      }),
    ),
  ),
  MemorySwappiness: nullable(whole),
  OomKillDisable: nullable(flag),
});
