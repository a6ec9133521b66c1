// Containers: made, listed, looked at, changed, removed.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';
import { sizeOf } from '../query.ts';

type Names =
  | 'ContainerList'
  | 'ContainerCreate'
  | 'ContainerInspect'
  | 'ContainerTop'
  | 'ContainerResize'
  | 'ContainerUpdate'
  | 'ContainerRename'
  | 'ContainerDelete'
  | 'ContainerPrune';

export const containerHandlers: { readonly [N in Names]: Handler<N> } = {
  ContainerList: ({ engine, query }) =>
    engine.containers.list({
      all: query.all,
      limit: Math.max(0, query.limit ?? 0),
      size: query.size,
      filters: query.filters,
    }),
  ContainerCreate: ({ engine, query, body }) =>
    engine.containers.create(body, { name: query.name, platform: query.platform }),
  ContainerInspect: ({ engine, params, query }) => engine.containers.inspect(params.id, { size: query.size }),
  ContainerTop: ({ engine, params, query }) => engine.containers.top(params.id, query.ps_args),
  ContainerResize: async ({ engine, params, query }) => {
    await engine.containers.resize(params.id, sizeOf(query));
    return undefined;
  },
  ContainerUpdate: ({ engine, params, body }) => engine.containers.update(params.id, body),
  ContainerRename: async ({ engine, params, query }) => {
    if (query.name === '') fail('invalid', 'container.name_invalid', 'Neither old nor new names may be empty');
    await engine.containers.rename(params.id, query.name);
    return undefined;
  },
  ContainerDelete: async ({ engine, params, query }) => {
    await engine.containers.remove(params.id, { force: query.force, volumes: query.v, link: query.link });
    return undefined;
  },
  ContainerPrune: ({ engine, query }) => engine.containers.prune(query.filters),
};
