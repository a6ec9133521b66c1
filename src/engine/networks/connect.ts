// network connect and disconnect: of a container that runs, by a plan that changes its network namespace; of one that does
// not, in its document.

import { fail, HoistError } from '../../base/errors.ts';
import {
  type Attached,
  addressOps,
  cableOps,
  disconnectOps,
  type Rerouting,
  vethName,
} from '../../network/endpoint.ts';
import type { PlannedFile } from '../../plan/input.ts';
import type { Op } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import type { EndpointRequest } from '../../spec/docker/container.ts';
import { errnoName } from '../../sys/errno.ts';
import { type ContainerPool, inTurn, type Live } from '../containers/deps.ts';
import { rewriteInPlace } from '../containers/links.ts';
import { attachedOf, gatewayOf, type Joined, makeEndpoint, networkEvent, portsFor } from '../containers/network.ts';
import { filesOf } from '../containers/prepare.ts';
import {
  type Connection,
  type ContainerRecord,
  type EndpointRecord,
  saveRecord,
  withoutEndpoints,
} from '../containers/record.ts';
import { checkEndpoint, privateMode, sharedMode } from './request.ts';
import type { Resolvers } from './resolvers.ts';
import { isUserNetwork, lookUpNet, type Net, type NetworkState, netOf, whenReady } from './state.ts';

export interface ConnectDeps {
  readonly pool: ContainerPool;
  readonly state: NetworkState;
  readonly resolvers: Resolvers;
}

export function connectContainer(deps: ConnectDeps, live: Live, net: Net, request: EndpointRequest): Promise<void> {
  return inTurn(live, async () => {
    const { record } = live;
    mayConnect(record, net);
    checkEndpoint(deps.state, net.record.name, request, '');
    const there = record.connections.find(({ name }) => name === net.record.name);
    const connection: Connection = { name: net.record.name, network: net.record.id, request };
    if (!isUp(record)) {
      // as Docker: of a container that does not run the last word counts
      const others = record.connections.filter((one) => one !== there);
      hold(deps, live, [...others, { ...connection, network: there?.network ?? '' }]);
      return;
    }
    if (there)
      fail(
        'denied',
        'network.connected',
        `endpoint with name ${record.name} already exists in network ${net.record.name}`,
      );
    await connectRunning(deps, live, net, connection);
  });
}

function isUp({ state }: ContainerRecord): boolean {
  return state.status === 'running' || state.status === 'paused';
}

function mayConnect({ id, hostConfig, connections, state }: ContainerRecord, { record }: Net): void {
  const mode = hostConfig.NetworkMode;
  if (state.status === 'removing' || state.status === 'dead')
    fail(
      'conflict',
      'container.removing',
      `Container ${id} is marked for removal and cannot be connected or disconnected to the network`,
    );
  if (mode.startsWith('container:') || mode === 'host') fail('invalid', 'network.shared', sharedMode);
  if (record.driver === 'host')
    fail(
      'invalid',
      'network.host_mode',
      'cannot connect container to host network - container must be created in host network mode',
    );
  const isPrivate = connections.some(({ name }) => name === 'none');
  if ((isPrivate || record.driver === 'null') && connections.length > 0)
    fail('invalid', 'network.private', privateMode);
  if (record.configOnly)
    fail(
      'denied',
      'network.config_only',
      `cannot connect container to network ${record.name}: it is a configuration network`,
    );
}

async function connectRunning(deps: ConnectDeps, live: Live, net: Net, connection: Connection): Promise<void> {
  const { pool, state } = deps;
  const { record } = live;
  const ready = await whenReady(state, net);
  const before = await joinedOf(state, record);
  const added: Joined = { connection, net, ready };
  const gateway = gatewayOf([...before, added]);
  const isGateway = gateway === added;
  const hadNames = before.some((one) => isUserNetwork(one.net));
  const old = before.find(({ connection: { endpoint } }) => endpoint?.isGateway);
  const place = Math.max(-1, ...before.map(({ connection: { endpoint } }) => endpoint?.place ?? -1)) + 1;
  const ports = isGateway ? (old?.connection.endpoint?.ports ?? portsFor(state, record, net)) : [];
  const endpoint = makeEndpoint(added, {
    veth: freeName(record),
    place: lowestPlace(before, place),
    isGateway,
    ports,
  });
  const connections = [
    ...record.connections.map((one) => (isGateway && one.endpoint ? { ...one, endpoint: demoted(one.endpoint) } : one)),
    { ...connection, endpoint },
  ];
  if (!state.byId.has(net.record.id)) fail('not_found', 'network.not_found', `network ${net.record.name} not found`);
  const files = filesOf(pool, record);
  hold(deps, live, connections); // first: an engine that is killed now must not give the address away
  try {
    const rerouting = isGateway ? { ...portsFrom(old), ...portsTo(added, endpoint) } : {};
    for (const attached of attachedOf(added, endpoint)) await plugIn(pool, record.state.pid, attached, rerouting);
  } catch (error) {
    hold(deps, live, record.connections);
    ready.pool.release(endpoint.address);
    throw error;
  }
  tellContainer(pool, live, files);
  if (isUserNetwork(net) && !hadNames) await deps.resolvers.reopen(live.record, { rules: true });
  networkEvent(pool.deps.events, 'connect', record.id, net);
}

/** All of it, or nothing. */
async function plugIn(pool: ContainerPool, pid: number, attached: Attached, rerouting: Rerouting): Promise<void> {
  try {
    const [dumped = new Uint8Array()] = await run(pool, cableOps(pid, attached, rerouting));
    await run(pool, addressOps(pid, attached, dumped));
  } catch (error) {
    const { publish: back, unpublish: taken } = rerouting;
    const undo = { ...(taken ? { publish: taken } : {}), ...(back ? { unpublish: back } : {}) };
    await run(pool, disconnectOps(pid, attached.endpoint.veth, undo)).catch(() => {}); // the first error says more
    throw error;
  }
}

