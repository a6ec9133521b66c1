// Endpoints of the engine itself.

import type { SystemInfo, SystemVersion } from '../../spec/docker/info.ts';
import type { DiskUsage, EventMessage } from '../../spec/docker/system.ts';
import { registryAuthBody } from '../body/system.ts';
import { json, lines, type Route } from '../route.ts';

export const systemRoutes = {
  SystemPing: { method: 'GET', path: '/_ping', answer: { kind: 'ping' } },
  SystemPingHead: { method: 'HEAD', path: '/_ping', answer: { kind: 'ping' } },
  SystemVersion: { method: 'GET', path: '/version', answer: json<SystemVersion>() },
  SystemInfo: { method: 'GET', path: '/info', answer: json<SystemInfo>() },
  SystemAuth: {
    method: 'POST',
    path: '/auth',
    body: registryAuthBody,
    answer: json<{ readonly Status: string; readonly IdentityToken: string }>(),
  },
  SystemEvents: {
    method: 'GET',
    path: '/events',
    query: { since: 'time', until: 'time', filters: 'filters' },
    answer: lines<EventMessage>(),
  },
  SystemDataUsage: {
    method: 'GET',
    path: '/system/df',
    query: { type: 'strings', verbose: 'bool' },
    answer: json<DiskUsage>(),
  },
  /** There are none. */
  PluginList: { method: 'GET', path: '/plugins', query: { filters: 'filters' }, answer: json<readonly never[]>() },
  /** There is no build cache yet. */
  BuildPrune: {
    method: 'POST',
    path: '/build/prune',
    query: { all: 'bool', filters: 'filters' },
    answer: json<{ readonly CachesDeleted: readonly string[] | null; readonly SpaceReclaimed: number }>(),
  },
} as const satisfies Record<string, Route>;
