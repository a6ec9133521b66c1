// `process` of an OCI configuration (runtime-spec 1.2, config.md#process), checked.

import { capabilityTable } from './capabilities.ts';
import {
  absolutePath,
  boolean,
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
import type { Int } from './resources.ts';
import type { OciCapabilities, OciProcess, OciRlimit, OciScheduler } from './runtime.ts';

export function readProcess(place: Place): OciProcess {
  const args = member(place, 'args');
  if (list(args).length === 0) refuse(args.path, 'must name a program');
  const user = member(place, 'user');
  const named = isMissing(user) ? { value: {}, path: user.path } : user;
  const { apparmorProfile, selinuxLabel } = {
    ...maybe(place, 'apparmorProfile', string),
    ...maybe(place, 'selinuxLabel', string),
  };
  return {
    terminal: maybe(place, 'terminal', boolean).terminal ?? false,
    ...maybe(place, 'consoleSize', (size) => ({
      height: number(member(size, 'height'), 0, 0xffff),
      width: number(member(size, 'width'), 0, 0xffff),
    })),
    user: {
      uid: maybe(named, 'uid', u32).uid ?? 0,
      gid: maybe(named, 'gid', u32).gid ?? 0,
      ...maybe(named, 'umask', (at) => number(at, 0, 0o777)),
      additionalGids: list(member(named, 'additionalGids')).map(u32),
    },
    args: strings(args),
    env: readEnv(member(place, 'env')),
    cwd: absolutePath(member(place, 'cwd')),
    capabilities: readCapabilities(member(place, 'capabilities')),
    rlimits: readRlimits(member(place, 'rlimits')),
    noNewPrivileges: maybe(place, 'noNewPrivileges', boolean).noNewPrivileges ?? false,
    ...maybe(place, 'oomScoreAdj', (at) => number(at, -1000, 1000)),
    ...maybe(place, 'scheduler', readScheduler),
    ...maybe(place, 'ioPriority', (at) => ({
      class: oneOf(member(at, 'class'), ['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'], 'I/O class'),
      priority: maybe(at, 'priority', (value) => number(value, 0, 7)).priority ?? 0,
    })),
    ...maybe(place, 'execCPUAffinity', (at) => ({
      ...maybe(at, 'initial', readCpuList),
      ...maybe(at, 'final', readCpuList),
    })),
    ...(apparmorProfile ? { apparmorProfile } : {}),
    ...(selinuxLabel ? { selinuxLabel } : {}),
  };
}

export function readEnv(place: Place): readonly string[] {
  return list(place).map((entry) => {
    const text = string(entry);
    return text.indexOf('=') > 0 ? text : refuse(entry.path, `must be NAME=VALUE, not ${quote(text)}`);
  });
}

function readCapabilities(place: Place): OciCapabilities {
  const set = (name: string): readonly string[] =>
    isMissing(place)
      ? []
      : list(member(place, name)).map((entry) => {
          const text = string(entry);
          return text.startsWith('CAP_') && capabilityTable.includes(text.slice(4))
            ? text
            : refuse(entry.path, `unknown capability ${quote(text)}`);
        });
  return {
    bounding: set('bounding'),
    effective: set('effective'),
    permitted: set('permitted'),
    inheritable: set('inheritable'),
    ambient: set('ambient'),
  };
}

/** uapi asm-generic/resource.h, by their numbers. */
export const rlimitNames =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'
    .split(' ')
    .map((name) => `RLIMIT_${name}`);

function readRlimits(place: Place): readonly OciRlimit[] {
  const seen = new Set<string>();
  return list(place).map((entry) => {
    const type = oneOf(member(entry, 'type'), rlimitNames, 'resource limit');
    if (seen.has(type)) refuse(entry.path, `${type} is there twice`);
    seen.add(type);
    const [soft, hard] = [amount(member(entry, 'soft')), amount(member(entry, 'hard'))];
    const above = soft === -1 ? hard !== -1 : hard !== -1 && soft > hard;
    if (above) refuse(member(entry, 'soft').path, `must not be above the hard limit`);
    return { type, soft, hard };
  });
}

/** RLIM_INFINITY is 2^64-1; -1 is written for it as well. */
function amount(place: Place): Int {
  const value = integer(place, -1, 0xffffffffffffffffn);
  return value === 0xffffffffffffffffn ? -1 : value;
}

export const schedulerPolicies = [
  'SCHED_OTHER',
  'SCHED_FIFO',
  'SCHED_RR',
  'SCHED_BATCH',
  'SCHED_ISO',
  'SCHED_IDLE',
  'SCHED_DEADLINE',
];
export const schedulerFlags = [
  'SCHED_FLAG_RESET_ON_FORK',
  'SCHED_FLAG_RECLAIM',
  'SCHED_FLAG_DL_OVERRUN',
  'SCHED_FLAG_KEEP_POLICY',
  'SCHED_FLAG_KEEP_PARAMS',
  'SCHED_FLAG_UTIL_CLAMP_MIN',
  'SCHED_FLAG_UTIL_CLAMP_MAX',
];

function readScheduler(place: Place): OciScheduler {
  const policy = oneOf(member(place, 'policy'), schedulerPolicies, 'scheduling policy');
  const realTime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
  const priority = maybe(place, 'priority', i64).priority ?? 0;
  if (!realTime && priority !== 0)
    refuse(member(place, 'priority').path, `is for SCHED_FIFO and SCHED_RR alone, not ${policy}`);
  if (realTime && (priority < 1 || priority > 99)) refuse(member(place, 'priority').path, 'must be from 1 to 99');
  for (const name of ['runtime', 'deadline', 'period']) {
    if (policy !== 'SCHED_DEADLINE' && (maybe(place, name, u64)[name] ?? 0) !== 0)
      refuse(member(place, name).path, `is for SCHED_DEADLINE alone, not ${policy}`);
  }
  return {
    policy,
    ...maybe(place, 'nice', (at) => number(at, -20, 19)),
    ...(realTime ? { priority: Number(priority) } : {}),
    flags: list(member(place, 'flags')).map((entry) => oneOf(entry, schedulerFlags, 'scheduling flag')),
    ...maybe(place, 'runtime', u64),
    ...maybe(place, 'deadline', u64),
    ...maybe(place, 'period', u64),
  };
}

/** `0-3,7` */
export function readCpuList(place: Place): string {
  const text = word(place);
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) refuse(place.path, `${quote(text)} is no list of numbers`);
  }
  return text;
}
