// nf_tables messages (linux/netfilter/nf_tables.h): batches of tables, chains, sets, rules and elements, and the few
// expressions that our rules are made of. Numbers inside netfilter attributes are big endian.

import { attr, be16, be32, flag, type Message, nest, netlinkOp, type Part, text, u8, u32 } from './netlink-wire.ts';
import { k, type OpOf } from './ops.ts';

export const family = { any: 0, inet: 1, ip: 2, ip6: 10 } as const;
const subsystem = 10;
const message = {
  newTable: 0,
  delTable: 2,
  newChain: 3,
  getChain: 4,
  newRule: 6,
  getRule: 7,
  delRule: 8,
  newSet: 9,
  newElement: 12,
  getElement: 13,
  delElement: 14,
} as const;
type Kind = keyof typeof message;

/** A message about our own tables, or (`of`) about those of another family. */
export function nft(kind: Kind, flags: number, ...body: readonly Part[]): Message {
  return nftOf(family.inet, kind, flags, ...body);
}

export function nftOf(of: number, kind: Kind, flags: number, ...body: readonly Part[]): Message {
  return { type: (subsystem << 8) | message[kind], flags, body: [header(of), ...body] };
}

/** One transaction: all of it happens, or nothing. Only the last message asks for an answer; errors come unasked. */
export function batchOp(messages: readonly Message[], why: string, allow?: number): OpOf<'netlink'> {
  const last = messages.length - 1;
  const inner = messages.map((one, index) => (index === last ? { ...one, flags: one.flags | flag.ack } : one));
  const mark = (type: number): Message => ({ type, flags: 0, body: [u8(0), u8(0), be16(subsystem)] });
  return netlinkOp(k.NETLINK_NETFILTER, [mark(16), ...inner, mark(17)], why, allow);
}

export function dumpOp(request: Message, why: string, allow?: number): OpOf<'netlink'> {
  return netlinkOp(k.NETLINK_NETFILTER, [{ ...request, flags: flag.dump }], why, allow);
}

function header(of: number): Part {
  return Uint8Array.of(of, 0, 0, 0);
}

export function newTable(table: string): Message {
  return nft('newTable', flag.create, attr(1, text(table)));
}

export function deleteTable(table: string): Message {
  return nft('delTable', 0, attr(1, text(table)));
}

export const hook = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

export interface BaseChain {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof hook;
  readonly priority: number;
}

export function newChain(table: string, chain: BaseChain): Message {
  return nft(
    'newChain',
    flag.create,
    attr(1, text(table)),
    attr(3, text(chain.name)),
    nest(4, attr(1, be32(hook[chain.hook])), attr(2, be32(chain.priority))),
    attr(5, be32(verdict.accept)),
    attr(7, text(chain.type)),
  );
}

/** Takes away every rule of a table; chains and sets stay. */
export function flushRules(table: string): Message {
  return nft('delRule', 0, attr(1, text(table)));
}

export function newRule(table: string, chain: string, expressions: readonly Part[]): Message {
  return nft('newRule', flag.create | flag.append, attr(1, text(table)), attr(2, text(chain)), nest(4, ...expressions));
}

/** nft's own type numbers, six bits each in a concatenation: the kernel only stores them, `nft list` shows by them. */
const datatypes = { ipv4: [7, 4], ipv6: [8, 16], protocol: [12, 4], port: [13, 4], interface: [41, 16] } as const;
export type Field = keyof typeof datatypes;

const typeOf = (fields: readonly Field[]): number => fields.reduce((sum, one) => (sum << 6) | datatypes[one][0], 0);
/** Every field takes whole registers of 4 bytes. */
export const lengthOf = (fields: readonly Field[]): number => fields.reduce((sum, one) => sum + datatypes[one][1], 0);

export interface SetDefinition {
  readonly name: string;
  readonly key: readonly Field[];
  /** A map's values. */
  readonly data?: readonly Field[];
  readonly interval?: boolean;
}

