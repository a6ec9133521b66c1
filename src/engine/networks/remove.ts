// network rm and prune: the bridge, the document, the name.

import { momentOf } from '../../base/duration.ts';
import { fail } from '../../base/errors.ts';
import { removeBridge } from '../../network/bridge.ts';
import type { Filters } from '../engine.ts';
import { hasLabel } from '../filters.ts';
import type { ConnectDeps } from './connect.ts';
import { containersOf } from './describe.ts';
import { isPredefined, type NetworkRecord, removeNetworkFiles } from './record.ts';
import { bridgeConfigOf, dropNet, type Net, type NetworkState } from './state.ts';

/** Fails with kind denied where it is in use, or predefined. */
export async function removeNetwork({ pool, state }: ConnectDeps, net: Net): Promise<void> {
  const { record } = net;
  if (isPredefined(record))
    fail('denied', 'network.predefined', `${record.name} is a pre-defined network and cannot be removed`);
  const used = Object.values(containersOf(pool, record.id));
  if (used.length === 0 && isHeld(state, record.id))
    fail('denied', 'network.in_use', `error while removing network: network ${record.name} has active endpoints`);
  if (used.length > 0) {
    const names = used.map(({ Name, EndpointID }) => `name:"${Name}" id:"${EndpointID.slice(0, 12)}"`).join(', ');
    fail(
      'denied',
      'network.in_use',
      `error while removing network: network ${record.name} has active endpoints (${names})`,
    );
  }
  if (isConfigUsed(state, record)) fail('denied', 'network.in_use', `configuration network "${record.name}" is in use`);
  dropNet(state, net); // from here on nobody can start a container in it
  const bridge = bridgeConfigOf(state, record);
  // the bridge first: a crash in between leaves a network whose bridge is made again, never a bridge without a network
  if (record.driver === 'bridge' && bridge.gateway) {
    await net.ready?.catch(() => undefined); // a bridge under way
    await removeBridge(state.executor(), { ...bridge, gateway: bridge.gateway });
  }
  removeNetworkFiles(state.root, record.id);
  pool.deps.events.emit('network', 'destroy', record.id, { name: record.name, type: record.driver });
}

/** Also by a container that is about to start. */
function isHeld({ held }: NetworkState, id: string): boolean {
  return [...held.values()].some((list) => list.some(({ network, endpoint }) => network === id && endpoint));
}

function isConfigUsed({ byId }: NetworkState, { name, configOnly }: NetworkRecord): boolean {
  return configOnly && [...byId.values()].some(({ record }) => record.configFrom === name);
}

/** Returns the names of those that were removed. */
export async function pruneNetworks(deps: ConnectDeps, filters: Filters): Promise<readonly string[]> {
  const { pool, state } = deps;
  const test = pruneTest(filters);
  const removed: string[] = [];
  for (const net of [...state.byId.values()].sort((a, b) => (a.record.name < b.record.name ? -1 : 1))) {
    const { record } = net;
    const isUsed = isHeld(state, record.id);
    if (isPredefined(record) || isUsed || isConfigUsed(state, record) || !test(record)) continue;
    await removeNetwork(deps, net);
    removed.push(record.name);
  }
  pool.deps.events.emit('network', 'prune', '', { reclaimed: '0' });
  return removed;
}

function pruneTest(filters: Filters): (record: NetworkRecord) => boolean {
  const { until = [], label = [], 'label!': without = [], ...rest } = filters;
  for (const key of Object.keys(rest)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  if (until.length > 1) fail('invalid', 'filter.until', 'more than one until filter specified');
  const now = Date.now();
  const before = until.map(
    (text) => momentOf(text, now) ?? fail('invalid', 'filter.until', `invalid filter 'until=${text}'`),
  );
  return ({ created, labels }) =>
    before.every((moment) => Date.parse(created) < moment * 1000) &&
    label.every((wanted) => hasLabel(labels, wanted)) &&
    !without.some((unwanted) => hasLabel(labels, unwanted));
}
