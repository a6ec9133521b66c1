// Where an engine's data and sockets are. The native client has decided it (native/start.c) and says it in the environment.

import { fail } from '../base/errors.ts';

export interface Place {
  /** Data: images, containers. */
  readonly root: string;
  /** Sockets, the lock, the engine's log; gone after a reboot. */
  readonly run: string;
}

export function placeFrom(env: Readonly<Record<string, string | undefined>>): Place {
  const { HOIST_ROOT: root, HOIST_RUN_ROOT: run } = env;
  if (!root || !run)
    fail('invalid', 'place.unknown', 'HOIST_ROOT and HOIST_RUN_ROOT are not set', {
      hint: 'start the engine with: hoist engine start',
    });
  return { root, run };
}

export const socketOf = (place: Place): string => `${place.run}/hoist.sock`;
/** Docker's Engine API. */
export const dockerSocketOf = (place: Place): string => `${place.run}/docker.sock`;
export const engineLogOf = (place: Place): string => `${place.run}/engine.log`;
