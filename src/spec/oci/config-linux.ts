// `linux` of an OCI configuration (runtime-spec 1.2, config-linux.md), checked.

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
  strings,
  u32,
  u64,
  word,
} from './config-read.ts';
import { readDevice, readResources } from './config-resources.ts';
import type { NamespaceType, OciIdMapping, OciIntelRdt, OciLinux, OciNamespace } from './runtime.ts';
import {
  type SeccompArg,
  type SeccompProfile,
  type SeccompRule,
  seccompActions,
  seccompArchitectures,
  seccompComparisons,
  seccompFlagNames,
} from './seccomp.ts';

const namespaceTypes: readonly NamespaceType[] = ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'user', 'time'];
const propagations = ['shared', 'slave', 'private', 'unbindable'].flatMap((name) => [name, `r${name}`]);

export function readLinux(given: Place): OciLinux {
  const place = isMissing(given) ? { value: {}, path: given.path } : given;
  const namespaces = readNamespaces(member(place, 'namespaces'));
  const maps = {
    ...maybe(place, 'uidMappings', readMappings),
    ...maybe(place, 'gidMappings', readMappings),
  };
  const offsets = maybe(place, 'timeOffsets', readTimeOffsets);
  const linux: OciLinux = {
    namespaces,
    ...maps,
    ...offsets,
    devices: list(member(place, 'devices')).map(readDevice),
    cgroupsPath: maybe(place, 'cgroupsPath', string).cgroupsPath ?? '',
    resources: readResources(member(place, 'resources')),
    sysctl: Object.fromEntries(
      entries(member(place, 'sysctl')).map(([name, text]) => [sysctlName(name, text), string(text)]),
    ),
    ...maybe(place, 'seccomp', readSeccomp),
    maskedPaths: list(member(place, 'maskedPaths')).map(absolutePath),
    readonlyPaths: list(member(place, 'readonlyPaths')).map(absolutePath),
    rootfsPropagation:
      maybe(place, 'rootfsPropagation', (at) => (at.value === '' ? '' : oneOf(at, propagations, 'propagation')))
        .rootfsPropagation ?? '',
    ...maybe(place, 'mountLabel', string),
    ...maybe(place, 'personality', readPersonality),
    ...maybe(place, 'intelRdt', readIntelRdt),
  };
  requireNamespaces(place, linux);
  return linux;
}

function readNamespaces(place: Place): readonly OciNamespace[] {
  const seen = new Set<string>();
  return list(place).map((entry) => {
    const type = oneOf(member(entry, 'type'), namespaceTypes, 'type of namespace');
    if (seen.has(type)) refuse(entry.path, `a ${type} namespace is there twice`);
    seen.add(type);
    const { path = '' } = maybe(entry, 'path', (at) => (at.value === '' ? '' : absolutePath(at)));
    return path === '' ? { type } : { type, path };
  });
}

/** What makes sense with a namespace of its own alone: without one it would change the host. */
function requireNamespaces(place: Place, linux: OciLinux): void {
  const found = (type: NamespaceType): OciNamespace | undefined => linux.namespaces.find((one) => one.type === type);
  const user = found('user');
  requireSysctls(place, linux);
  const mapped = (linux.uidMappings?.length ?? 0) + (linux.gidMappings?.length ?? 0) > 0;
  if (mapped && !user) refuse(member(place, 'uidMappings').path, 'needs a user namespace in linux.namespaces');
  if (user && user.path === undefined)
    for (const name of ['uidMappings', 'gidMappings'] as const)
      if ((linux[name]?.length ?? 0) === 0)
        refuse(member(place, name).path, 'must map something: linux.namespaces has a new user namespace');
  const time = found('time');
  if (Object.keys(linux.timeOffsets ?? {}).length > 0 && (!time || time.path !== undefined))
    refuse(member(place, 'timeOffsets').path, 'needs a new time namespace in linux.namespaces');
  if (linux.maskedPaths.length + linux.readonlyPaths.length > 0 && !found('mount')) {
    const name = linux.maskedPaths.length > 0 ? 'maskedPaths' : 'readonlyPaths';
    refuse(member(place, name).path, 'needs a mount namespace in linux.namespaces');
  }
}

/** A sysctl that no namespace of the container keeps would change the host. */
function requireSysctls(place: Place, { sysctl, namespaces }: OciLinux): void {
  const own = (type: NamespaceType): boolean => namespaces.some((one) => one.type === type);
  for (const name of Object.keys(sysctl)) {
    const dotted = name.includes('/') ? name.replaceAll('/', '.') : name;
    const keeper = sysctlKeepers.find(([names]) => names.test(dotted))?.[1];
    const { path } = member(member(place, 'sysctl'), name);
    if (keeper === undefined) refuse(path, 'would change the whole host: no namespace keeps it');
    if (!own(keeper)) refuse(path, `would change the whole host: it needs a ${keeper} namespace in linux.namespaces`);
  }
}

const sysctlKeepers: readonly (readonly [names: RegExp, keeper: NamespaceType])[] = [
  [/^net\./, 'network'],
  [/^fs\.mqueue\./, 'ipc'],
  [/^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$/, 'ipc'],
  [/^kernel\.(domainname|hostname)$/, 'uts'],
  [/^user\./, 'user'],
];

