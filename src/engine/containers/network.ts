// Networks as containers use them: addresses and ports for one that starts, the ops for its plan, and what it gives back.
// What running containers hold is known from their records; nothing else is written down.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fail, isHoistError } from '../../base/errors.ts';
import { formatAddress, formatMac, macOf, parseAddress, parseMac } from '../../network/address.ts';
import { type Attached, attachedOps, noneOps, vethName } from '../../network/endpoint.ts';
import { assignPorts, hostPorts, type PublishedPort } from '../../network/ports.ts';
import { unpublishOps } from '../../network/publish.ts';
import { resolverOps } from '../../network/resolver.ts';
import type { NetworkOps } from '../../plan/input.ts';
import type { Events } from '../events.ts';
import { requestedConnections } from '../networks/request.ts';
import type { Resolvers } from '../networks/resolvers.ts';
import {
  assumedReady,
  bridgeOptions,
  endpointsHeld,
  isUserNetwork,
  type Net,
  type NetworkState,
  netOf,
  type Ready,
  whenReady,
} from '../networks/state.ts';
import type { Attachment, ContainerNetwork } from './deps.ts';
import type { Connection, ContainerRecord, EndpointRecord } from './record.ts';

/** A connection with the network that it leads to; `ready` where that is a bridge. */
export interface Joined {
  readonly connection: Connection;
  readonly net: Net;
  readonly ready: Ready | undefined;
}

const noOps: NetworkOps = { before: [], setup: [], child: [], cleanup: [] };

/** Ports that programs of this machine use, of a protocol (proc_net(5)). */
function portsOfHost(protocol: PublishedPort['protocol']): ReadonlySet<number> {
  return new Set([protocol, `${protocol}6`].flatMap((name) => [...hostPorts(readTable(`/proc/net/${name}`))]));
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // sctp without its module: nobody uses one
  }
}

/** The ports that a container gets on its way out, which starts in `net`. Fails with `port.allocated`. */
export function portsFor(
  state: NetworkState,
  { config, hostConfig }: ContainerRecord,
  net: Net,
): readonly PublishedPort[] {
  return assignPorts(
    {
      bindings: hostConfig.PortBindings,
      exposed: config.ExposedPorts ?? {},
      publishAll: hostConfig.PublishAllPorts,
      ipv6: false,
      anyAddress: net.record.options[bridgeOptions.hostBinding] || '0.0.0.0',
    },
    { held: endpointsHeld(state).flatMap(({ ports }) => ports), host: portsOfHost },
  );
}

/** Docker's rule for the default route: the highest priority, then the first by name; never through an internal network. */
export function gatewayOf<T extends Pick<Joined, 'connection' | 'net'>>(all: readonly T[]): T | undefined {
  return all
    .filter(({ net }) => net.record.driver === 'bridge' && !net.record.internal)
    .sort(
      (a, b) =>
        (b.connection.request.GwPriority ?? 0) - (a.connection.request.GwPriority ?? 0) ||
        (a.net.record.name < b.net.record.name ? -1 : 1),
    )[0];
}

/** An address of the network, the one that was asked for or the next. Fails with `network.address_in_use`. */
export function makeEndpoint(
  { connection, ready }: Joined,
  options: Pick<EndpointRecord, 'veth' | 'place' | 'isGateway' | 'ports'>,
): EndpointRecord {
  const id = randomBytes(32).toString('hex');
  if (ready === undefined)
    return { id, address: '', prefix: 0, gateway: '', host: '', mac: '', ...options, isGateway: false, ports: [] };
  const { bridge, pool } = ready;
  const wanted = connection.request.IPAMConfig?.IPv4Address;
  if (wanted) pool.reserve(wanted);
  const address = wanted || pool.allocate();
  const mac = connection.request.MacAddress || formatMac(macOf(parseAddress(address) ?? new Uint8Array(4)));
  const host = formatAddress(bridge.gateway.address);
  const gateway = bridge.traffic.internal ? '' : host;
  return { id, address, prefix: bridge.gateway.bits, gateway, host, mac, ...options };
}

export function attachedOf({ ready }: Joined, endpoint: EndpointRecord): Attached[] {
  if (ready === undefined) return [];
  const { veth, address, mac, place, isGateway, ports } = endpoint;
  const chosen = parseMac(mac);
  return [
    { bridge: ready.bridge, endpoint: { veth, address, place, isGateway, ports, ...(chosen ? { mac: chosen } : {}) } },
  ];
}

