// The names of volumes.

import { randomBytes } from 'node:crypto';

/** Docker's rule for names that users give (`[a-zA-Z0-9][a-zA-Z0-9_.-]+`). */
export function isVolumeName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name);
}

/** For a volume that nobody named. */
export function anonymousName(): string {
  return randomBytes(32).toString('hex');
}
