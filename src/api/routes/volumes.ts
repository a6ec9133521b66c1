// Endpoints of volumes.

import type { Volume } from '../../spec/docker/volume.ts';
import { volumeCreateBody } from '../body/volume.ts';
import { empty, json, type Route } from '../route.ts';

export const volumeRoutes = {
  VolumeList: {
    method: 'GET',
    path: '/volumes',
    query: { filters: 'filters' },
    answer: json<{ readonly Volumes: readonly Volume[]; readonly Warnings: readonly string[] | null }>(),
  },
  VolumeCreate: { method: 'POST', path: '/volumes/create', body: volumeCreateBody, answer: json<Volume>(201) },
  VolumeInspect: { method: 'GET', path: '/volumes/{name}', answer: json<Volume>() },
  VolumeDelete: { method: 'DELETE', path: '/volumes/{name}', query: { force: 'bool' }, answer: empty() },
  VolumePrune: {
    method: 'POST',
    path: '/volumes/prune',
    query: { filters: 'filters' },
    answer: json<{ readonly VolumesDeleted: readonly string[] | null; readonly SpaceReclaimed: number }>(),
  },
} as const satisfies Record<string, Route>;
