// OCI linux.resources -> writes to the files of a container's control groups, v1 and v2: each limit is one write, and a
// limit that the machine cannot hold is a failure of its write, or refused before (unheldLimit); it is never dropped.

import type { Int, OciBlockIO, OciResources } from '../spec/oci/resources.ts';
import { deviceFilter } from './device-filter.ts';
import type { HostFacts } from './facts.ts';
import { k, type Op, op } from './ops.ts';

/** controller ('' on v2) -> directory of the container's group. */
export type GroupPaths = Readonly<Record<string, string>>;

/** Every limit of `resources` as a write to its file; also for a container that runs. */
export function limitOps(paths: GroupPaths, resources: OciResources, facts: HostFacts): Op[] {
  if (facts.cgroup.version === 1) return limitsV1(resources, paths, facts);
  return paths[''] === undefined ? [] : limitsV2(resources, paths['']);
}

/** Controllers of v1 that a container joins only where something is asked of them. */
export function askedControllers({ cpu, hugepageLimits, network, rdma }: OciResources): string[] {
  return [
    ...(cpu?.cpus || cpu?.mems ? ['cpuset'] : []), // an empty one takes no process
    ...(hugepageLimits?.length ? ['hugetlb'] : []),
    ...(network?.classID === undefined ? [] : ['net_cls']),
    ...(network?.priorities?.length ? ['net_prio'] : []),
    ...(rdma ? ['rdma'] : []),
  ];
}

export const put = (path: string, value: string | Int, why: string, allow?: number): Op =>
  op('writeFile', { dir: undefined, path, data: Buffer.from(String(value)), flags: k.O_WRONLY, mode: 0 }, why, allow);

type Limit = (controller: string, file: string, value: string | Int | undefined, why: string, allow?: number) => void;

