// rtnetlink messages: links, addresses and routes (linux/rtnetlink.h, if_link.h, if_addr.h), and readers of their dumps.
// Each function gives one message; `routeOp` puts several into one op, so that one system call sends them all.

import {
  attr,
  flag,
  type Message,
  nest,
  netlinkOp,
  type Part,
  readAttributes,
  readMessages,
  readText,
  readU32,
  text,
  u8,
  u16,
  u32,
} from './netlink-wire.ts';
import { childSlot, k, type OpOf, type Slot } from './ops.ts';

const newLink = 16;
const delLink = 17;
const getLink = 18;
const newAddress = 20;
const getAddress = 22;
const newRoute = 24;
const getRoute = 26;
const IFF_UP = 1;
const { ack, create, exclusive, dump, replace } = flag;

export function routeOp(messages: readonly Message[], why: string, allow?: number): OpOf<'netlink'> {
  return netlinkOp(k.NETLINK_ROUTE, messages, why, allow);
}

/** An address with its prefix length; 4 bytes or 16. */
export interface Prefix {
  readonly address: Uint8Array;
  readonly bits: number;
}

export interface VethOptions {
  /** The end that stays on this side. */
  readonly name: string;
  /** Index of the bridge that it joins. */
  readonly master: number;
  readonly mtu: number;
  readonly peer: {
    readonly name: string;
    readonly mac: Uint8Array;
    /** Chosen, so that the other side can name it in address messages without asking. */
    readonly index: number;
    /** An open network namespace that the peer goes to; that of the cloned child by default. */
    readonly namespace?: Slot;
  };
}

/**
 * A veth pair in one message: this end up and on the bridge, the peer in another namespace under its final name and
 * index. The peer cannot be created up: the kernel answers ENOTCONN, since its other end does not exist yet.
 */
export function addVeth({ name, master, mtu, peer }: VethOptions): Message {
  const other = [
    linkHeader({ index: peer.index }),
    attr(ifla.name, text(peer.name)),
    attr(ifla.address, peer.mac),
    attr(ifla.mtu, u32(mtu)),
    peer.namespace === undefined
      ? attr(ifla.netNsPid, { slot: childSlot })
      : attr(28 /* IFLA_NET_NS_FD */, { slot: peer.namespace }),
  ];
  return {
    type: newLink,
    flags: ack | create | exclusive,
    body: [
      linkHeader({ up: true }),
      attr(ifla.name, text(name)),
      attr(ifla.mtu, u32(mtu)),
      attr(ifla.master, u32(master)),
      linkInfo('veth', attr(1 /* VETH_INFO_PEER */, ...other)),
    ],
  };
}

export interface BridgePort {
  /**
   * Frames go back where they came from: a container that asks for its own published port is answered by itself, and
   * where br_netfilter is loaded that never leaves the bridge.
   */
  readonly hairpin: boolean;
  /** Nothing passes between this port and others that are isolated too; to and from the host it does. */
  readonly isolated: boolean;
}

export function setBridgePort(name: string, { hairpin, isolated }: BridgePort): Message {
  const mode = nest(
    5 /* IFLA_INFO_SLAVE_DATA */,
    attr(4 /* IFLA_BRPORT_MODE */, u8(hairpin ? 1 : 0)),
    attr(33 /* IFLA_BRPORT_ISOLATED */, u8(isolated ? 1 : 0)),
  );
  return {
    type: newLink,
    flags: ack,
    body: [
      linkHeader({}),
      attr(ifla.name, text(name)),
      nest(ifla.linkInfo, attr(4 /* IFLA_INFO_SLAVE_KIND */, text('bridge')), mode),
    ],
  };
}

/** A bridge, up, without spanning tree and without its forwarding delay. */
export function addBridge({ name, mtu }: { readonly name: string; readonly mtu: number }): Message {
  return {
    type: newLink,
    flags: ack | create | exclusive,
    body: [
      linkHeader({ up: true }),
      attr(ifla.name, text(name)),
      attr(ifla.mtu, u32(mtu)),
      linkInfo('bridge', attr(1 /* IFLA_BR_FORWARD_DELAY */, u32(0)), attr(5 /* IFLA_BR_STP_STATE */, u32(0))),
    ],
  };
}

export function setMac(index: number, mac: Uint8Array): Message {
  return { type: newLink, flags: ack, body: [linkHeader({ index }), attr(ifla.address, mac)] };
}

/** No IPv6 address by itself (IFLA_AF_SPEC): for a link that is still down. EAFNOSUPPORT where the kernel has no IPv6. */
export function noLinkLocal(index: number): Message {
  const mode = nest(k.AF_INET6, attr(8 /* IFLA_INET6_ADDR_GEN_MODE */, u8(1 /* none */)));
  return { type: newLink, flags: ack, body: [linkHeader({ index }), nest(26 /* IFLA_AF_SPEC */, mode)] };
}

