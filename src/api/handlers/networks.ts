// Networks.

import type { Handler } from '../call.ts';

type Names =
  | 'NetworkList'
  | 'NetworkInspect'
  | 'NetworkDelete'
  | 'NetworkCreate'
  | 'NetworkConnect'
  | 'NetworkDisconnect'
  | 'NetworkPrune';

export const networkHandlers: { readonly [N in Names]: Handler<N> } = {
  NetworkList: ({ engine, query }) => engine.networks.list(query.filters),
  NetworkInspect: ({ engine, params, query }) =>
    engine.networks.inspect(params.id, {
      verbose: query.verbose,
      ...(query.scope === '' ? {} : { scope: query.scope }),
    }),
  NetworkDelete: async ({ engine, params }) => {
    await engine.networks.remove(params.id);
    return undefined;
  },
  NetworkCreate: ({ engine, body }) => engine.networks.create(body),
  NetworkConnect: async ({ engine, params, body }) => {
    await engine.networks.connect(params.id, body);
    return undefined;
  },
  NetworkDisconnect: async ({ engine, params, body }) => {
    await engine.networks.disconnect(params.id, body);
    return undefined;
  },
  NetworkPrune: ({ engine, query }) => engine.networks.prune(query.filters),
};