function limitsV1(resources: OciResources, paths: GroupPaths, facts: HostFacts): Op[] {
  const ops: Op[] = [];
  const { memory, cpu, pids } = resources;
  const limit: Limit = (controller, file, value, why, allow) => {
    if (value !== undefined && paths[controller]) ops.push(put(`${paths[controller]}/${file}`, value, why, allow));
  };
  limit('memory', 'memory.limit_in_bytes', memory?.limit, '--memory');
  limit(
    'memory',
    'memory.memsw.limit_in_bytes',
    memory?.swap,
    '--memory-swap (a kernel without swap accounting has no such file)',
    k.ENOENT,
  );
  limit('memory', 'memory.soft_limit_in_bytes', memory?.reservation, '--memory-reservation');
  limit('memory', 'memory.kmem.tcp.limit_in_bytes', memory?.kernelTCP, 'OCI linux.resources.memory.kernelTCP');
  limit('memory', 'memory.swappiness', memory?.swappiness, '--memory-swappiness');
  if (memory?.disableOOMKiller) limit('memory', 'memory.oom_control', 1, '--oom-kill-disable');
  limit('cpu', 'cpu.shares', cpu?.shares || undefined, '--cpu-shares');
  limit('cpu', 'cpu.cfs_period_us', cpu?.period, '--cpus, --cpu-period');
  limit('cpu', 'cpu.cfs_quota_us', cpu?.quota, '--cpus, --cpu-quota');
  limit('cpu', 'cpu.cfs_burst_us', cpu?.burst, 'OCI linux.resources.cpu.burst');
  limit('cpu', 'cpu.idle', cpu?.idle, 'OCI linux.resources.cpu.idle');
  if (cpu?.realtimeRuntime !== undefined || cpu?.realtimePeriod !== undefined)
    ops.push(...realtimeOps(paths['cpu'] ?? '', facts.cgroup.mounts['cpu'] ?? ''));
  limit('cpu', 'cpu.rt_period_us', cpu?.realtimePeriod, '--cpu-rt-period');
  limit('cpu', 'cpu.rt_runtime_us', cpu?.realtimeRuntime, '--cpu-rt-runtime');
  limit('pids', 'pids.max', pids === undefined ? undefined : pids.limit <= 0 ? 'max' : pids.limit, '--pids-limit');
  if (paths['cpuset']) {
    limit('cpuset', 'cpuset.cpus', cpu?.cpus || `0-${facts.cpus - 1}`, '--cpuset-cpus');
    limit('cpuset', 'cpuset.mems', cpu?.mems || '0', '--cpuset-mems');
  }
  if (resources.blockIO) blockIoV1(resources.blockIO, limit);
  for (const { pageSize, limit: bytes } of resources.hugepageLimits ?? [])
    limit('hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, bytes, 'OCI linux.resources.hugepageLimits');
  limit('net_cls', 'net_cls.classid', resources.network?.classID, 'OCI linux.resources.network.classID');
  for (const { name, priority } of resources.network?.priorities ?? [])
    limit('net_prio', 'net_prio.ifpriomap', `${name} ${priority}`, 'OCI linux.resources.network.priorities');
  for (const line of rdmaLines(resources)) limit('rdma', 'rdma.max', line, 'OCI linux.resources.rdma');
  return [...ops, ...deviceRulesV1(resources, paths['devices'])];
}

function deviceRulesV1(resources: OciResources, group: string | undefined): Op[] {
  if (!group) return [];
  return resources.devices.map((rule) => {
    const number = (n: number | undefined): string => (n === undefined ? '*' : String(n));
    const text = rule.type === 'a' ? 'a' : `${rule.type} ${number(rule.major)}:${number(rule.minor)} ${rule.access}`;
    return put(`${group}/devices.${rule.allow ? 'allow' : 'deny'}`, text, 'OCI linux.resources.devices');
  });
}

/** A group has real-time at most as its parent has, and new groups have none: the way down is opened first. */
function realtimeOps(group: string, mount: string): Op[] {
  const parts = group.slice(mount.length + 1).split('/');
  return parts
    .slice(0, -1)
    .map((_, depth) =>
      put(
        `${mount}/${parts.slice(0, depth + 1).join('/')}/cpu.rt_runtime_us`,
        950000,
        "--cpu-rt-runtime: as much as the machine's own default, for all below",
      ),
    );
}

function blockIoV1(blockIO: OciBlockIO, limit: Limit): void {
  const put = (file: string, value: string | Int | undefined, why: string, allow?: number): void =>
    limit('blkio', `blkio.${file}`, value, why, allow);
  put('bfq.weight', blockIO.weight || undefined, '--blkio-weight');
  put('leaf_weight', blockIO.leafWeight || undefined, 'OCI linux.resources.blockIO.leafWeight');
  for (const { major, minor, weight, leafWeight } of blockIO.weightDevice ?? []) {
    if (weight) put('bfq.weight_device', `${major}:${minor} ${weight}`, '--blkio-weight-device');
    if (leafWeight) put('leaf_weight_device', `${major}:${minor} ${leafWeight}`, 'OCI linux.resources.blockIO');
  }
  for (const { list, v1, flag } of throttles(blockIO))
    for (const { major, minor, rate } of list) put(`throttle.${v1}_device`, `${major}:${minor} ${rate}`, flag);
}

function throttles(blockIO: OciBlockIO) {
  return [
    { list: blockIO.throttleReadBpsDevice ?? [], v1: 'read_bps', v2: 'rbps', flag: '--device-read-bps' },
    { list: blockIO.throttleWriteBpsDevice ?? [], v1: 'write_bps', v2: 'wbps', flag: '--device-write-bps' },
    { list: blockIO.throttleReadIOPSDevice ?? [], v1: 'read_iops', v2: 'riops', flag: '--device-read-iops' },
    { list: blockIO.throttleWriteIOPSDevice ?? [], v1: 'write_iops', v2: 'wiops', flag: '--device-write-iops' },
  ] as const;
}

function rdmaLines({ rdma }: OciResources): string[] {
  return Object.entries(rdma ?? {}).map(
    ([device, { hcaHandles = 'max', hcaObjects = 'max' }]) =>
      `${device} hca_handle=${hcaHandles} hca_object=${hcaObjects}`,
  );
}

function limitsV2(resources: OciResources, dir: string): Op[] {
  if (dir === '') return []; // no group is delegated to this user
  const { memory, cpu, pids } = resources;
  const ops: Op[] = [];
  const limit = (file: string, value: string | Int | undefined, why: string, allow?: number): void => {
    if (value !== undefined) ops.push(put(`${dir}/${file}`, value, why, allow));
  };
  const amount = (value: Int): string | Int => (value < 0 ? 'max' : value);
  if (memory?.limit !== undefined) limit('memory.max', amount(memory.limit), '--memory');
  if (memory?.swap !== undefined) {
    // v1 (and Docker) count memory and swap together, v2 swap alone
    limit(
      'memory.swap.max',
      memory.swap < 0 ? 'max' : Math.max(0, Number(memory.swap) - Number(memory.limit ?? 0)),
      '--memory-swap',
      k.ENOENT,
    );
  }
  limit('memory.low', memory?.reservation, '--memory-reservation');
  if (cpu?.shares) limit('cpu.weight', sharesToWeight(cpu.shares), `--cpu-shares ${cpu.shares}`);
  limit('cpu.idle', cpu?.idle, 'OCI linux.resources.cpu.idle');
  if (cpu?.quota !== undefined || cpu?.period !== undefined)
    limit(
      'cpu.max',
      `${cpu.quota && cpu.quota > 0 ? cpu.quota : 'max'} ${cpu.period ?? 100000}`,
      '--cpus, --cpu-quota, --cpu-period',
    );
  limit('cpu.max.burst', cpu?.burst, 'OCI linux.resources.cpu.burst');
  limit('cpuset.cpus', cpu?.cpus || undefined, '--cpuset-cpus');
  limit('cpuset.mems', cpu?.mems || undefined, '--cpuset-mems');
  if (pids !== undefined) limit('pids.max', pids.limit <= 0 ? 'max' : pids.limit, '--pids-limit');
  if (resources.blockIO) blockIoV2(resources.blockIO, limit);
  for (const { pageSize, limit: bytes } of resources.hugepageLimits ?? [])
    limit(`hugetlb.${pageSize}.max`, bytes, 'OCI linux.resources.hugepageLimits');
  for (const line of rdmaLines(resources)) limit('rdma.max', line, 'OCI linux.resources.rdma');
  for (const [file, text] of Object.entries(resources.unified ?? {}))
    limit(file, text, `OCI linux.resources.unified ${file}`);
  return [...ops, ...deviceRulesV2(resources, dir)];
}

function blockIoV2(
  blockIO: OciBlockIO,
  limit: (file: string, value: string | undefined, why: string, allow?: number) => void,
): void {
  // which of the two is there depends on the kernel's schedulers; unheldLimit refuses where neither is
  const weigh = (prefix: string, weight: number, why: string): void => {
    limit('io.bfq.weight', `${prefix}${weight}`, why, k.ENOENT);
    limit('io.weight', `${prefix}${blockWeight(weight)}`, why, k.ENOENT);
  };
  if (blockIO.weight) weigh('', blockIO.weight, '--blkio-weight');
  for (const { major, minor, weight } of blockIO.weightDevice ?? [])
    if (weight) weigh(`${major}:${minor} `, weight, '--blkio-weight-device');
  for (const { list, v2, flag } of throttles(blockIO))
    for (const { major, minor, rate } of list)
      limit('io.max', `${major}:${minor} ${v2}=${Number(rate) === 0 ? 'max' : rate}`, flag);
}

function deviceRulesV2(resources: OciResources, dir: string): Op[] {
  if (resources.devices.length === 0) return [];
  return [
    op(
      'open',
      { dir: undefined, path: dir, flags: k.O_RDONLY, mode: 0, resolve: 0, out: 'cgroup' },
      'the cgroup, for its device program',
    ),
    op(
      'deviceFilter',
      { cgroup: 'cgroup', program: deviceFilter(resources.devices) },
      'OCI linux.resources.devices: v2 has no file for it, a BPF program decides',
    ),
    op('close', { slot: 'cgroup' }, 'used up'),
  ];
}

/** The kernel's own mapping of 2…262144 shares to 1…10000 weight, as the OCI runtimes do it: a straight line. */
export function sharesToWeight(shares: number): number {
  return Math.floor(1 + ((Math.min(Math.max(shares, 2), 262144) - 2) * 9999) / 262142);
}

/** 10…1000 of the API to 1…10000 of io.weight, a straight line. */
function blockWeight(weight: number): number {
  return Math.floor(1 + ((weight - 10) * 9999) / 990);
}

/** A limit as the flag that asks for it, and what must be there for it: one of `files` in a group of the controller. */
export interface Needed {
  readonly flag: string;
  readonly controller: string;
  readonly files: readonly string[];
}

/** What `resources` asks for beyond what every machine with the controller has. Empty `files`: no machine of that version. */
export function neededFiles(
  { memory, cpu, blockIO, network, unified, ...rest }: OciResources,
  version: 1 | 2,
): Needed[] {
  const v1 = version === 1;
  const needed: Needed[] = [];
  const need = (asked: unknown, flag: string, controller: string, files: readonly string[]): void => {
    if (asked) needed.push({ flag, controller, files });
  };
  const weights = v1 ? ['blkio.bfq.weight'] : ['io.bfq.weight', 'io.weight'];
  const io = v1 ? 'blkio' : 'io';
  need(blockIO?.weight, '--blkio-weight', io, weights);
  need(blockIO?.weightDevice?.length, '--blkio-weight-device', io, v1 ? ['blkio.bfq.weight_device'] : weights);
  need(blockIO?.leafWeight, 'blockIO.leafWeight', io, v1 ? ['blkio.leaf_weight'] : []);
  for (const { list, v1: file, flag } of throttles(blockIO ?? {}))
    need(list.length, flag, io, v1 ? [`blkio.throttle.${file}_device`] : ['io.max']);
  need(memory?.swappiness !== undefined, '--memory-swappiness', 'memory', v1 ? ['memory.swappiness'] : []);
  need(memory?.disableOOMKiller, '--oom-kill-disable', 'memory', v1 ? ['memory.oom_control'] : []);
  need(cpu?.realtimeRuntime, '--cpu-rt-runtime', 'cpu', v1 ? ['cpu.rt_runtime_us'] : []);
  need(cpu?.realtimePeriod, '--cpu-rt-period', 'cpu', v1 ? ['cpu.rt_period_us'] : []);
  need(cpu?.burst !== undefined, 'cpu.burst', 'cpu', [v1 ? 'cpu.cfs_burst_us' : 'cpu.max.burst']);
  need(cpu?.idle !== undefined, 'cpu.idle', 'cpu', ['cpu.idle']);
  for (const { pageSize } of rest.hugepageLimits ?? [])
    need(true, `a limit of huge pages of ${pageSize}`, 'hugetlb', [
      v1 ? `hugetlb.${pageSize}.limit_in_bytes` : `hugetlb.${pageSize}.max`,
    ]);
  need(network?.classID !== undefined, 'network.classID', 'net_cls', v1 ? ['net_cls.classid'] : []);
  need(network?.priorities?.length, 'network.priorities', 'net_prio', v1 ? ['net_prio.ifpriomap'] : []);
  need(rest.rdma, 'a limit of rdma', 'rdma', ['rdma.max']);
  need(unified && v1, 'unified', 'cgroup v2', []);
  return needed;
}