/** A link set up, by its index, or by its name where the index is 0. */
export function setLinkUp(link: { readonly index: number; readonly name?: string }): Message {
  const name = link.name === undefined ? [] : [attr(ifla.name, text(link.name))];
  return { type: newLink, flags: ack, body: [linkHeader({ up: true, index: link.index }), ...name] };
}

/** lo has index 1 in every network namespace; up brings 127.0.0.1 and ::1. */
export function loopbackUp(): Message {
  return setLinkUp({ index: 1 });
}

export function deleteLink(name: string): Message {
  return { type: delLink, flags: ack, body: [linkHeader({}), attr(ifla.name, text(name))] };
}

export function addAddress(index: number, { address, bits }: Prefix): Message {
  const v4 = address.length === 4;
  return {
    type: newAddress,
    flags: ack | create | exclusive,
    body: [
      // IFA_F_NODAD: the address was given out by us, nobody else can have it, and a second of silence would be felt
      Uint8Array.of(v4 ? k.AF_INET : k.AF_INET6, bits, v4 ? 0 : 0x02, 0),
      u32(index),
      attr(2 /* IFA_LOCAL */, address),
      attr(1 /* IFA_ADDRESS */, address),
      ...(v4 && bits < 31 ? [attr(4 /* IFA_BROADCAST */, broadcast(address, bits))] : []),
    ],
  };
}

/** The default route, by a gateway that is on one of the links; takes the place of the one that there is. */
export function setDefaultRoute(gateway: Uint8Array): Message {
  const family = gateway.length === 4 ? k.AF_INET : k.AF_INET6;
  return {
    type: newRoute,
    flags: ack | create | replace,
    // rtmsg: no prefix, table main (254), protocol boot (3), scope universe, unicast
    body: [Uint8Array.of(family, 0, 0, 0, 254, 3, 0, 1), u32(0), attr(5 /* RTA_GATEWAY */, gateway)],
  };
}

export function dumpLinks(why: string): OpOf<'netlink'> {
  return routeOp([{ type: getLink, flags: dump, body: [linkHeader({})] }], why);
}

/** All addresses, of both families. */
export function dumpAddresses(why: string): OpOf<'netlink'> {
  return routeOp([{ type: getAddress, flags: dump, body: [new Uint8Array(8)] }], why);
}

/** All IPv4 routes. */
export function dumpRoutes(why: string): OpOf<'netlink'> {
  return routeOp([{ type: getRoute, flags: dump, body: [u8(k.AF_INET), new Uint8Array(11)] }], why);
}

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly mac: Uint8Array;
  readonly master: number;
  readonly up: boolean;
}

export function readLinks(dumped: Uint8Array): Link[] {
  return readMessages(dumped)
    .filter(({ type, body }) => type === newLink && body.length >= 16)
    .map(({ body }) => {
      const found = readAttributes(body, 16);
      return {
        index: readU32(body.subarray(4)),
        name: readText(found.get(ifla.name)),
        kind: readText(readAttributes(found.get(ifla.linkInfo) ?? new Uint8Array()).get(1)),
        mac: found.get(ifla.address) ?? new Uint8Array(),
        master: readU32(found.get(ifla.master)),
        up: (readU32(body.subarray(8)) & IFF_UP) !== 0,
      };
    });
}

export interface LinkAddress extends Prefix {
  readonly index: number;
}

export function readAddresses(dumped: Uint8Array): LinkAddress[] {
  return readMessages(dumped)
    .filter(({ type, body }) => type === newAddress && body.length >= 8)
    .map(({ body }) => {
      const found = readAttributes(body, 8);
      return {
        index: readU32(body.subarray(4)),
        bits: body[1] ?? 0,
        address: found.get(2) ?? found.get(1) ?? new Uint8Array(),
      };
    });
}

/** Destinations of the routes in use, the default route left out. */
export function readRoutes(dumped: Uint8Array): Prefix[] {
  return readMessages(dumped)
    .filter(({ type, body }) => type === newRoute && body.length >= 12)
    .map(({ body }) => ({ bits: body[1] ?? 0, address: readAttributes(body, 12).get(1) ?? new Uint8Array() }))
    .filter(({ address, bits }) => address.length > 0 && bits > 0);
}

const ifla = { address: 1, name: 3, mtu: 4, master: 10, linkInfo: 18, netNsPid: 19 } as const;

/** struct ifinfomsg */
function linkHeader({ index = 0, up = false }: { readonly index?: number; readonly up?: boolean }): Uint8Array {
  const flags = up ? IFF_UP : 0;
  return Buffer.concat([u16(0), u16(0), u32(index), u32(flags), u32(flags)]);
}

function linkInfo(kind: string, ...data: readonly Part[]): Part {
  return nest(ifla.linkInfo, attr(1 /* IFLA_INFO_KIND */, text(kind)), nest(2 /* IFLA_INFO_DATA */, ...data));
}

function broadcast(address: Uint8Array, bits: number): Uint8Array {
  return address.map((byte, index) => byte | (0xff >> Math.max(0, Math.min(8, bits - index * 8))));
}
