// What `spec` and `features` print: a configuration to start from, and what this runtime can do.

import { hoistVersion } from '../../base/version.ts';
import { capabilityNames } from '../../plan/capabilities.ts';
import { hookPoints } from '../../spec/oci/runtime.ts';

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'];

export const runtimeSpecVersion = '1.2.0';

/** config.json as `runc spec` has it, so that people and scripts find what they know. */
export function specDocument(rootless: { readonly uid: number; readonly gid: number } | undefined): unknown {
  const mounts = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(rootless ? [] : ['gid=5'])],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    rootless
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ...(rootless
      ? []
      : [
          {
            destination: '/sys/fs/cgroup',
            type: 'cgroup',
            source: 'cgroup',
            options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
          },
        ]),
  ];
  const own = namespaces.filter((type) => !rootless || type !== 'network');
  return {
    ociVersion: runtimeSpecVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'hoist',
    mounts,
    linux: {
      ...(rootless
        ? {
            uidMappings: [{ containerID: 0, hostID: rootless.uid, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: rootless.gid, size: 1 }],
          }
        : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: [...own, ...(rootless ? ['user'] : [])].map((type) => ({ type })),
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

const seccompFeatures = {
  enabled: true,
  actions: [
    'SCMP_ACT_ALLOW',
    'SCMP_ACT_ERRNO',
    'SCMP_ACT_KILL',
    'SCMP_ACT_KILL_PROCESS',
    'SCMP_ACT_KILL_THREAD',
    'SCMP_ACT_LOG',
    'SCMP_ACT_TRACE',
    'SCMP_ACT_TRAP',
  ],
  operators: [
    'SCMP_CMP_EQ',
    'SCMP_CMP_GE',
    'SCMP_CMP_GT',
    'SCMP_CMP_LE',
    'SCMP_CMP_LT',
    'SCMP_CMP_MASKED_EQ',
    'SCMP_CMP_NE',
  ],
  archs: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM', 'SCMP_ARCH_X32', 'SCMP_ARCH_X86', 'SCMP_ARCH_X86_64'],
};

/** runtime-spec, features.md */
export function featuresDocument(): unknown {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: runtimeSpecVersion,
    hooks: hookPoints,
    mountOptions: [
      'async',
      'atime',
      'bind',
      'defaults',
      'dev',
      'exec',
      'noatime',
      'nodev',
      'nodiratime',
      'noexec',
      'nosuid',
      'private',
      'rbind',
      'relatime',
      'ro',
      'rprivate',
      'rro',
      'rshared',
      'rslave',
      'runbindable',
      'rw',
      'shared',
      'slave',
      'strictatime',
      'suid',
      'unbindable',
    ],
    linux: {
      namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'user', 'uts'],
      capabilities: capabilityNames((1n << 41n) - 1n),
      cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: false },
      seccomp: seccompFeatures,
      apparmor: { enabled: false },
      selinux: { enabled: false },
      intelRdt: { enabled: false },
    },
    annotations: { 'io.hoist.version': hoistVersion },
    potentiallyUnsafeConfigAnnotations: [],
  };
}
