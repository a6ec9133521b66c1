// Endpoints of networks.

import type { NetworkInspect } from '../../spec/docker/network.ts';
import { networkConnectBody, networkCreateBody, networkDisconnectBody } from '../body/network.ts';
import { empty, json, type Route } from '../route.ts';

export const networkRoutes = {
  NetworkList: {
    method: 'GET',
    path: '/networks',
    query: { filters: 'filters' },
    answer: json<readonly NetworkInspect[]>(),
  },
  NetworkInspect: {
    method: 'GET',
    path: '/networks/{id}',
    query: { verbose: 'bool', scope: 'string' },
    answer: json<NetworkInspect>(),
  },
  NetworkDelete: { method: 'DELETE', path: '/networks/{id}', answer: empty() },
  NetworkCreate: {
    method: 'POST',
    path: '/networks/create',
    body: networkCreateBody,
    answer: json<{ readonly Id: string; readonly Warning: string }>(201),
  },
  NetworkConnect: { method: 'POST', path: '/networks/{id}/connect', body: networkConnectBody, answer: empty(200) },
  NetworkDisconnect: {
    method: 'POST',
    path: '/networks/{id}/disconnect',
    body: networkDisconnectBody,
    answer: empty(200),
  },
  NetworkPrune: {
    method: 'POST',
    path: '/networks/prune',
    query: { filters: 'filters' },
    answer: json<{ readonly NetworksDeleted: readonly string[] | null }>(),
  },
} as const satisfies Record<string, Route>;
