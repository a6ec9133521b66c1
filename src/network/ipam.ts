// Address management: which subnet a bridge gets, and which address each container of it. Pure; the engine tells a new
// pool at start which addresses running containers hold.

import { fail } from '../base/errors.ts';
import type { Prefix } from '../plan/netlink.ts';
import { contains, formatAddress, formatPrefix, networkOf, overlaps, parseAddress, parsePrefix } from './address.ts';

export interface Pool {
  readonly subnet: Prefix;
  readonly gateway: string;
  /** The next free address. Fails with `network.no_addresses`. */
  allocate(): string;
  /** Takes one address. Fails with `network.bad_address` outside the subnet, `network.address_in_use`. */
  reserve(address: string): void;
  /** Gives an address back; one that is not held is no error. */
  release(address: string): void;
  /** The same for one that nobody has used: it is the next to be given again, where it was the last. */
  forget(address: string): void;
}

export interface PoolOptions {
  readonly subnet: Prefix;
  readonly gateway: string;
  /** Its name, for messages. */
  readonly network: string;
  /** Addresses that nobody asked for come from this part of the subnet alone. */
  readonly range?: Prefix | undefined;
  /** Addresses that are somebody else's. */
  readonly reserved?: readonly string[];
}

/** IPv4 addresses of one subnet; never its network, broadcast or gateway address. */
export function createPool({ subnet, gateway, network, range = subnet, reserved = [] }: PoolOptions): Pool {
  const base = toNumber(networkOf(subnet).address);
  const count = 2 ** (32 - subnet.bits);
  const offsetOf = (address: string): number => {
    const bytes = bytesOf(address, network);
    if (!contains(subnet, bytes)) {
      fail(
        'invalid',
        'network.bad_address',
        `address ${address} is not in the subnet ${formatPrefix(subnet)} of network ${network}`,
      );
    }
    return toNumber(bytes) - base;
  };
  const held = new Set<number>([gateway, ...reserved].map(offsetOf));
  if (subnet.bits < 31) held.add(0).add(count - 1);
  const kept = new Set(held);
  // Addresses go round: one that was just given back still has a dying link and neighbours that remember it.
  const first = toNumber(networkOf(range).address) - base;
  const rangeCount = 2 ** (32 - range.bits);
  let next = 0;
  return {
    subnet,
    gateway,
    allocate() {
      for (let tried = 0; tried < rangeCount && held.size < count; tried++) {
        const offset = first + next;
        next = (next + 1) % rangeCount;
        if (held.has(offset)) continue;
        held.add(offset);
        return formatAddress(toBytes(base + offset));
      }
      return fail(
        'conflict',
        'network.no_addresses',
        `no available IPv4 addresses on this network's address pools: ${network}`,
      );
    },
    reserve(address) {
      const offset = offsetOf(address);
      if (held.has(offset)) fail('denied', 'network.address_in_use', 'Address already in use');
      held.add(offset);
    },
    release(address) {
      const offset = offsetOf(address);
      if (!kept.has(offset)) held.delete(offset);
    },
    forget(address) {
      this.release(address);
      const place = offsetOf(address) - first;
      if ((place + 1) % rangeCount === next) next = place;
    },
  };
}

/** Docker's default pools: 172.17 to 172.31 as /16, then 192.168 in /20. */
function* defaultSubnets(): Generator<string> {
  for (let second = 17; second < 32; second++) yield `172.${second}.0.0/16`;
  for (let third = 0; third < 256; third += 16) yield `192.168.${third}.0/20`;
}

/** The first default subnet that touches no address or route of this host. Fails with `network.no_subnet`. */
export function chooseSubnet(taken: readonly Prefix[]): Prefix {
  for (const text of defaultSubnets()) {
    const subnet = parsePrefix(text);
    if (!taken.some((other) => overlaps(subnet, other))) return subnet;
  }
  return fail('conflict', 'network.no_subnet', 'all predefined address pools have been fully subnetted', {
    hint: 'every default subnet (172.17.0.0/16 and following) collides with an address or route of this host',
  });
}

/** The gateway of a subnet by default: its first address. */
export function firstAddress(subnet: Prefix): Uint8Array {
  return toBytes(toNumber(networkOf(subnet).address) + 1);
}

function bytesOf(address: string, network: string): Uint8Array {
  const bytes = parseAddress(address);
  if (bytes?.length !== 4)
    fail('invalid', 'network.bad_address', `invalid IPv4 address ${address} for network ${network}`);
  return bytes;
}

function toNumber(address: Uint8Array): number {
  return address.reduce((sum, byte) => sum * 256 + byte, 0);
}

function toBytes(number: number): Uint8Array {
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}