export function readMappings(place: Place): readonly OciIdMapping[] {
  const all = list(place).map((entry) => {
    const mapping = {
      containerID: u32(member(entry, 'containerID')),
      hostID: u32(member(entry, 'hostID')),
      size: number(member(entry, 'size'), 1, 0xffffffff),
    };
    for (const name of ['containerID', 'hostID'] as const)
      if (mapping[name] + mapping.size > 0x100000000) refuse(entry.path, `${name} and size go beyond 4294967295`);
    return mapping;
  });
  all.forEach((one, index) => {
    const other = all.findIndex(
      (two, before) =>
        before < index &&
        ((one.containerID < two.containerID + two.size && two.containerID < one.containerID + one.size) ||
          (one.hostID < two.hostID + two.size && two.hostID < one.hostID + one.size)),
    );
    if (other >= 0) refuse(`${place.path}[${index}]`, `overlaps with ${place.path}[${other}]`);
  });
  return all;
}

function readTimeOffsets(place: Place): NonNullable<OciLinux['timeOffsets']> {
  return Object.fromEntries(
    entries(place).map(([clock, offset]) => {
      if (clock !== 'monotonic' && clock !== 'boottime') refuse(offset.path, `unknown clock ${quote(clock)}`);
      return [
        clock,
        {
          secs: maybe(offset, 'secs', i64).secs ?? 0,
          nanosecs: maybe(offset, 'nanosecs', (at) => number(at, 0, 999_999_999)).nanosecs ?? 0,
        },
      ];
    }),
  );
}

function sysctlName(name: string, { path }: Place): string {
  const parts = name.split(/[./]/);
  return parts.length > 1 && parts.every((part) => /^[\w@:*-]+$/.test(part))
    ? name
    : refuse(path, `${quote(name)} is no sysctl`);
}

function readPersonality(place: Place): NonNullable<OciLinux['personality']> {
  const flags = member(place, 'flags');
  if (strings(flags).length > 0) refuse(flags.path, 'no flags are defined');
  return { domain: oneOf(member(place, 'domain'), ['LINUX', 'LINUX32'] as const, 'domain') };
}

function readIntelRdt(place: Place): OciIntelRdt {
  return {
    ...maybe(place, 'closID', (at) =>
      /^(\.\.?|.*\/.*)$/.test(word(at)) ? refuse(at.path, `${quote(word(at))} is no name of a directory`) : word(at),
    ),
    ...maybe(place, 'l3CacheSchema', string),
    ...maybe(place, 'memBwSchema', string),
    ...maybe(place, 'enableCMT', boolean),
    ...maybe(place, 'enableMBM', boolean),
  };
}

export function readSeccomp(place: Place): SeccompProfile {
  const action = (at: Place): string => oneOf(at, seccompActions, 'action');
  const syscalls = list(member(place, 'syscalls')).map((entry) => readRule(entry, action));
  const defaultAction = action(member(place, 'defaultAction'));
  const listener = {
    ...maybe(place, 'listenerPath', (at) => (at.value === '' ? '' : absolutePath(at))),
    ...maybe(place, 'listenerMetadata', string),
  };
  if (defaultAction === 'SCMP_ACT_NOTIFY') refuse(member(place, 'defaultAction').path, 'must not be SCMP_ACT_NOTIFY');
  const notify = syscalls.findIndex((rule) => rule.action === 'SCMP_ACT_NOTIFY');
  if (notify >= 0) {
    if (!listener.listenerPath)
      refuse(member(place, 'listenerPath').path, `is missing: syscalls[${notify}] has the action SCMP_ACT_NOTIFY`);
    if (syscalls[notify]?.names.includes('sendmsg') || syscalls[notify]?.names.includes('write'))
      refuse(
        `${place.path}.syscalls[${notify}].names`,
        'write and sendmsg cannot be notified of: the listener is sent with them',
      );
  } else if (listener.listenerMetadata && !listener.listenerPath)
    refuse(member(place, 'listenerMetadata').path, 'needs listenerPath');
  return {
    defaultAction,
    ...maybe(place, 'defaultErrnoRet', (at) => number(at, 0, 4095)),
    ...maybe(place, 'architectures', (at) => list(at).map((one) => oneOf(one, seccompArchitectures, 'architecture'))),
    ...maybe(place, 'flags', (at) => list(at).map((one) => oneOf(one, seccompFlagNames, 'seccomp flag'))),
    ...listener,
    syscalls,
  };
}

function readRule(place: Place, action: (at: Place) => string): SeccompRule {
  const names = member(place, 'names');
  if (list(names).length === 0) refuse(names.path, 'must name a system call');
  return {
    names: strings(names),
    action: action(member(place, 'action')),
    ...maybe(place, 'errnoRet', (at) => number(at, 0, 4095)),
    ...maybe(place, 'args', (at) => list(at).map(readArg)),
  };
}

function readArg(place: Place): SeccompArg {
  return {
    index: number(member(place, 'index'), 0, 5),
    op: oneOf(member(place, 'op'), seccompComparisons, 'comparison'),
    value: integer(member(place, 'value'), 0, 0xffffffffffffffffn),
    ...maybe(place, 'valueTwo', u64),
  };
}
