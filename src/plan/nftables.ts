// The firewall of one engine: one nftables table with maps, so that publishing a port is one element, whatever else is
// published. Set-up is idempotent and keeps elements: ports of running containers outlive the engine.
// What the table's chains do stands in nft-rules.ts.

import type { Prefix } from './netlink.ts';
import { attr, be16, readAttributeList, readAttributes, readMessages, text } from './netlink-wire.ts';
import { chains, interfaceName, portMaps, rules, sets } from './nft-rules.ts';
import {
  batchOp,
  dumpOp,
  type Element,
  elements,
  flushRules,
  lengthOf,
  newChain,
  newRule,
  newSet,
  newTable,
  nft,
} from './nft-wire.ts';
import { k, type OpOf } from './ops.ts';

export interface Publication {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** undefined: every address of the host, of the container address's family. */
  readonly hostAddress: Uint8Array | undefined;
  readonly hostPort: number;
  readonly containerAddress: Uint8Array;
  readonly containerPort: number;
}

const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;

/** The table with its rules: made, or brought to this version's rules in one step. */
export function setUpFirewall(table: string): OpOf<'netlink'> {
  return batchOp(
    [
      newTable(table),
      ...sets.map((set, index) => newSet(table, set, index + 1)),
      ...chains.map((chain) => newChain(table, chain)),
      flushRules(table),
      ...rules().map(([chain, ...expressions]) => newRule(table, chain, expressions)),
    ],
    `the table ${table}: published ports, addresses of containers hidden behind the host's, and what may pass`,
  );
}

/** A bridge as the rules tell bridges apart. */
export interface FirewalledBridge {
  readonly name: string;
  /** Of its containers; none where it is internal. */
  readonly subnets: readonly Prefix[];
  /** Its containers reach nothing but each other. */
  readonly internal: boolean;
  /** Its containers may reach each other. */
  readonly icc: boolean;
  /** Its containers leave with the host's address. */
  readonly masquerade: boolean;
}

/** Makes a bridge and its subnets known to the rules. */
export function addBridgeToFirewall(table: string, bridge: FirewalledBridge): OpOf<'netlink'> {
  return batchOp(
    bridgeElements('newElement', table, bridge),
    `${bridge.name} and its subnet, for the rules of ${table}`,
  );
}

/** ENOENT (it is gone already) is no error. */
export function removeBridgeFromFirewall(table: string, bridge: FirewalledBridge): OpOf<'netlink'> {
  return batchOp(bridgeElements('delElement', table, bridge), `${bridge.name} is gone`, k.ENOENT);
}

function bridgeElements(
  kind: 'newElement' | 'delElement',
  table: string,
  { name, subnets, internal, icc, masquerade }: FirewalledBridge,
): ReturnType<typeof elements>[] {
  const key = interfaceName(name);
  const of = (set: string, list: readonly Element[]): ReturnType<typeof elements> => elements(kind, table, set, list);
  const version = ({ address }: Prefix): 4 | 6 => (address.length === 4 ? 4 : 6);
  return [
    of('bridges', [{ key }]),
    ...(icc ? [of('neighbours', [{ key: Buffer.concat([key, key]) }])] : []),
    ...(internal ? [of('internal', [{ key }])] : []),
    ...(internal ? [] : subnets.map((subnet) => of(`subnets${version(subnet)}`, interval(subnet)))),
    ...(internal || masquerade
      ? []
      : subnets.filter((subnet) => version(subnet) === 4).map((subnet) => of('visible4', interval(subnet)))),
  ];
}

/** All of these ports, or none of them. EEXIST: one is published to somewhere else already. */
export function publish(table: string, publications: readonly Publication[], why: string): OpOf<'netlink'> {
  return batchOp(
    grouped(publications).map(([map, list]) => elements('newElement', table, map, list)),
    why,
  );
}

/** ENOENT (the table or an element is gone) is no error. */
export function unpublish(table: string, publications: readonly Publication[], why: string): OpOf<'netlink'> {
  return batchOp(
    grouped(publications).map(([map, list]) => elements('delElement', table, map, list)),
    why,
    k.ENOENT,
  );
}

/** Four dumps, for `readPublications`. ENOENT: there is no table, so nothing is published. */
export function dumpPublications(table: string): OpOf<'netlink'>[] {
  return portMaps.map(({ name }) =>
    dumpOp(nft('getElement', 0, attr(1, text(table)), attr(2, text(name))), 'which ports are published', k.ENOENT),
  );
}

/** What one of the dumps says; messages say themselves which map they are of. */
export function readPublications(dumped: Uint8Array): Publication[] {
  return readMessages(dumped).flatMap(({ body }) => {
    const list = readAttributes(body, 4);
    const name = Buffer.from(list.get(2) ?? [])
      .toString()
      .replace(/\0.*$/s, '');
    const map = portMaps.find((one) => one.name === name);
    if (map === undefined) return [];
    return readAttributeList(list.get(3) ?? new Uint8Array()).flatMap(([, element]) => {
      const parts = readAttributes(element);
      const key = dataOf(parts.get(1));
      const data = dataOf(parts.get(2));
      return key.length === lengthOf(map.key) && data.length === lengthOf(map.data)
        ? readPublication(map, key, data)
        : [];
    });
  });
}

function grouped(publications: readonly Publication[]): [map: string, list: Element[]][] {
  const maps = new Map<string, Element[]>();
  for (const one of publications) {
    const name = `${one.hostAddress === undefined ? 'anywhere' : 'ports'}${one.containerAddress.length === 4 ? 4 : 6}`;
    const key = Buffer.concat(
      [Uint8Array.of(protocols[one.protocol], 0, 0, 0), one.hostAddress ?? [], port(one.hostPort)].map((part) =>
        Uint8Array.from(part),
      ),
    );
    const list = maps.get(name) ?? [];
    maps.set(name, list);
    list.push({ key, data: Buffer.concat([one.containerAddress, port(one.containerPort)]) });
  }
  return [...maps];
}

function readPublication(map: (typeof portMaps)[number], key: Uint8Array, data: Uint8Array): Publication[] {
  const protocol = (Object.keys(protocols) as (keyof typeof protocols)[]).find((name) => protocols[name] === key[0]);
  if (protocol === undefined) return [];
  return [
    {
      protocol,
      hostAddress: map.key.length === 3 ? key.subarray(4, -4) : undefined,
      hostPort: portOf(key),
      containerAddress: data.subarray(0, -4),
      containerPort: portOf(data),
    },
  ];
}

/** A port as it stands in a register: two bytes in network order, padded. */
function port(number: number): Uint8Array {
  return Buffer.concat([be16(number), new Uint8Array(2)]);
}

function portOf(bytes: Uint8Array): number {
  return ((bytes.at(-4) ?? 0) << 8) | (bytes.at(-3) ?? 0);
}

function dataOf(data: Uint8Array | undefined): Uint8Array {
  return data === undefined ? new Uint8Array() : (readAttributes(data).get(1) ?? new Uint8Array());
}

/** First address, and the first one after the subnet. */
function interval({ address, bits }: Prefix): Element[] {
  const width = BigInt(address.length * 8);
  const value = BigInt(`0x${Buffer.from(address).toString('hex')}`);
  const size = 1n << (width - BigInt(bits));
  const first = value - (value % size);
  const bytes = (number: bigint): Uint8Array =>
    Buffer.from(number.toString(16).padStart(address.length * 2, '0'), 'hex');
  return first + size < 1n << width
    ? [{ key: bytes(first) }, { key: bytes(first + size), end: true }]
    : [{ key: bytes(first) }];
}
