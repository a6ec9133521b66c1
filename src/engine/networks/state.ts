// The networks of an engine as they live in its memory: documents, the bridges that are up, and what running containers
// hold of them. A bridge is made when the first container needs it, and again after a reboot.

import { fail } from '../../base/errors.ts';
import { contains, formatAddress, parseAddress, parsePrefix } from '../../network/address.ts';
import { type Bridge, type BridgeConfig, ensureBridge, ordinaryTraffic } from '../../network/bridge.ts';
import { createPool, firstAddress, type Pool } from '../../network/ipam.ts';
import { sweepPorts } from '../../network/publish.ts';
import type { Prefix } from '../../plan/netlink.ts';
import type { Executor } from '../../sys/executor.ts';
import type { Connection } from '../containers/record.ts';
import { loadNetworks, type NetworkRecord } from './record.ts';

export interface Ready {
  readonly bridge: Bridge;
  readonly pool: Pool;
}

export interface Net {
  readonly record: NetworkRecord;
  /** The bridge, made or being made. */
  ready: Promise<Ready> | undefined;
}

export interface NetworkState {
  readonly root: string;
  readonly executor: () => Executor;
  /** Of the default bridge. */
  readonly defaults: BridgeConfig;
  readonly byId: Map<string, Net>;
  readonly byName: Map<string, Net>;
  /** What containers that run (or are about to) hold, by their ids. */
  readonly held: Map<string, readonly Connection[]>;
  /** Containers with links to others. */
  readonly linking: Set<string>;
  /** Ports that nobody holds are looked for once. */
  swept: boolean;
}

export interface NetworkStateOptions {
  readonly root: string;
  readonly executor: () => Executor;
  readonly defaults: BridgeConfig;
}

export function openNetworkState(options: NetworkStateOptions): NetworkState {
  const state: NetworkState = {
    ...options,
    byId: new Map(),
    byName: new Map(),
    held: new Map(),
    linking: new Set(),
    swept: false,
  };
  for (const record of loadNetworks(options.root, new Date().toISOString())) addNet(state, record);
  return state;
}

export function addNet(state: NetworkState, record: NetworkRecord): Net {
  const net: Net = { record, ready: undefined };
  state.byId.set(record.id, net);
  state.byName.set(record.name, net);
  return net;
}

export function dropNet(state: NetworkState, { record }: Net): void {
  state.byId.delete(record.id);
  state.byName.delete(record.name);
}

/** By full id, name, or an unambiguous prefix of an id. Fails with `network.not_found`, `network.ambiguous`. */
export function findNet(state: NetworkState, ref: string): Net {
  return lookUpNet(state, ref) ?? fail('not_found', 'network.not_found', `network ${ref} not found`);
}

export function lookUpNet(state: NetworkState, ref: string): Net | undefined {
  const exact = state.byId.get(ref) ?? state.byName.get(ref === 'default' ? 'bridge' : ref);
  if (exact || !/^[0-9a-f]{1,64}$/.test(ref)) return exact;
  const matches = [...state.byId.values()].filter(({ record }) => record.id.startsWith(ref));
  if (matches.length > 1)
    fail(
      'invalid',
      'network.ambiguous',
      `network ${ref} is ambiguous (${matches.length} matches found based on ID prefix)`,
    );
  return matches[0];
}

/** The network of a connection: by its id once it is known, else by what the user called it. */
export function netOf(state: NetworkState, { network, name }: Connection): Net {
  return state.byId.get(network) ?? findNet(state, name);
}

/** A network that the user made, with name service. */
export function isUserNetwork({ record }: Net): boolean {
  return record.driver === 'bridge' && record.name !== 'bridge';
}

export function subnetOf(record: NetworkRecord): Prefix | undefined {
  const text = record.ipam.config[0]?.Subnet;
  return text === undefined || text === '' ? undefined : parsePrefix(text);
}

