// Networks, disk usage, events and counters of a small world, for the fake engine and for the real Docker client alike.

import type { NetworkInspect } from '../../spec/docker/network.ts';
import type { ContainerStats, DiskUsage, EventMessage } from '../../spec/docker/system.ts';
import { id64 } from './engine.ts';

const network = (Name: string, id: string, more: Partial<NetworkInspect>): NetworkInspect => ({
  Name,
  Id: id64(id),
  Created: '2025-01-02T03:04:05.678Z',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv4: true,
  EnableIPv6: false,
  IPAM: { Driver: 'default', Options: null, Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
  Internal: false,
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
  ...more,
});

export const networks: readonly NetworkInspect[] = [
  network('net10', 'a', { Labels: { 'com.example.role': 'front' }, Internal: true }),
  network('net9', 'b', { Driver: 'macvlan', EnableIPv6: true, Created: '2025-01-02T03:04:05+02:00' }),
  network('bridge', 'c', { Options: { 'com.docker.network.bridge.name': 'hoist0' } }),
];

export function usage(now: number): DiskUsage {
  const image = {
    ParentId: '',
    RepoDigests: [],
    Created: now - 90_000,
    Labels: null,
  };
  const container = {
    Image: 'nginx:1.27',
    ImageID: `sha256:${id64('1')}`,
    Created: now - 400,
    Ports: [],
    Labels: {},
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: {} },
  };
  const volume = {
    Driver: 'local',
    Mountpoint: '/x',
    CreatedAt: '2025-01-01T00:00:00Z',
    Scope: 'local',
    Options: null,
  };
  return {
    LayersSize: 123_456_789,
    Images: [
      {
        ...image,
        Id: `sha256:${id64('1')}`,
        RepoTags: ['nginx:1.27'],
        Size: 100_000_000,
        SharedSize: 40_000_000,
        Containers: 2,
      },
      { ...image, Id: `sha256:${id64('2')}`, RepoTags: [], Size: 50_000_000, SharedSize: 0, Containers: 0 },
    ],
    Containers: [
      {
        ...container,
        Id: id64('a'),
        Names: ['/web'],
        Command: 'sh -c "sleep 100000000"',
        State: 'running',
        Status: 'Up 3 hours',
        SizeRw: 1234,
        SizeRootFs: 0,
        Mounts: [
          {
            Type: 'volume',
            Name: 'v1',
            Driver: 'local',
            Source: '',
            Destination: '/d',
            Mode: '',
            RW: true,
            Propagation: '',
          },
        ],
      },
      {
        ...container,
        Id: id64('b'),
        Names: ['/old'],
        Command: 'true',
        State: 'exited',
        Status: 'Exited (0) 1 hour ago',
        SizeRw: 5678,
        Mounts: [],
      },
    ],
    Volumes: [
      { ...volume, Scope: 'local', Name: 'v1', Labels: { a: 'b' }, UsageData: { Size: 4096, RefCount: 1 } },
      { ...volume, Scope: 'local', Name: 'v2', Labels: null, UsageData: { Size: 10, RefCount: 0 } },
    ],
    BuildCache: [],
  };
}

export const events: readonly EventMessage[] = [
  {
    status: 'create',
    id: id64('a'),
    from: 'nginx',
    Type: 'container',
    Action: 'create',
    Actor: { ID: id64('a'), Attributes: { image: 'nginx', name: 'web', b: '<2>' } },
    scope: 'local',
    time: 1_700_000_000,
    timeNano: 1_700_000_000_000_000_000,
  },
  {
    Type: 'network',
    Action: 'connect',
    Actor: { ID: id64('c'), Attributes: {} },
    scope: 'local',
    time: 1_700_000_001,
    timeNano: 1_700_000_001_500_000_000,
  },
];

export const stats: ContainerStats = {
  id: id64('a'),
  name: '/web',
  os_type: 'linux',
  read: '2025-01-01T00:00:01Z',
  preread: '2025-01-01T00:00:00Z',
  cpu_stats: {
    cpu_usage: { total_usage: 2e9, usage_in_kernelmode: 1, usage_in_usermode: 1 },
    system_cpu_usage: 20e9,
    online_cpus: 2,
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  },
  precpu_stats: {
    cpu_usage: { total_usage: 1e9, usage_in_kernelmode: 1, usage_in_usermode: 1 },
    system_cpu_usage: 16e9,
    online_cpus: 2,
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  },
  memory_stats: { usage: 104_857_600, limit: 2_147_483_648, stats: { inactive_file: 4_857_600 } },
  pids_stats: { current: 7 },
  blkio_stats: {
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'read', value: 1_234_567 },
      { major: 8, minor: 0, op: 'write', value: 7_654_321 },
      { major: 8, minor: 16, op: 'Read', value: 3 },
    ],
  },
  num_procs: 0,
  storage_stats: {},
  networks: {
    eth0: {
      rx_bytes: 1000,
      rx_packets: 1,
      rx_errors: 0,
      rx_dropped: 0,
      tx_bytes: 2_500_000,
      tx_packets: 1,
      tx_errors: 0,
      tx_dropped: 0,
    },
  },
};