/** Of the host's end; none of those that the container has now. */
function freeName({ id, connections }: ContainerRecord): string {
  const taken = new Set(connections.map(({ endpoint }) => endpoint?.veth));
  let number = Date.now();
  while (taken.has(vethName(id, number))) number++;
  return vethName(id, number);
}

/** eth numbers are used again, so that a container which comes and goes does not count up for ever. */
function lowestPlace(joined: readonly Joined[], highest: number): number {
  const taken = new Set(joined.map(({ connection: { endpoint } }) => endpoint?.place));
  for (let place = 0; place < highest; place++) if (!taken.has(place)) return place;
  return highest;
}

function demoted(endpoint: EndpointRecord): EndpointRecord {
  return { ...endpoint, isGateway: false, ports: [] };
}

function portsFrom(old: Joined | undefined): Pick<Rerouting, 'unpublish'> {
  const endpoint = old?.connection.endpoint;
  return old?.ready && endpoint ? { unpublish: { bridge: old.ready.bridge, ...endpoint } } : {};
}

function portsTo({ ready }: Joined, endpoint: EndpointRecord): Pick<Rerouting, 'publish'> {
  return ready ? { publish: { bridge: ready.bridge, ...endpoint } } : {};
}

function joinedOf(state: NetworkState, { connections }: ContainerRecord): Promise<Joined[]> {
  return Promise.all(
    connections.map(async (connection) => {
      const net = netOf(state, connection);
      return { connection, net, ready: net.record.driver === 'bridge' ? await whenReady(state, net) : undefined };
    }),
  );
}

export function disconnectContainer(deps: ConnectDeps, live: Live, ref: string, force: boolean): Promise<void> {
  return inTurn(live, async () => {
    const { record } = live;
    const net = lookUpNet(deps.state, ref);
    const name = net?.record.name ?? ref;
    const connection = record.connections.find((one) => one.name === name);
    if (net?.record.driver === 'host' && connection)
      fail(
        'invalid',
        'network.host_mode',
        'cannot disconnect container from host network - container was created in host network mode',
      );
    if (!connection) {
      if (!net && isUp(record)) fail('not_found', 'network.not_found', `network ${ref} not found`);
      const where = net ? `network ${name}` : `the network ${name}`;
      fail('system', 'network.not_connected', `container ${record.id} is not connected to ${where}`);
    }
    const rest = record.connections.filter((one) => one !== connection);
    if (isUp(record) && connection.endpoint && net)
      await disconnectRunning(deps, live, { connection, net, rest }, force);
    else hold(deps, live, rest);
  });
}

interface Leaving {
  readonly connection: Connection;
  readonly net: Net;
  readonly rest: readonly Connection[];
}

async function disconnectRunning(deps: ConnectDeps, live: Live, leaving: Leaving, force: boolean): Promise<void> {
  const { pool, state } = deps;
  const { record } = live;
  const { connection, net, rest } = leaving;
  const others = await joinedOf(state, { ...record, connections: rest });
  const old = connection.endpoint;
  const next = old?.isGateway ? gatewayOf(others) : undefined;
  const promoted = next?.connection.endpoint && {
    ...next.connection.endpoint,
    isGateway: true,
    ports: old?.ports ?? [],
  };
  const connections = rest.map((one) => (promoted && one === next?.connection ? { ...one, endpoint: promoted } : one));
  if (net.record.driver === 'bridge' && old) {
    const { bridge, pool: addresses } = await whenReady(state, net);
    const rerouting: Rerouting = {
      unpublish: { bridge, ...old },
      ...(next?.ready && promoted
        ? { gateway: next.ready.bridge, publish: { bridge: next.ready.bridge, ...promoted } }
        : {}),
    };
    await run(pool, disconnectOps(record.state.pid, old.veth, rerouting)).catch((error: unknown) => {
      if (!force) throw error;
    });
    addresses.release(old.address);
  }
  const files = filesOf(pool, record);
  hold(deps, live, connections);
  tellContainer(pool, live, files);
  if (!others.some((one) => isUserNetwork(one.net))) deps.resolvers.close(record.id);
  networkEvent(pool.deps.events, 'disconnect', record.id, net);
}

async function run({ deps }: ContainerPool, setup: readonly Op[]): Promise<readonly Uint8Array[]> {
  const plan = { setup, child: [], cleanup: [] };
  const result = await deps.executor().run(plan, 'fork');
  if (!result.ok)
    throw new HoistError('system', 'network.change_failed', explainFailure(plan, result.failure, errnoName));
  return [...result.blobs.values()];
}

/** What it has of its networks from now on; nothing but their names, where it has ended meanwhile. */
function hold({ pool, state }: ConnectDeps, live: Live, connections: readonly Connection[]): void {
  const { id } = live.record;
  const ended = !isUp(live.record);
  live.record = { ...live.record, connections: ended ? withoutEndpoints(connections) : connections };
  if (ended) state.held.delete(id);
  else state.held.set(id, connections);
  saveRecord(pool.deps.paths, live.record);
}

/** What the container reads of its networks: its hosts and resolv.conf, where it did not write them itself. */
function tellContainer(pool: ContainerPool, live: Live, before: readonly PlannedFile[]): void {
  if (!isUp(live.record)) return;
  const after = filesOf(pool, live.record);
  before.forEach(({ path, text }, index) => {
    const next = after[index]?.text ?? text;
    rewriteInPlace(path, (found) => (found === text ? next : undefined));
  });
}
