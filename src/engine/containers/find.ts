// From what a user calls a container to the container: full id, name, or an unambiguous prefix of an id, in this order.

import { fail, HoistError } from '../../base/errors.ts';
import type { ContainerPool, Live } from './deps.ts';

/** Fails with `container.not_found` (Docker's words) or `container.ambiguous`. */
export function findContainer(pool: ContainerPool, ref: string): Live {
  const name = ref.startsWith('/') ? ref.slice(1) : ref;
  const exact = pool.live.get(ref) ?? pool.live.get(pool.names.get(name) ?? '');
  if (exact) return exact;
  if (/^[0-9a-f]{1,64}$/.test(ref)) {
    const matches = [...pool.live.values()].filter(({ record }) => record.id.startsWith(ref));
    if (matches.length === 1 && matches[0]) return matches[0];
    if (matches.length > 1) fail('invalid', 'container.ambiguous', `multiple IDs found with provided prefix: ${ref}`);
  }
  return fail('not_found', 'container.not_found', `No such container: ${ref}`);
}

/** One that a request names beside its subject. Not `not_found`: a client takes that for a missing image, and pulls. */
export function findNamed(pool: ContainerPool, ref: string): Live {
  try {
    return findContainer(pool, ref);
  } catch (error) {
    if (!(error instanceof HoistError)) throw error;
    throw new HoistError('invalid', error.code, error.message);
  }
}
