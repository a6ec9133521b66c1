// A container's record -> its OCI configuration: Docker's defaults, limits and walls. Pure.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import { capabilityNames, containerCapabilities } from '../../plan/capabilities.ts';
import type { OciBlockIO } from '../../spec/oci/resources.ts';
import type {
  OciConfig,
  OciDevice,
  OciDeviceRule,
  OciMount,
  OciNamespace,
  OciProcess,
} from '../../spec/oci/runtime.ts';
import type { MachineFacts } from '../../sys/facts.ts';
import { argumentsOf, mergeEnv } from './merge.ts';
import { type ContainerRecord, groupPath } from './record.ts';
import { resourcesOf, standardDevices } from './resources.ts';
import { seccompOf } from './seccomp.ts';
import { hiddenPaths, labelsOf, securityOptions } from './security.ts';
import type { ResolvedUser } from './user.ts';

/** What was looked up for this start. */
export interface Lookup {
  readonly user: ResolvedUser;
  readonly files: { readonly hosts: string; readonly hostname: string; readonly resolvConf: string };
  /** --device, and all of the host's for --privileged. */
  readonly devices: readonly OciDevice[];
  readonly deviceRules: readonly OciDeviceRule[];
  readonly blockIO?: OciBlockIO;
  /** Variables that --link adds. */
  readonly linked?: readonly string[];
  /** /proc/<pid>/ns paths of other containers, for container:X modes. */
  readonly joined: Partial<Readonly<Record<OciNamespace['type'], string>>>;
}

export function ociConfig(record: ContainerRecord, lookup: Lookup, facts: MachineFacts): OciConfig {
  const { hostConfig: host, config } = record;
  const mask = containerCapabilities({
    privileged: host.Privileged,
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    host: facts.capabilities,
  });
  const seccomp = seccompOf(host, mask, facts);
  const hidden = hiddenPaths(host);
  return {
    ociVersion: '1.2.0',
    process: processOf(record, lookup, mask),
    root: { path: 'rootfs', readonly: host.ReadonlyRootfs },
    ...(host.UTSMode === 'host' ? {} : { hostname: config.Hostname }),
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    mounts: mountsOf(record, lookup, facts),
    annotations: host.Annotations ?? {},
    linux: {
      namespaces: namespacesOf(record, lookup, facts.cgroup.version),
      ...(record.idMaps ? { uidMappings: record.idMaps.uids, gidMappings: record.idMaps.gids } : {}),
      devices: [...standardDevices, ...lookup.devices],
      cgroupsPath: groupPath(record),
      resources: resourcesOf(record.hostConfig, lookup.deviceRules, facts, lookup.blockIO),
      sysctl: {
        ...(ownsNetwork(host) ? networkSysctls(record.idMaps?.gids[0]?.size ?? facts.userNamespace?.gids) : {}),
        ...host.Sysctls,
      },
      ...(seccomp ? { seccomp } : {}),
      maskedPaths: hidden.MaskedPaths,
      readonlyPaths: hidden.ReadonlyPaths,
      rootfsPropagation: 'rprivate',
    },
  };
}

export function ownsNetwork({ NetworkMode }: ContainerRecord['hostConfig']): boolean {
  return NetworkMode !== 'host' && !NetworkMode.startsWith('container:');
}

/** Docker's: in a network of its own, port 80 and ping need no privilege. */
const networkSysctls = (gids: number | undefined): Readonly<Record<string, string>> => ({
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': `0 ${gids === undefined ? 2147483647 : gids - 1}`,
});

function processOf({ config, hostConfig }: ContainerRecord, { user, linked = [] }: Lookup, mask: bigint): OciProcess {
  const env = environment(mergeEnv(linked, config.Env), {
    hostname: config.Hostname,
    tty: config.Tty,
    home: user.home,
  });
  return {
    terminal: config.Tty,
    ...consoleSizeOf(hostConfig.ConsoleSize),
    user,
    args: argumentsOf(config),
    env,
    cwd: config.WorkingDir || '/',
    capabilities: capabilitySets(mask, user.uid),
    rlimits: (hostConfig.Ulimits ?? []).map(({ Name, Soft, Hard }) => ({
      type: `RLIMIT_${Name.toUpperCase()}`,
      soft: Soft,
      hard: Hard,
    })),
    noNewPrivileges: securityOptions(hostConfig.SecurityOpt ?? []).noNewPrivileges,
    ...labelsOf(hostConfig),
    ...(hostConfig.OomScoreAdj ? { oomScoreAdj: hostConfig.OomScoreAdj } : {}),
  };
}

/** Docker's pair is height and width; zeros where the user has no terminal. */
export function consoleSizeOf(size: readonly [number, number] | undefined): Pick<OciProcess, 'consoleSize'> {
  return size && size[0] > 0 && size[1] > 0 ? { consoleSize: { height: size[0], width: size[1] } } : {};
}

/** The variables that every process finds, before what the image and the user say; HOME only where nobody said. */
export function environment(
  given: readonly string[],
  { hostname, tty, home }: { readonly hostname: string; readonly tty: boolean; readonly home: string },
): string[] {
  const base = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `HOSTNAME=${hostname}`,
    ...(tty ? ['TERM=xterm'] : []),
  ];
  const merged = mergeEnv(base, given);
  return merged.some((entry) => entry.startsWith('HOME=')) ? merged : [...merged, `HOME=${home}`];
}

/** A user that is not root has none of them in effect: they only bound what set-uid programs can get (as in Docker). */
export function capabilitySets(mask: bigint, uid: number): OciProcess['capabilities'] {
  const names = capabilityNames(mask);
  const effective = uid === 0 ? names : [];
  return { bounding: names, effective, permitted: effective, inheritable: [], ambient: [] };
}

