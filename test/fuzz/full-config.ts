// An OCI configuration that uses every member of the specification: what the fuzzer changes.

const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
const hook = [{ path: '/bin/hook', args: ['hook', 'x'], env: ['A=1'], timeout: 5 }];
const device = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 };

// biome-ignore format: a document
export const fullConfig = {
  ociVersion: '1.2.0',
  process: {
    terminal: true, consoleSize: { height: 24, width: 80 }, cwd: '/', args: ['sh', '-c', 'true'], env: ['PATH=/bin', 'A='],
    user: { uid: 1, gid: 2, umask: 18, additionalGids: [3, 4] },
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'], inheritable: [], ambient: [] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }], noNewPrivileges: true, oomScoreAdj: -5, apparmorProfile: 'p', selinuxLabel: 'l',
    scheduler: { policy: 'SCHED_OTHER', nice: 3, priority: 0, flags: ['SCHED_FLAG_RESET_ON_FORK'], runtime: 0, deadline: 0, period: 0 },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 }, execCPUAffinity: { initial: '0-1', final: '0' },
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'h', domainname: 'd',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/data', type: 'bind', source: '/srv', options: ['rbind', 'ro', 'rnoexec', 'rprivate', 'idmap'], uidMappings: map, gidMappings: map },
    { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['size=1k', 'tmpcopyup', 'strictatime'] },
  ],
  hooks: { prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook, poststart: hook, poststop: hook },
  annotations: { 'a.b': 'c' },
  linux: {
    namespaces: [
      { type: 'mount' }, { type: 'pid', path: '/proc/1/ns/pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'cgroup' },
      { type: 'user' }, { type: 'time' },
    ],
    uidMappings: map, gidMappings: map, timeOffsets: { monotonic: { secs: 5, nanosecs: 6 }, boottime: { secs: 1, nanosecs: 0 } },
    devices: [device], cgroupsPath: '/a/b', rootfsPropagation: 'rslave', mountLabel: 'm',
    resources: {
      devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 3, access: 'rw' }],
      memory: { limit: 1e8, reservation: 1e7, swap: 2e8, kernel: -1, kernelTCP: -1, swappiness: 10, disableOOMKiller: false, useHierarchy: true, checkBeforeUpdate: true },
      cpu: { shares: 512, quota: 50000, burst: 1000, period: 100000, realtimeRuntime: 1, realtimePeriod: 2, cpus: '0-1', mems: '0', idle: 0 },
      pids: { limit: 10 },
      blockIO: { weight: 100, leafWeight: 100, weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 10 }], throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 10 }] },
      hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }], network: { classID: 7, priorities: [{ name: 'eth0', priority: 5 }] },
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10 } }, unified: { 'memory.high': '1000' },
    },
    sysctl: { 'net.ipv4.ip_forward': '1' }, maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'],
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1, architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'], flags: ['SECCOMP_FILTER_FLAG_LOG'],
      listenerPath: '/run/l', listenerMetadata: 'm',
      syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW' }, { names: ['kill'], action: 'SCMP_ACT_NOTIFY' },
        { names: ['personality'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, args: [{ index: 0, value: 8, valueTwo: 3, op: 'SCMP_CMP_MASKED_EQ' }] },
      ],
    },
    personality: { domain: 'LINUX', flags: [] }, intelRdt: { closID: 'g', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=20' },
  },
};
