// The containers' side of bridge networks: for each a veth pair, made by one message in the keeper right after clone, and
// one group of messages in the child; published ports. Also for containers that run already. Ops, computed purely.

import { fail } from '../base/errors.ts';
import type { NetworkOps } from '../plan/input.ts';
import {
  addAddress,
  addVeth,
  deleteLink,
  dumpLinks,
  loopbackUp,
  noLinkLocal,
  readLinks,
  routeOp,
  setBridgePort,
  setDefaultRoute,
  setLinkUp,
} from '../plan/netlink.ts';
import type { Message } from '../plan/netlink-wire.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { formatAddress, macOf, parseAddress } from './address.ts';
import type { Bridge } from './bridge.ts';
import type { PublishedPort } from './ports.ts';
import { bindOps, forwardOps, publishOps, unpublishOps } from './publish.ts';

export interface Endpoint {
  /** The host's end: see `vethName`. */
  readonly veth: string;
  readonly address: string;
  /** Of its own choice; by default made from the address. */
  readonly mac?: Uint8Array;
  /** Which one it is: 0 is eth0. */
  readonly place?: number;
  /** Whether the default route goes this way (default: it does). */
  readonly isGateway?: boolean;
  readonly ports?: readonly PublishedPort[];
}

/** A container on a bridge. */
export interface Attached {
  readonly bridge: Bridge;
  readonly endpoint: Endpoint;
}

/** The name of a start's veth: not of the container alone, since the kernel takes its time to remove the last start's. */
export function vethName(containerId: string, start: number): string {
  return `hv${containerId.slice(0, 10)}${(start & 0xff).toString(16).padStart(2, '0')}`;
}

/** eth0 in the container: lo is 1, and what comes next is chosen by us, so that nobody needs to ask for it. */
function indexOf({ place = 0 }: Endpoint): number {
  return 2 + place;
}

function interfaceOf({ place = 0 }: Pick<Endpoint, 'place'>): string {
  return `eth${place}`;
}

/** The plan's part of one container on a bridge. */
export function endpointOps(bridge: Bridge, endpoint: Endpoint): NetworkOps {
  return attachedOps([{ bridge, endpoint }]);
}

/** The plan's part of one container on its bridges. */
export function attachedOps(all: readonly Attached[]): NetworkOps {
  const parts = all.map(({ bridge, endpoint }) => ({ bridge, endpoint, address: bytesOf(endpoint.address) }));
  return {
    before: parts.flatMap(({ bridge, endpoint }) =>
      (endpoint.ports ?? []).flatMap((port, index) => bindOps(port, index, bridge.forward)),
    ),
    setup: parts.flatMap(({ bridge, endpoint }) => [
      cableOp(bridge, endpoint, undefined),
      ...publishOps(bridge, endpoint),
      ...(bridge.forward ? forwardOps(endpoint) : []),
    ]),
    child: parts.map(({ bridge, endpoint, address }, index) =>
      routeOp(
        [...(index === 0 ? [loopbackUp()] : []), ...addressMessages(bridge, endpoint, indexOf(endpoint))],
        `${index === 0 ? 'lo up; ' : ''}${interfaceOf(endpoint)} up with ${formatAddress(address)}${
          (endpoint.isGateway ?? true) ? `; default route by ${formatAddress(bridge.gateway.address)}` : ''
        }`,
        97 /* EAFNOSUPPORT: a kernel without IPv6 */,
      ),
    ),
    cleanup: parts.flatMap(({ bridge, endpoint }) => unpublishOps(bridge, endpoint)),
  };
}

function bytesOf(address: string): Uint8Array {
  return parseAddress(address) ?? fail('invalid', 'network.bad_address', `invalid address ${address}`);
}