/** The bridge's address: the one that was asked for, or the first of the range or subnet. */
function gatewayOf(record: NetworkRecord): Prefix | undefined {
  const subnet = subnetOf(record);
  if (subnet === undefined) return undefined;
  const { Gateway, IPRange } = record.ipam.config[0] ?? {};
  const asked = Gateway ? parseAddress(Gateway) : undefined;
  const range = IPRange ? parsePrefix(IPRange) : subnet;
  const free = firstAddress(range.bits > 30 ? subnet : range);
  return { address: asked ?? (contains(subnet, free) ? free : firstAddress(subnet)), bits: subnet.bits };
}

const option = {
  name: 'com.docker.network.bridge.name',
  icc: 'com.docker.network.bridge.enable_icc',
  masquerade: 'com.docker.network.bridge.enable_ip_masquerade',
  hostBinding: 'com.docker.network.bridge.host_binding_ipv4',
  mtu: 'com.docker.network.driver.mtu',
} as const;
export const bridgeOptions = option;

export function bridgeConfigOf({ defaults }: NetworkState, record: NetworkRecord): BridgeConfig {
  if (record.name === 'bridge') return defaults;
  const { options } = record;
  return {
    name: options[option.name] || `br-${record.id.slice(0, 12)}`,
    mtu: Number(options[option.mtu] || defaults.mtu),
    gateway: gatewayOf(record),
    table: defaults.table,
    forward: defaults.forward ?? false,
    traffic: {
      internal: record.internal,
      icc: isTrue(options[option.icc]),
      masquerade: isTrue(options[option.masquerade]),
    },
  };
}

/** Go's ParseBool; what is not said is true. */
function isTrue(text: string | undefined): boolean {
  return !/^(0|f|false)$/i.test(text ?? '');
}

/** The bridge, made where it is not there. What failed is tried again by the next who needs it. */
export function whenReady(state: NetworkState, net: Net): Promise<Ready> {
  if (net.ready !== undefined) return net.ready;
  const ready = makeReady(state, net.record);
  net.ready = ready;
  ready.catch(() => {
    if (net.ready === ready) net.ready = undefined;
  });
  return ready;
}

async function makeReady(state: NetworkState, record: NetworkRecord): Promise<Ready> {
  const bridge = await ensureBridge(state.executor(), bridgeConfigOf(state, record));
  if (!state.swept) {
    state.swept = true;
    await sweepPorts(state.executor(), bridge, () => endpointsHeld(state));
  }
  const pool = poolOf(record, bridge);
  for (const connections of state.held.values()) {
    for (const { network, endpoint } of connections)
      if (endpoint && network === record.id && endpoint.address !== '') pool.reserve(endpoint.address);
  }
  return { bridge, pool };
}

export function endpointsHeld({ held }: Pick<NetworkState, 'held'>) {
  return [...held.values()].flatMap((connections) =>
    connections.flatMap(({ endpoint }) => (endpoint ? [endpoint] : [])),
  );
}

function poolOf(record: NetworkRecord, bridge: Bridge): Pool {
  const { IPRange, AuxiliaryAddresses } = record.ipam.config[0] ?? {};
  return createPool({
    subnet: bridge.gateway,
    gateway: formatAddress(bridge.gateway.address),
    network: record.name,
    range: IPRange ? parsePrefix(IPRange) : undefined,
    reserved: Object.values(AuxiliaryAddresses ?? {}),
  });
}

/** The bridge as it will be, for a plan that is only printed: nothing is made. */
export function assumedReady(state: NetworkState, { record }: Net): Ready {
  const {
    name,
    mtu,
    table,
    gateway = parsePrefix('172.17.0.1/16'),
    traffic = ordinaryTraffic,
  } = bridgeConfigOf(state, record);
  const bridge: Bridge = { name, index: 0, mtu, gateway, table, traffic, forward: state.defaults.forward ?? false };
  return { bridge, pool: poolOf(record, bridge) };
}
