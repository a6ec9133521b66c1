// The bridge network. Host side: one bridge with an address, forwarding, a firewall table. Container side: a veth pair
// made by one message in the keeper, and one message group in the child. Ops are computed purely; `ensureBridge` runs them.

import { fail, HoistError } from '../base/errors.ts';
import { forgetFlowsTo, forgetUnansweredUdp } from '../plan/conntrack.ts';
import type { NetworkOps } from '../plan/input.ts';
import {
  addAddress,
  addBridge,
  addDefaultRoute,
  addVeth,
  dumpAddresses,
  dumpLinks,
  dumpRoutes,
  hairpin,
  loopbackUp,
  noLinkLocal,
  type Prefix,
  readAddresses,
  readLinks,
  readRoutes,
  routeOp,
  setLinkUp,
  setMac,
} from '../plan/netlink.ts';
import { acceptBridge, dumpForwardChains, dumpRules, hasOurRules, readDroppingChains } from '../plan/nft-foreign.ts';
import {
  addBridgeToFirewall,
  dumpPublications,
  type Publication,
  publish,
  readPublications,
  setUpFirewall,
  unpublish,
} from '../plan/nftables.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { explainFailure } from '../plan/print.ts';
import { errnoName } from '../sys/errno.ts';
import type { Executor } from '../sys/executor.ts';
import { formatAddress, formatPrefix, macOf, parseAddress } from './address.ts';
import { chooseSubnet, firstAddress } from './ipam.ts';
import { isAny, type PublishedPort, withPort } from './ports.ts';

export interface BridgeConfig {
  /** `hoist0` */
  readonly name: string;
  readonly mtu: number;
  /** The bridge's own address and its subnet; undefined: what it has, or the first default subnet that is free. */
  readonly gateway: Prefix | undefined;
  /** The nftables table of this engine: `hoist`, `hoist-<id>`. */
  readonly table: string;
}

/** A bridge that is there. */
export interface Bridge {
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  readonly gateway: Prefix;
  readonly table: string;
}

export interface Endpoint {
  /** The host's end: see `vethName`. */
  readonly veth: string;
  readonly address: string;
  readonly ports?: readonly PublishedPort[];
}

/** eth0 in the container: lo is 1, and what comes next is chosen by us, so that nobody needs to ask for it. */
const eth0 = 2;

/** The name of a start's veth: not of the container alone, since the kernel takes its time to remove the last start's. */
export function vethName(containerId: string, start: number): string {
  return `hv${containerId.slice(0, 10)}${(start & 0xff).toString(16).padStart(2, '0')}`;
}

/** Makes the bridge where it is not there yet, and (again) all that belongs to it; running containers do not notice. */
export async function ensureBridge(executor: Executor, config: BridgeConfig): Promise<Bridge> {
  const answers = await runOps(executor, probeOps(config));
  const [links = none, addresses = none, routes = none] = answers.slice(-3);
  const link = readLinks(links).find(({ name }) => name === config.name);
  if (link === undefined) fail('system', 'network.no_bridge', `the bridge ${config.name} vanished while it was set up`);
  if (link.kind !== 'bridge') {
    fail('conflict', 'network.not_a_bridge', `the network interface ${config.name} exists and is no bridge`);
  }
  const known = readAddresses(addresses);
  const current = known.find(({ index, address }) => index === link.index && address.length === 4);
  const gateway = config.gateway ?? current ?? freeGateway([...known, ...readRoutes(routes)]);
  const bridge = { name: config.name, index: link.index, mtu: config.mtu, gateway, table: config.table };
  await runOps(executor, bridgeOps(bridge));
  await passForeignFirewalls(executor, bridge);
  return bridge;
}

/** Twice is once: rules that are there already are not added again. */
async function passForeignFirewalls(executor: Executor, bridge: Bridge): Promise<void> {
  const [chains = none] = await runOps(executor, [dumpForwardChains()]);
  const dropping = readDroppingChains(chains, bridge.table);
  if (dropping.length === 0) return;
  const rules = await runOps(executor, dropping.map(dumpRules));
  const missing = dropping.filter((_, index) => !hasOurRules(rules[index] ?? none, bridge.name));
  if (missing.length > 0) await runOps(executor, [acceptBridge(missing, bridge.name)]);
}

