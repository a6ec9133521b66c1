// Verbs whose work is under way: each goes from here to a file of its own.

import { fail } from '../base/errors.ts';

export function unbuilt(what: string): never {
  return fail('unsupported', 'engine.unbuilt', `${what} is not built`);
}
