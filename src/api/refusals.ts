// Endpoints that are known and not served: Swarm's, plugins', and what waits for the builder. Each with its words.

import type { Route } from './route.ts';

type Refused = Pick<Route, 'method' | 'path'> & { readonly status: number; readonly message: string };

const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const all = (status: number, message: string, endpoints: readonly string[]): Record<string, Refused> =>
  Object.fromEntries(
    endpoints.map((endpoint) => {
      const [method = '', path = ''] = endpoint.split(' ');
      return [endpoint, { method: method as Route['method'], path, status, message }];
    }),
  );

const crud = (noun: string, id = '{id}'): readonly string[] => [
  `GET /${noun}`,
  `POST /${noun}/create`,
  `GET /${noun}/${id}`,
  `DELETE /${noun}/${id}`,
  `POST /${noun}/${id}/update`,
];

export const refusals: Readonly<Record<string, Refused>> = {
  ...all(503, noSwarm, [
    'GET /swarm',
    'POST /swarm/init',
    'POST /swarm/join',
    'POST /swarm/leave',
    'GET /swarm/unlockkey',
    'POST /swarm/update',
    'POST /swarm/unlock',
    ...crud('nodes'),
    ...crud('services'),
    'GET /services/{id}/logs',
    'GET /tasks',
    'GET /tasks/{id}',
    'GET /tasks/{id}/logs',
    ...crud('secrets'),
    ...crud('configs'),
    'PUT /volumes/{name}',
  ]),
  ...all(404, 'plugin not found', [
    'GET /plugins/{name*}/json',
    'DELETE /plugins/{name*}',
    'POST /plugins/{name*}/enable',
    'POST /plugins/{name*}/disable',
    'POST /plugins/{name*}/upgrade',
    'POST /plugins/{name*}/push',
    'POST /plugins/{name*}/set',
  ]),
  ...all(501, 'plugins are not supported', ['GET /plugins/privileges', 'POST /plugins/pull', 'POST /plugins/create']),
  ...all(501, 'building images is not supported yet', [
    'POST /build',
    'POST /build/cancel',
    'POST /session',
    'POST /grpc',
  ]),
  ...all(501, 'attestations are not supported', ['GET /images/{name*}/attestations']),
  ...all(501, 'checkpoints are not supported', [
    'GET /containers/{id}/checkpoints',
    'POST /containers/{id}/checkpoints',
    'DELETE /containers/{id}/checkpoints/{checkpoint}',
  ]),
};