function freeGateway(taken: readonly Prefix[]): Prefix {
  const subnet = chooseSubnet(taken.filter(({ address }) => address.length === 4));
  return { address: firstAddress(subnet), bits: subnet.bits };
}

/** The bridge, and what is needed to know about the host to go on. */
export function probeOps(config: BridgeConfig): Op[] {
  return [
    routeOp([addBridge({ name: config.name, mtu: config.mtu })], `the bridge ${config.name}`, k.EEXIST),
    dumpLinks('which index the bridge has'),
    dumpAddresses('which subnets are taken'),
    dumpRoutes('which subnets are routed elsewhere'),
  ];
}

/** The rest of the host's side; the same however often it is done. */
export function bridgeOps(bridge: Bridge): Op[] {
  return [
    routeOp(
      [setMac(bridge.index, macOf(bridge.gateway.address))],
      'an address of its own: otherwise it takes that of its ports, and changes with them',
    ),
    routeOp(
      [addAddress(bridge.index, bridge.gateway)],
      `the gateway of its containers: ${formatPrefix(bridge.gateway)}`,
      k.EEXIST,
    ),
    sysctlOp('net/ipv4/ip_forward', '1', 'the host passes packets on between containers and the outside'),
    setUpFirewall(bridge.table),
    addBridgeToFirewall(bridge.table, bridge.name, [bridge.gateway]),
    sysctlOp(`net/ipv4/conf/${bridge.name}/route_localnet`, '1', 'published ports answer on 127.0.0.1 too'),
  ];
}

/** A file of /proc/sys of the namespaces that the executor lives in. */
function sysctlOp(name: string, value: string, why: string): Op {
  return op(
    'writeFile',
    { dir: undefined, path: `/proc/sys/${name}`, data: Buffer.from(value), flags: k.O_WRONLY, mode: 0 },
    why,
  );
}

/** The plan's part of one container on the bridge. */
export function endpointOps(bridge: Bridge, endpoint: Endpoint): NetworkOps {
  const address = parseAddress(endpoint.address);
  if (address === undefined) fail('invalid', 'network.bad_address', `invalid address ${endpoint.address}`);
  const { ports = [] } = endpoint;
  const published = publications(address, ports);
  const peer = { name: 'eth0', index: eth0, mac: macOf(address) };
  return {
    before: ports.flatMap(bindOps),
    setup: [
      routeOp(
        [
          addVeth({ name: endpoint.veth, master: bridge.index, mtu: bridge.mtu, peer }),
          ...(ports.length > 0 ? [hairpin(endpoint.veth)] : []),
        ],
        `a cable from ${bridge.name} (${endpoint.veth}) to the container (eth0)`,
      ),
      ...(ports.length > 0 ? [publish(bridge.table, published, `published: ${describePorts(ports)}`)] : []),
      ...ports
        .filter(({ protocol }) => protocol === 'udp')
        .map(({ hostPort }) =>
          forgetUnansweredUdp(hostPort, address, `clients that sent to ${hostPort}/udp before find it now`),
        ),
    ],
    child: [
      routeOp(
        [
          loopbackUp(),
          // an IPv4 network: eth0 would get a link-local IPv6 address, and talk about it
          noLinkLocal(eth0),
          setLinkUp({ index: eth0 }),
          addAddress(eth0, { address, bits: bridge.gateway.bits }),
          addDefaultRoute(bridge.gateway.address),
        ],
        `lo up; eth0 up with ${endpoint.address}; default route by ${formatAddress(bridge.gateway.address)}`,
        97 /* EAFNOSUPPORT: a kernel without IPv6 */,
      ),
    ],
    cleanup: endpointCleanup(bridge, endpoint),
  };
}

/** What outlives the network namespace: its ports. The veth goes with the namespace, by itself. */
export function endpointCleanup(bridge: Bridge, { address, ports = [] }: Pick<Endpoint, 'address' | 'ports'>): Op[] {
  const bytes = parseAddress(address);
  if (bytes === undefined || ports.length === 0) return [];
  const udp = ports.some(({ protocol }) => protocol === 'udp');
  return [
    unpublish(bridge.table, publications(bytes, ports), `no longer published: ${describePorts(ports)}`),
    ...(udp ? [forgetFlowsTo(bytes, `clients of ${address} that keep sending are to find the next container`)] : []),
  ];
}