/** The pair itself; its other end goes to an open network namespace, or to the child of the plan. */
function cableOp(bridge: Bridge, endpoint: Endpoint, namespace: string | undefined): Op {
  const address = bytesOf(endpoint.address);
  const hairpin = (endpoint.ports ?? []).length > 0;
  const isolated = !bridge.traffic.icc;
  const name = interfaceOf(endpoint);
  const peer = {
    name,
    // into a namespace with a life of its own goes what the kernel chooses: an index may be taken, or not be free yet
    index: namespace === undefined ? indexOf(endpoint) : 0,
    mac: endpoint.mac ?? macOf(address),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return routeOp(
    [
      addVeth({ name: endpoint.veth, master: bridge.index, mtu: bridge.mtu, peer }),
      ...(hairpin || isolated ? [setBridgePort(endpoint.veth, { hairpin, isolated })] : []),
    ],
    `a cable from ${bridge.name} (${endpoint.veth}) to the container (${name})`,
  );
}

function addressMessages(bridge: Bridge, endpoint: Endpoint, index: number): Message[] {
  return [
    // an IPv4 network: it would get a link-local IPv6 address, and talk about it
    noLinkLocal(index),
    setLinkUp({ index }),
    addAddress(index, { address: bytesOf(endpoint.address), bits: bridge.gateway.bits }),
    ...((endpoint.isGateway ?? true) ? [setDefaultRoute(bridge.gateway.address)] : []),
  ];
}

/** What a change of networks does to a container that runs: to the default route, and to where its ports lead. */
export interface Rerouting {
  /** Where the default route goes from now on; undefined: it stays, or went with its interface. */
  readonly gateway?: Bridge;
  /** Ports that lead elsewhere from now on. */
  readonly unpublish?: { readonly bridge: Bridge; readonly address: string; readonly ports: readonly PublishedPort[] };
  readonly publish?: { readonly bridge: Bridge; readonly address: string; readonly ports: readonly PublishedPort[] };
}

/**
 * A container that runs gets one more network: the cable, and its ports. For a fork: it goes over to the container's
 * network namespace, and returns a dump of the links there: which index the kernel gave to this one says `addressOps`.
 */
export function cableOps(pid: number, { bridge, endpoint }: Attached, { publish, unpublish }: Rerouting): Op[] {
  return [
    openNamespace(pid),
    cableOp(bridge, endpoint, 'net'),
    ...(unpublish ? unpublishOps(unpublish.bridge, unpublish) : []),
    ...(publish ? publishOps(publish.bridge, publish) : []),
    enterNamespace,
    dumpLinks('which index the interface has there'),
  ];
}

/** `dumped`: the answer to cableOps. */
export function addressOps(pid: number, { bridge, endpoint }: Attached, dumped: Uint8Array): Op[] {
  const name = interfaceOf(endpoint);
  const link = readLinks(dumped).find((one) => one.name === name);
  if (link === undefined) fail('system', 'network.no_interface', `the interface ${name} vanished while it was set up`);
  return [
    openNamespace(pid),
    enterNamespace,
    routeOp(
      addressMessages(bridge, endpoint, link.index),
      `${name} up with ${endpoint.address}`,
      97 /* EAFNOSUPPORT: a kernel without IPv6 */,
    ),
  ];
}

/** The other way round; the interface goes with its other end. */
export function disconnectOps(pid: number, veth: string, { gateway, publish, unpublish }: Rerouting): Op[] {
  return [
    openNamespace(pid),
    ...(unpublish ? unpublishOps(unpublish.bridge, unpublish) : []),
    ...(veth === '' ? [] : [routeOp([deleteLink(veth)], `the cable ${veth} goes`, k.ENODEV)]),
    ...(publish ? publishOps(publish.bridge, publish) : []),
    ...(gateway
      ? [
          enterNamespace,
          routeOp(
            [setDefaultRoute(gateway.gateway.address)],
            `default route by ${formatAddress(gateway.gateway.address)}`,
          ),
        ]
      : []),
  ];
}

export function openNamespace(pid: number): Op {
  return op(
    'open',
    { dir: undefined, path: `/proc/${pid}/ns/net`, flags: k.O_RDONLY, mode: 0, resolve: 0, out: 'net' },
    "the container's network namespace",
  );
}

export const enterNamespace: Op = op(
  'setns',
  { slot: 'net', flags: k.CLONE_NEWNET },
  "what follows is done in the container's network namespace",
);

/** --network none: a network namespace with its loopback, and nothing else. */
export function noneOps(): NetworkOps {
  return { before: [], setup: [], child: [routeOp([loopbackUp()], 'lo up')], cleanup: [] };
}
