// Puts the verbs together as the interface of engine.ts.

import type { ContainerPool } from '../containers/deps.ts';
import type { Volumes } from '../engine.ts';
import { createVolume } from './create.ts';
import { describeVolume, findVolume, listVolumes } from './list.ts';
import { pruneVolumes, removeVolume } from './remove.ts';

export function createVolumes(pool: ContainerPool): Volumes {
  return {
    create: async (request) => describeVolume(pool, await createVolume(pool, request)),
    list: async (filters) => listVolumes(pool, filters),
    inspect: async (name) => describeVolume(pool, findVolume(pool, name)),
    remove: async (name, { force }) => removeVolume(pool, name, force),
    prune: (filters) => pruneVolumes(pool, filters),
  };
}
