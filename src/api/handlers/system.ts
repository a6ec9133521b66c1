// The engine itself.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';

type Names =
  | 'SystemPing'
  | 'SystemPingHead'
  | 'SystemVersion'
  | 'SystemInfo'
  | 'SystemAuth'
  | 'SystemDataUsage'
  | 'PluginList'
  | 'BuildPrune';

const usageTypes = ['container', 'image', 'volume', 'build-cache'];

export const systemHandlers: { readonly [N in Names]: Handler<N> } = {
  SystemPing: async () => undefined,
  SystemPingHead: async () => undefined,
  SystemVersion: ({ engine }) => engine.system.version(),
  SystemInfo: ({ engine }) => engine.system.info(),
  SystemAuth: ({ engine, body, signal }) => engine.system.login(body, signal),
  SystemDataUsage: ({ engine, query }) => {
    for (const type of query.type)
      if (!usageTypes.includes(type)) fail('invalid', 'df.type', `unknown object type: ${type}`);
    return engine.system.diskUsage(query.type);
  },
  PluginList: async () => [],
  BuildPrune: async () => ({ CachesDeleted: null, SpaceReclaimed: 0 }),
};
