// Volumes.

import type { Handler } from '../call.ts';

type Names = 'VolumeList' | 'VolumeCreate' | 'VolumeInspect' | 'VolumeDelete' | 'VolumePrune';

export const volumeHandlers: { readonly [N in Names]: Handler<N> } = {
  VolumeList: async ({ engine, query }) => ({ Volumes: await engine.volumes.list(query.filters), Warnings: null }),
  VolumeCreate: ({ engine, body }) => engine.volumes.create(body),
  VolumeInspect: ({ engine, params }) => engine.volumes.inspect(params.name),
  VolumeDelete: async ({ engine, params, query }) => {
    await engine.volumes.remove(params.name, { force: query.force });
    return undefined;
  },
  /** Before 1.42 named volumes were pruned as well. */
  VolumePrune: ({ engine, query, minor }) =>
    engine.volumes.prune(minor < 42 ? { ...query.filters, all: ['true'] } : query.filters),
};