export function networkEvent(
  events: Events,
  action: 'connect' | 'disconnect',
  container: string,
  { record }: Net,
): void {
  events.emit('network', action, record.id, { container, name: record.name, type: record.driver });
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: closures over one state
export function containerNetworks(state: NetworkState, events: Events, resolvers: Resolvers): ContainerNetwork {
  let starts = 0;

  /** All of them, or none. */
  function hold(record: ContainerRecord, all: readonly Joined[]): Attachment {
    for (const { net } of all) stillThere(net);
    const gateway = gatewayOf(all);
    const ports = gateway ? portsFor(state, record, gateway.net) : []; // before an address is taken: it may fail
    const made: { joined: Joined; endpoint: EndpointRecord }[] = [];
    try {
      for (const joined of all) {
        const isGateway = joined === gateway;
        const options = { veth: vethName(record.id, starts++), place: made.length, isGateway };
        made.push({ joined, endpoint: makeEndpoint(joined, { ...options, ports: isGateway ? ports : [] }) });
      }
    } catch (error) {
      for (const { joined, endpoint } of made) joined.ready?.pool.release(endpoint.address);
      throw error;
    }
    const connections = made.map(({ joined: { connection, net }, endpoint }) => ({
      ...connection,
      name: net.record.name,
      network: net.record.id,
      endpoint,
    }));
    return { connections, ops: opsOf(record, made) };
  }

  function opsOf(record: ContainerRecord, made: readonly { joined: Joined; endpoint: EndpointRecord }[]): NetworkOps {
    const attached = made.flatMap(({ joined, endpoint }) => attachedOf(joined, endpoint));
    const mode = record.hostConfig.NetworkMode;
    if (attached.length === 0) return mode === 'host' || mode.startsWith('container:') ? noOps : noneOps();
    const ops = attachedOps(attached);
    const named = made.some(({ joined }) => isUserNetwork(joined.net));
    return named ? { ...ops, child: [...ops.child, ...resolverOps(record.id)] } : ops;
  }

  /** A network may have been removed while its bridge was waited for. */
  function stillThere({ record: { id, name } }: Net): void {
    if (!state.byId.has(id)) fail('not_found', 'network.not_found', `network ${name} not found`);
  }

  const join = (record: ContainerRecord, ready: (net: Net) => Promise<Ready>): Promise<Joined[]> =>
    Promise.all(
      record.connections.map(async (connection) => {
        const net = netOf(state, connection);
        return { connection, net, ready: net.record.driver === 'bridge' ? await ready(net) : undefined };
      }),
    );

  async function joinAndHold(record: ContainerRecord) {
    const all = await join(record, (net) => whenReady(state, net));
    return { all, attachment: hold(record, all) };
  }

  function giveBack(connections: readonly Connection[]): void {
    for (const { network, endpoint } of connections) {
      if (endpoint && endpoint.address !== '')
        void state.byId
          .get(network)
          ?.ready?.then(({ pool }) => pool.release(endpoint.address))
          .catch(() => {});
    }
  }

  return {
    async attach(record) {
      const { all, attachment } = await joinAndHold(record).catch(explainRefusal);
      state.held.set(record.id, attachment.connections);
      if (record.hostConfig.Links?.length) state.linking.add(record.id);
      for (const { net } of all) networkEvent(events, 'connect', record.id, net);
      return attachment;
    },
    async preview(record) {
      const all = await join(record, async (net) => (await net.ready) ?? assumedReady(state, net));
      const attachment = hold(record, all);
      all.forEach(({ ready }, index) => {
        const address = attachment.connections[index]?.endpoint?.address;
        if (address) ready?.pool.forget(address);
      });
      return attachment;
    },
    async cleanup(record) {
      const ports = await Promise.all(
        record.connections.map(async (connection) => {
          if (!connection.endpoint?.ports.length) return [];
          const { bridge } = await whenReady(state, netOf(state, connection));
          return unpublishOps(bridge, connection.endpoint);
        }),
      );
      return ports.flat();
    },
    release(id) {
      const connections = state.held.get(id) ?? [];
      state.held.delete(id);
      state.linking.delete(id);
      resolvers.close(id);
      giveBack(connections);
      for (const { network, endpoint } of connections) {
        const net = state.byId.get(network);
        if (net && endpoint) networkEvent(events, 'disconnect', id, net);
      }
    },
    distrust(id) {
      for (const { network } of state.held.get(id) ?? []) {
        const net = state.byId.get(network);
        if (net) net.ready = undefined;
      }
    },
    adopt(record) {
      // a document of one network alone names it, without its id
      const connections = record.connections.map((one) => ({
        ...one,
        network: one.network || (state.byName.get(one.name)?.record.id ?? ''),
      }));
      state.held.set(record.id, connections);
      if (record.hostConfig.Links?.length) state.linking.add(record.id);
      for (const { network, endpoint } of connections) {
        if (endpoint && endpoint.address !== '')
          void state.byId
            .get(network)
            ?.ready?.then(({ pool }) => pool.reserve(endpoint.address))
            .catch(() => {});
      }
      if (connections.some(({ network }) => isNamed(state, network))) void resolvers.reopen(record);
      return connections;
    },
    requested: (request) => requestedConnections(state, request),
    isNamed: (record) => record.connections.some((connection) => isNamed(state, netOf(state, connection).record.id)),
  };
}

/** In Docker's words. */
function explainRefusal(error: unknown): never {
  if (isHoistError(error, 'network.not_found') || isHoistError(error, 'network.address_in_use'))
    fail(error.kind, error.code, `failed to set up container networking: ${error.message}`);
  throw error;
}

function isNamed(state: NetworkState, id: string): boolean {
  const net = state.byId.get(id);
  return net !== undefined && isUserNetwork(net);
}
