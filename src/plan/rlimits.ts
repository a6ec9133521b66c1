// Resource limits by name: uapi asm-generic/resource.h.

import { fail } from '../base/errors.ts';
import { rlimitNames } from '../spec/oci/config-process.ts';

/** `RLIMIT_NOFILE` or `nofile` -> 7. Fails with `ulimit.unknown`. */
export function parseRlimit(name: string): number {
  const number = rlimitNames.indexOf(`RLIMIT_${name.toUpperCase().replace(/^RLIMIT_/, '')}`);
  if (number < 0) fail('invalid', 'ulimit.unknown', `invalid ulimit type: ${name}`);
  return number;
}
