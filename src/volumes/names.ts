// The names of volumes, and what a request for one must look like. Pure.

import { randomBytes } from 'node:crypto';
import { fail } from '../base/errors.ts';

/** The label of volumes that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous';

/** For a volume that nobody named. */
export function anonymousName(): string {
  return randomBytes(32).toString('hex');
}

/** Docker's rule for names that users give, in its words; a directory's name has 255 bytes at most. */
export function checkVolumeName(name: string): void {
  if (name.length === 1)
    fail(
      'invalid',
      'volume.name_short',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    fail(
      'invalid',
      'volume.name_invalid',
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  if (name.length > 255)
    fail(
      'invalid',
      'volume.name_long',
      `create ${name}: file name too long: a volume's name has 255 characters at most`,
    );
}

/** There is one driver, and no way to add others. */
export function checkDriver(name: string, driver: string): void {
  if (driver !== '' && driver !== 'local')
    fail(
      'invalid', // not `not_found`: a client that creates a container takes that for a missing image, and pulls
      'volume.driver',
      `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
      { hint: 'the driver local is the only one; its options type, o and device mount NFS and other file systems' },
    );
}
