// Puts the verbs together as the interface of engine.ts.

import { fail } from '../../base/errors.ts';
import { findContainer } from '../containers/find.ts';
import type { Networks } from '../engine.ts';
import { type ConnectDeps, connectContainer, disconnectContainer } from './connect.ts';
import { createNetwork } from './create.ts';
import { containersOf, defaultBridge, describeNetwork } from './describe.ts';
import { networkTest } from './list.ts';
import type { NetworkRecord } from './record.ts';
import { pruneNetworks, removeNetwork } from './remove.ts';
import { findNet, type Net, type NetworkState, whenReady } from './state.ts';

export function createNetworks(deps: ConnectDeps): Networks {
  const { pool, state } = deps;
  return {
    async create(request) {
      return { Id: await createNetwork(state, pool.deps.events, request), Warning: '' };
    },
    async list(filters) {
      const test = networkTest(filters, ({ id }) => Object.keys(containersOf(pool, id)).length > 0);
      return [...state.byId.values()]
        .map(({ record }) => record)
        .filter(test)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((record) => describeNetwork(record));
    },
    async inspect(ref, options) {
      const net = findNet(state, ref);
      if (options?.scope && options.scope !== 'local')
        fail('not_found', 'network.not_found', `network ${ref} not found`);
      return describeNetwork(await withDefaults(state, net), containersOf(pool, net.record.id));
    },
    remove: async (ref) => removeNetwork(deps, findNet(state, ref)),
    async connect(ref, { Container, EndpointConfig }) {
      const live = findContainer(pool, Container);
      await connectContainer(deps, live, findNet(state, ref), EndpointConfig ?? {});
    },
    async disconnect(ref, { Container, Force }) {
      await disconnectContainer(deps, findContainer(pool, Container), ref, Force ?? false);
    },
    async prune(filters) {
      return { NetworksDeleted: await pruneNetworks(deps, filters) };
    },
  };
}

/** What is not in the document of the default bridge: it takes the subnet that is free when it is first made. */
async function withDefaults(state: NetworkState, net: Net): Promise<NetworkRecord> {
  const { record } = net;
  if (record.name !== 'bridge') return record;
  const ready = await whenReady(state, net).catch(() => undefined);
  return ready ? { ...record, ...defaultBridge(ready.bridge) } : record;
}