function mountsOf(record: ContainerRecord, { files }: Lookup, facts: MachineFacts): OciMount[] {
  const { hostConfig: host } = record;
  const guarded = ['nosuid', 'noexec', 'nodev'];
  const writable = host.Privileged ? 'rw' : 'ro';
  const cgroups = securityOptions(host.SecurityOpt ?? []).writableCgroups ? 'rw' : writable;
  const bindFile = (source: string, destination: string): OciMount => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rprivate', ...(host.ReadonlyRootfs ? ['ro'] : []), ...(record.idMaps ? ['idmap'] : [])],
  });
  const own: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: guarded },
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
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...guarded, writable] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...guarded, cgroups] },
    ...(host.IpcMode === 'host'
      ? [
          ...(facts.pseudoFiles.has('/dev/mqueue')
            ? [{ destination: '/dev/mqueue', type: 'bind', source: '/dev/mqueue', options: ['rbind', ...guarded] }]
            : []),
          { destination: '/dev/shm', type: 'bind', source: '/dev/shm', options: ['rbind', ...guarded] },
        ]
      : [
          { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: guarded },
          ...(host.IpcMode === 'none'
            ? []
            : [
                {
                  destination: '/dev/shm',
                  type: 'tmpfs',
                  source: 'shm',
                  options: [...guarded, 'mode=1777', `size=${host.ShmSize || 67108864}`],
                },
              ]),
        ]),
  ];
  const etc = [
    bindFile(files.resolvConf, '/etc/resolv.conf'),
    bindFile(files.hostname, '/etc/hostname'),
    bindFile(files.hosts, '/etc/hosts'),
  ];
  const isVolume = (at: string): boolean =>
    record.mounts.some(({ Destination, Type }) => Destination === at && Type === 'volume');
  const binds = bindsOf(record).map((one) =>
    // a volume's files have the ids that containers see, whichever those are outside
    record.idMaps && isVolume(one.destination) ? { ...one, options: [...one.options, 'idmap'] } : one,
  );
  const asked = [...binds, ...tmpfsOf(record)];
  const destinations = new Set(asked.map(({ destination }) => destination));
  // Parents before what is mounted below them, whatever the order on the command line.
  const depth = ({ destination }: OciMount): number => destination.split('/').length;
  asked.sort((a, b) => depth(a) - depth(b));
  return [
    ...own.filter(({ destination }) => !destinations.has(destination)),
    ...asked.filter(({ destination }) => destination === '/etc'),
    ...etc.filter(({ destination }) => !destinations.has(destination)),
    ...asked.filter(({ destination }) => destination !== '/etc'),
  ];
}

/** Binds and volumes. */
export function bindsOf({ mounts, volumes = [], images = [], hostConfig }: ContainerRecord): OciMount[] {
  return mounts
    .filter(({ Type }) => Type !== 'tmpfs')
    .map(({ Destination, Source, Propagation, RW }) => {
      const options = hostConfig.Mounts?.find(({ Target }) => path.resolve('/', Target) === Destination)?.BindOptions;
      const subpath = [...volumes, ...images].find(({ destination }) => destination === Destination)?.subpath;
      const readonly = options?.ReadOnlyNonRecursive ? ['ro'] : ['ro', 'rro'];
      return {
        destination: Destination,
        type: 'bind',
        source: Source,
        options: [options?.NonRecursive ? 'bind' : 'rbind', Propagation || 'rprivate', ...(RW ? [] : readonly)],
        ...(subpath ? { subpath } : {}),
      };
    });
}

function tmpfsOf({ hostConfig }: ContainerRecord): OciMount[] {
  const guarded = ['nosuid', 'nodev', 'noexec'];
  const flags = Object.entries(hostConfig.Tmpfs ?? {}).map(([destination, options]) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...guarded, ...options.split(',').filter((option) => option !== '')],
  }));
  const mounts = (hostConfig.Mounts ?? [])
    .filter((mount) => mount.Type === 'tmpfs')
    .map((mount) => ({
      destination: mount.Target,
      type: 'tmpfs',
      source: 'tmpfs',
      options: [
        ...guarded,
        ...(mount.ReadOnly ? ['ro'] : []),
        ...(mount.TmpfsOptions?.SizeBytes ? [`size=${mount.TmpfsOptions.SizeBytes}`] : []),
        `mode=${(mount.TmpfsOptions?.Mode || 0o1777).toString(8)}`,
        ...(mount.TmpfsOptions?.Options ?? []).map((words) => words.join('=')),
      ],
    }));
  return [...flags, ...mounts];
}

/** Privileged programs on cgroup v1 look for the whole tree. */
export function cgroupNamespace(host: ContainerRecord['hostConfig'], cgroupVersion: 1 | 2): string {
  return host.CgroupnsMode || (host.Privileged && cgroupVersion === 1 ? 'host' : 'private');
}

function namespacesOf(
  { hostConfig: host, idMaps }: ContainerRecord,
  { joined }: Lookup,
  cgroupVersion: 1 | 2,
): OciNamespace[] {
  const all: OciNamespace[] = [{ type: 'mount' }, ...(idMaps ? [{ type: 'user' as const }] : [])];
  const add = (type: OciNamespace['type'], mode: string): void => {
    if (mode === 'host') return;
    const path = joined[type];
    if (mode.startsWith('container:') && path === undefined)
      fail('conflict', 'namespace.gone', `the container of ${type} mode ${mode} is not running`);
    all.push(mode.startsWith('container:') && path !== undefined ? { type, path } : { type });
  };
  add('pid', host.PidMode);
  add('network', host.NetworkMode);
  add('ipc', host.IpcMode);
  if (host.UTSMode !== 'host') all.push({ type: 'uts' });
  add('cgroup', cgroupNamespace(host, cgroupVersion));
  return all;
}
