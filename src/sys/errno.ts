// Errno numbers of Linux by name, as the kernel and Node give them.

import os from 'node:os';

const names = new Map(Object.entries(os.constants.errno).map(([name, number]) => [number, name]));

/** `ENOENT` for 2; `errno 999` for one that nobody knows. */
export function errnoName(errno: number): string {
  return names.get(Math.abs(errno)) ?? `errno ${errno}`;
}