export function newSet(table: string, { name, key, data, interval = false }: SetDefinition, id: number): Message {
  const flags = (interval ? 0x4 : 0) | (data === undefined ? 0 : 0x8);
  return nft(
    'newSet',
    flag.create,
    attr(1, text(table)),
    attr(2, text(name)),
    attr(3, be32(flags)),
    attr(4, be32(typeOf(key))),
    attr(5, be32(lengthOf(key))),
    ...(data === undefined ? [] : [attr(6, be32(typeOf(data))), attr(7, be32(lengthOf(data)))]),
    attr(10, be32(id)),
    // For `nft list` alone: names of interfaces are in the machine's byte order (libnftnl's NFTNL_UDATA_SET_KEYBYTEORDER)
    ...(key.length === 1 && key[0] === 'interface' ? [attr(13, Uint8Array.of(0, 4), u32(1))] : []),
  );
}

export interface Element {
  readonly key: Uint8Array;
  readonly data?: Uint8Array;
  /** In interval sets: the first value after the interval. */
  readonly end?: boolean;
}

export function elements(
  kind: 'newElement' | 'delElement',
  table: string,
  set: string,
  list: readonly Element[],
): Message {
  const one = ({ key, data, end = false }: Element): Part =>
    nest(
      1,
      nest(1, attr(1, key)),
      ...(data === undefined || kind === 'delElement' ? [] : [nest(2, attr(1, data))]),
      ...(end ? [attr(3, be32(1))] : []),
    );
  return nft(
    kind,
    kind === 'newElement' ? flag.create : 0,
    attr(1, text(table)),
    attr(2, text(set)),
    nest(3, ...list.map(one)),
  );
}

// Registers: 8 to 23 are the sixteen of 4 bytes each.
export const register = (index: number): number => 8 + index;
export const verdict = { drop: 0, accept: 1 } as const;

export function expression(name: string, ...data: readonly Part[]): Part {
  return nest(1, attr(1, text(name)), nest(2, ...data));
}

const metaKeys = { iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 } as const;

export function meta(key: keyof typeof metaKeys, to: number): Part {
  return expression('meta', attr(1, be32(to)), attr(2, be32(metaKeys[key])));
}

export function payload(base: 'network' | 'transport', offset: number, length: number, to: number): Part {
  return expression(
    'payload',
    attr(1, be32(to)),
    attr(2, be32(base === 'network' ? 1 : 2)),
    attr(3, be32(offset)),
    attr(4, be32(length)),
  );
}

export function ct(key: 'state' | 'status', to: number): Part {
  return expression('ct', attr(1, be32(to)), attr(2, be32(key === 'state' ? 0 : 2)));
}

/** What kind of address the packet's destination is here (RTN_LOCAL…). */
export function fibDestination(to: number): Part {
  return expression('fib', attr(1, be32(to)), attr(2, be32(3 /* ADDRTYPE */)), attr(3, be32(2 /* DADDR */)));
}

export function compare(from: number, test: 'is' | 'isnt', value: Uint8Array): Part {
  return expression('cmp', attr(1, be32(from)), attr(2, be32(test === 'is' ? 0 : 1)), nest(3, attr(1, value)));
}

export function mask(at: number, bits: Uint8Array): Part {
  return expression(
    'bitwise',
    attr(1, be32(at)),
    attr(2, be32(at)),
    attr(3, be32(bits.length)),
    nest(4, attr(1, bits)),
    nest(5, attr(1, new Uint8Array(bits.length))),
  );
}

/** Ends the rule unless the key is in the set (or, inverted, if it is); of a map, the value goes to register `to`. */
export function lookup(
  set: string,
  from: number,
  options: { readonly to?: number; readonly inverted?: boolean } = {},
): Part {
  return expression(
    'lookup',
    attr(1, text(set)),
    attr(2, be32(from)),
    ...(options.to === undefined ? [] : [attr(3, be32(options.to))]),
    ...(options.inverted ? [attr(5, be32(1))] : []),
  );
}

/** Destination NAT to the address in one register and the port in another. */
export function dnat(of: 'ip' | 'ip6', address: number, port: number): Part {
  return expression('nat', attr(1, be32(1)), attr(2, be32(family[of])), attr(3, be32(address)), attr(5, be32(port)));
}

/** A constant into a register. */
export function immediate(to: number, value: Uint8Array): Part {
  return expression('immediate', attr(1, be32(to)), nest(2, attr(1, value)));
}

export function masquerade(): Part {
  return expression('masq');
}

export function decide(what: keyof typeof verdict): Part {
  return expression('immediate', attr(1, be32(0)), nest(2, nest(2, attr(1, be32(verdict[what])))));
}
