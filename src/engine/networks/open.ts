// The networks of an engine: their state, and what containers see of it. The verbs (networks.ts) come on top.

import type { BridgeConfig } from '../../network/bridge.ts';
import type { Executor } from '../../sys/executor.ts';
import type { ContainerNetwork, ContainerPool } from '../containers/deps.ts';
import { tellLinked } from '../containers/links.ts';
import { containerNetworks } from '../containers/network.ts';
import type { Events } from '../events.ts';
import { openResolvers, type Resolvers } from './resolvers.ts';
import { isUserNetwork, type NetworkState, openNetworkState } from './state.ts';

export interface OpenNetworks {
  readonly state: NetworkState;
  readonly resolvers: Resolvers;
  readonly network: ContainerNetwork;
  /** Tells name servers whom there is. */
  begin(pool: ContainerPool): void;
}

export interface OpenNetworksOptions {
  readonly root: string;
  readonly executor: Executor;
  /** The default bridge. */
  readonly defaults: BridgeConfig;
  readonly events: Events;
  readonly warn: (message: string) => void;
}

export function openNetworks({ root, executor, defaults, events, warn }: OpenNetworksOptions): OpenNetworks {
  const state = openNetworkState({ root, executor: () => executor, defaults });
  let live: ContainerPool['live'] = new Map();
  let begin = (_pool: ContainerPool): void => {};
  const ready = new Promise<void>((resolve) => {
    begin = (pool) => {
      live = pool.live;
      events.subscribe(({ Type, Action, Actor }) => {
        if (Type === 'container' && Action === 'start' && state.linking.size > 0)
          tellLinked(pool, Actor.ID, state.linking);
      });
      resolve();
    };
  });
  const resolvers = openResolvers({
    executor,
    ready,
    find: (id) => live.get(id)?.record,
    isHeld: (id) => state.held.has(id),
    directory: {
      *records() {
        for (const { record } of live.values()) yield record;
      },
      isNamed(id) {
        const net = state.byId.get(id);
        return net !== undefined && isUserNetwork(net);
      },
    },
    isInternal: (id) => state.byId.get(id)?.record.internal ?? false,
    warn,
  });
  return { state, resolvers, network: containerNetworks(state, events, resolvers), begin: (pool) => begin(pool) };
}
