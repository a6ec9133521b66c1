// Resource limits by name: uapi asm-generic/resource.h.

import { fail } from '../base/errors.ts';

const numbers = [
  'CPU',
  'FSIZE',
  'DATA',
  'STACK',
  'CORE',
  'RSS',
  'NPROC',
  'NOFILE',
  'MEMLOCK',
  'AS',
  'LOCKS',
  'SIGPENDING',
  'MSGQUEUE',
  'NICE',
  'RTPRIO',
  'RTTIME',
];

/** `RLIMIT_NOFILE` or `nofile` -> 7. Fails with `ulimit.unknown`. */
export function parseRlimit(name: string): number {
  const number = numbers.indexOf(name.toUpperCase().replace(/^RLIMIT_/, ''));
  if (number < 0) fail('invalid', 'ulimit.unknown', `invalid ulimit type: ${name}`);
  return number;
}
