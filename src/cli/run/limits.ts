// Limits and kernel settings of `run`: --ulimit, --sysctl, --memory-swap, --attach names.

import { isHoistError } from '../../base/errors.ts';
import type { Ulimit } from '../../spec/docker/container.ts';
import { parseBytes, parseInt64 } from '../values.ts';

const ulimitNames = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

export function checkAttach(value: string): string | undefined {
  return ['stdin', 'stdout', 'stderr'].includes(value.toLowerCase())
    ? undefined
    : 'valid streams are STDIN, STDOUT and STDERR';
}

/** Only what lives in a namespace of the container's own may be set (Docker's list). */
export function checkSysctl(value: string): string | undefined {
  const equals = value.indexOf('=');
  const name = value.slice(0, equals);
  const single = [
    'kernel.msgmax',
    'kernel.msgmnb',
    'kernel.msgmni',
    'kernel.sem',
    'kernel.shmall',
    'kernel.shmmax',
    'kernel.shmmni',
    'kernel.shm_rmid_forced',
  ];
  const allowed = equals > 0 && (single.includes(name) || /^(net|fs\.mqueue)\./.test(name));
  return allowed ? undefined : `sysctl '${value}' is not allowed`;
}

/** `c 1:3 mr` */
export function checkDeviceRule(value: string): string | undefined {
  const valid = /^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(value);
  return valid ? undefined : `invalid device cgroup format '${value}'`;
}

export function checkUlimit(value: string): string | undefined {
  const result = readUlimit(value);
  return typeof result === 'string' ? result : undefined;
}

export function ulimits(values: readonly string[]): readonly Ulimit[] {
  const byName = new Map<string, Ulimit>();
  for (const value of values) {
    const limit = readUlimit(value);
    if (typeof limit !== 'string') byName.set(limit.Name, limit);
  }
  return [...byName.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** `nofile=1024`, `nofile=1024:2048`, -1 for unlimited; or what is wrong. */
function readUlimit(text: string): Ulimit | string {
  const equals = text.indexOf('=');
  if (equals < 0) return `invalid ulimit argument: ${text}`;
  const name = text.slice(0, equals);
  const value = text.slice(equals + 1);
  if (!ulimitNames.has(name)) return `invalid ulimit type: ${name}`;
  const parts = value.split(':');
  if (parts.length > 2) return `too many limit value arguments - ${value}, can only have up to two, \`soft[:hard]\``;
  try {
    const soft = parseInt64(parts[0] ?? '');
    const hard = parts[1] === undefined ? soft : parseInt64(parts[1]);
    if (soft === -1 && hard !== -1) {
      return `ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`;
    }
    if (hard !== -1 && soft > hard)
      return `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`;
    return { Name: name, Soft: soft, Hard: hard };
  } catch (error) {
    if (isHoistError(error)) return error.message;
    throw error;
  }
}

/** Bytes, or -1 for "no limit of swap". */
export function memorySwap(value: string): number {
  return value === '-1' ? -1 : value === '' ? 0 : parseBytes(value);
}
