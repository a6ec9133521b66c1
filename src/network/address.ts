// Internet addresses between their text and their bytes, and the arithmetic of subnets. Pure.

import { isIPv4, isIPv6 } from 'node:net';
import { fail } from '../base/errors.ts';
import type { Prefix } from '../plan/netlink.ts';

/** 4 or 16 bytes of `172.17.0.2` or `fd00::1`; undefined for anything else (zones are refused). */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // A dotted tail counts for two groups
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const plain = dotted
    ? `${dotted[1]}${group(Number(dotted[2]), Number(dotted[3]))}:${group(Number(dotted[4]), Number(dotted[5]))}`
    : text;
  const [head = '', tail] = plain.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return Uint8Array.from(groups.flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 0xff]));
}

/** The text of 4 or 16 bytes, IPv6 as RFC 5952 wants it. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => group(address[i * 2] ?? 0, address[i * 2 + 1] ?? 0));
  const zeros = [...groups.join(':').matchAll(/\b0(?::0\b)+/g)].sort((a, b) => b[0].length - a[0].length)[0];
  const whole = groups.join(':');
  if (zeros === undefined) return whole;
  const before = whole.slice(0, zeros.index).replace(/:$/, '');
  return `${before}::${whole.slice(zeros.index + zeros[0].length).replace(/^:/, '')}`;
}

function group(high: number, low: number): string {
  return ((high << 8) | low).toString(16);
}

/** `172.17.0.0/16`; fails with `network.bad_subnet`. The address may be one inside the subnet. */
export function parsePrefix(text: string): Prefix {
  const [, head = '', size = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(head);
  const bits = Number(size);
  if (address === undefined || size === '' || bits > address.length * 8) {
    fail('invalid', 'network.bad_subnet', `invalid subnet ${text}: use the form 172.30.0.0/16`);
  }
  return { address, bits };
}

export function formatPrefix({ address, bits }: Prefix): string {
  return `${formatAddress(address)}/${bits}`;
}

/** The first address of the subnet that `prefix` lies in. */
export function networkOf({ address, bits }: Prefix): Prefix {
  return { address: address.map((byte, index) => byte & ~(0xff >> Math.max(0, Math.min(8, bits - index * 8)))), bits };
}

export function contains(subnet: Prefix, address: Uint8Array): boolean {
  if (subnet.address.length !== address.length) return false;
  const inside = networkOf({ address, bits: subnet.bits }).address;
  return networkOf(subnet).address.every((byte, index) => byte === inside[index]);
}

export function overlaps(a: Prefix, b: Prefix): boolean {
  return a.bits <= b.bits ? contains(a, b.address) : contains(b, a.address);
}

/** Docker's way: 02:42 and the four bytes of the address, so that a reused address keeps its neighbours' ARP entries true. */
export function macOf(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0x02, 0x42, ...address.subarray(-4));
}

export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** 6 bytes of `02:42:ac:11:00:02`; undefined for anything else. */
export function parseMac(text: string): Uint8Array | undefined {
  return /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(text)
    ? Uint8Array.from(text.split(/[:-]/).map((byte) => Number.parseInt(byte, 16)))
    : undefined;
}
