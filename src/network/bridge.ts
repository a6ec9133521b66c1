// The host's side of a bridge network: one bridge with an address, forwarding, its place in the firewall. Ops are computed
// purely; `ensureBridge` and `removeBridge` run them. The containers' side is in endpoint.ts.

import { fail } from '../base/errors.ts';
import {
  addAddress,
  addBridge,
  deleteLink,
  dumpAddresses,
  dumpLinks,
  dumpRoutes,
  type Prefix,
  readAddresses,
  readLinks,
  readRoutes,
  routeOp,
  setMac,
} from '../plan/netlink.ts';
import {
  acceptBridge,
  dumpForwardChains,
  dumpRules,
  type ForeignChain,
  hasOurRules,
  readDroppingChains,
  removeOurRules,
} from '../plan/nft-foreign.ts';
import { batchOp } from '../plan/nft-wire.ts';
import {
  addBridgeToFirewall,
  type FirewalledBridge,
  removeBridgeFromFirewall,
  setUpFirewall,
} from '../plan/nftables.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { explainFailure } from '../plan/print.ts';
import { errnoName } from '../sys/errno.ts';
import type { Executor } from '../sys/executor.ts';
import { formatPrefix, macOf } from './address.ts';
import { chooseSubnet, firstAddress } from './ipam.ts';

export interface BridgeConfig {
  /** `hoist0` */
  readonly name: string;
  readonly mtu: number;
  /** The bridge's own address and its subnet; undefined: what it has, or the first default subnet that is free. */
  readonly gateway: Prefix | undefined;
  /** The nftables table of this engine: `hoist`, `hoist-<id>`. */
  readonly table: string;
  /** It is in a network namespace of its own: published ports are bound outside, and passed on. */
  readonly forward?: boolean;
  readonly traffic?: Traffic;
}

/** What may pass. */
export interface Traffic {
  /** Containers reach each other and this host, nothing else. */
  readonly internal: boolean;
  /** Containers reach each other. */
  readonly icc: boolean;
  /** Containers leave with the host's address. */
  readonly masquerade: boolean;
}

export const ordinaryTraffic: Traffic = { internal: false, icc: true, masquerade: true };

/** A bridge that is there. */
export interface Bridge {
  readonly name: string;
  readonly index: number;
  readonly mtu: number;
  readonly gateway: Prefix;
  readonly table: string;
  readonly forward?: boolean;
  readonly traffic: Traffic;
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
  const { name, mtu, table, traffic = ordinaryTraffic } = config;
  const bridge = { name, index: link.index, mtu, gateway, table, traffic, forward: config.forward ?? false };
  await runOps(executor, bridgeOps(bridge));
  if (!traffic.internal) await passForeignFirewalls(executor, bridge);
  return bridge;
}

/** Takes away the bridge and everything that was made for it; what is gone already is no error. */
export async function removeBridge(
  executor: Executor,
  config: BridgeConfig & { readonly gateway: Prefix },
): Promise<void> {
  const chains = await foreignChains(executor, config.table);
  const rules = chains.length === 0 ? [] : await runOps(executor, chains.map(dumpRules));
  const ours = chains.flatMap((chain, index) => removeOurRules(chain, rules[index] ?? none, config.name));
  const plan = {
    setup: [],
    child: [],
    cleanup: [
      ...(ours.length > 0 ? [batchOp(ours, `nothing is left to pass to ${config.name}`)] : []),
      removeBridgeFromFirewall(config.table, firewalled({ ...config, traffic: config.traffic ?? ordinaryTraffic })),
      routeOp([deleteLink(config.name)], `the bridge ${config.name} goes`, k.ENODEV),
    ],
  };
  await executor.run(plan, 'here');
}

function firewalled({ name, gateway, traffic }: Pick<Bridge, 'name' | 'gateway' | 'traffic'>): FirewalledBridge {
  return { name, subnets: [gateway], ...traffic };
}

/** Whether an interface of that name is there. */
export async function hasInterface(executor: Executor, name: string): Promise<boolean> {
  const [links = none] = await runOps(executor, [dumpLinks('whether the name is free')]);
  return readLinks(links).some((link) => link.name === name);
}

/** A default subnet that touches nothing of this host, and none of `others`. */
export async function freeSubnet(executor: Executor, others: readonly Prefix[]): Promise<Prefix> {
  const [addresses = none, routes = none] = await runOps(executor, [
    dumpAddresses('which subnets are taken'),
    dumpRoutes('which subnets are routed elsewhere'),
  ]);
  const taken = [...others, ...readAddresses(addresses), ...readRoutes(routes)];
  return chooseSubnet(taken.filter(({ address }) => address.length === 4));
}

/** Twice is once: rules that are there already are not added again. */
async function passForeignFirewalls(executor: Executor, bridge: Bridge): Promise<void> {
  const dropping = await foreignChains(executor, bridge.table);
  if (dropping.length === 0) return;
  const rules = await runOps(executor, dropping.map(dumpRules));
  const missing = dropping.filter((_, index) => !hasOurRules(rules[index] ?? none, bridge.name));
  if (missing.length > 0) await runOps(executor, [acceptBridge(missing, bridge.name)]);
}

async function foreignChains(executor: Executor, own: string): Promise<readonly ForeignChain[]> {
  const [chains = none] = await runOps(executor, [dumpForwardChains()]);
  return readDroppingChains(chains, own);
}

function freeGateway(taken: readonly Prefix[]): Prefix {
  const subnet = chooseSubnet(taken.filter(({ address }) => address.length === 4));
  return { address: firstAddress(subnet), bits: subnet.bits };
}

/** The bridge, and what is needed to know about the host to go on. */
function probeOps(config: BridgeConfig): Op[] {
  return [
    routeOp([addBridge({ name: config.name, mtu: config.mtu })], `the bridge ${config.name}`, k.EEXIST),
    dumpLinks('which index the bridge has'),
    dumpAddresses('which subnets are taken'),
    dumpRoutes('which subnets are routed elsewhere'),
  ];
}

/** The rest of the host's side; the same however often it is done. */
function bridgeOps(bridge: Bridge): Op[] {
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
    addBridgeToFirewall(bridge.table, firewalled(bridge)),
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