/** Takes away ports that no container holds any more: those of keepers that were killed. Returns how many. */
export async function sweepPorts(
  executor: Executor,
  bridge: Bridge,
  endpoints: readonly Pick<Endpoint, 'address' | 'ports'>[],
): Promise<number> {
  const key = (one: Publication): string =>
    [
      one.protocol,
      one.hostAddress?.join('.') ?? '',
      one.hostPort,
      one.containerAddress.join('.'),
      one.containerPort,
    ].join(' ');
  const held = new Set(
    endpoints.flatMap(({ address, ports = [] }) => publications(parseAddress(address) ?? none, ports).map(key)),
  );
  const found = (await runOps(executor, dumpPublications(bridge.table))).flatMap(readPublications);
  const leaked = found.filter((one) => !held.has(key(one)));
  if (leaked.length > 0) await runOps(executor, [unpublish(bridge.table, leaked, 'ports of containers that are gone')]);
  return leaked.length;
}

/**
 * The sentence for a failed op of `endpointOps`, in the words of Docker; undefined where the failure is no affair of ports.
 */
export function explainPortFailure(failed: Op | undefined, errno: number): HoistError | undefined {
  if (failed?.op !== 'bindPort') return undefined;
  const place = `${withPort(formatAddress(failed.address), failed.port)}/${failed.type === k.SOCK_DGRAM ? 'udp' : 'tcp'}`;
  if (errno === k.EADDRINUSE) {
    return new HoistError('conflict', 'port.in_use', `failed to bind host port ${place}: address already in use`, {
      hint: 'another program of this host has the port: `ss -lnp` names it',
    });
  }
  if (errno === EADDRNOTAVAIL) {
    return new HoistError(
      'invalid',
      'port.no_such_address',
      `failed to bind host port ${place}: this host has no such address`,
    );
  }
  return new HoistError('system', 'port.not_bound', `failed to bind host port ${place}: ${errnoName(errno)}`);
}

const EADDRNOTAVAIL = 99;

/** The keeper holds the host's port by a bound socket as long as the container runs: no program can take it meanwhile. */
function bindOps({ protocol, hostIp, hostPort }: PublishedPort, index: number): Op[] {
  const address = parseAddress(hostIp);
  // Node and the op table know no SCTP sockets; the map alone keeps two containers apart there
  if (address === undefined || protocol === 'sctp') return [];
  const type = protocol === 'udp' ? k.SOCK_DGRAM : k.SOCK_STREAM;
  const family = address.length === 4 ? k.AF_INET : k.AF_INET6;
  const why = `no other program takes ${withPort(hostIp, hostPort)}/${protocol} meanwhile`;
  return [op('bindPort', { family, type, address, port: hostPort, out: `port${index}` }, why)];
}

function publications(containerAddress: Uint8Array, ports: readonly PublishedPort[]): Publication[] {
  return ports.map(({ protocol, hostIp, hostPort, containerPort }) => ({
    protocol,
    hostAddress: isAny(hostIp) ? undefined : parseAddress(hostIp),
    hostPort,
    containerAddress,
    containerPort,
  }));
}

function describePorts(ports: readonly PublishedPort[]): string {
  return ports.map((one) => `${withPort(one.hostIp, one.hostPort)}->${one.containerPort}/${one.protocol}`).join(', ');
}

/** --network none: a network namespace with its loopback, and nothing else. */
export function noneOps(): NetworkOps {
  return { before: [], setup: [], child: [routeOp([loopbackUp()], 'lo up')], cleanup: [] };
}

const none = new Uint8Array();

/** Runs ops in the executor; the answers of those that return bytes, in their order. */
export async function runOps(executor: Executor, setup: readonly Op[]): Promise<Uint8Array[]> {
  const plan = { setup, child: [], cleanup: [] };
  const result = await executor.run(plan, 'here');
  if (!result.ok) {
    fail('system', 'network.setup_failed', explainFailure(plan, result.failure, errnoName), {
      hint: 'setting up a network needs CAP_NET_ADMIN and a kernel with bridge, veth and nf_tables',
    });
  }
  return [...result.blobs].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
}
