// The firewall of one engine: one nftables table with maps, so that publishing a port is one element, whatever else is
// published. Set-up is idempotent and keeps elements: ports of running containers outlive the engine.
//
//   raw          nothing from outside lo to or from 127.0.0.0/8 (route_localnet would let it in: CVE-2020-8558)
//   prerouting   to a local address: by map to the container
//   output       the same for the host's own programs, 127.0.0.1 included
//   postrouting  containers leave with the host's address; so does what would otherwise be answered past the host
//   forward      to containers: answers, published ports and neighbours of the same bridge; nothing else
//
// An accept here ends only our own chains: another tool's table that drops in the forward hook still drops.

import type { Prefix } from './netlink.ts';
import {
  attr,
  be16,
  type Part,
  readAttributeList,
  readAttributes,
  readMessages,
  text,
  u8,
  u32,
} from './netlink-wire.ts';
import {
  type BaseChain,
  batchOp,
  compare,
  ct,
  decide,
  deleteTable,
  dnat,
  dumpOp,
  type Element,
  elements,
  fibDestination,
  flushRules,
  lengthOf,
  lookup,
  mask,
  masquerade,
  meta,
  newChain,
  newRule,
  newSet,
  newTable,
  payload,
  register,
  type SetDefinition,
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

const portMaps: readonly (SetDefinition & { readonly data: readonly ('ipv4' | 'ipv6' | 'port')[] })[] = [
  { name: 'ports4', key: ['protocol', 'ipv4', 'port'], data: ['ipv4', 'port'] },
  { name: 'anywhere4', key: ['protocol', 'port'], data: ['ipv4', 'port'] },
  { name: 'ports6', key: ['protocol', 'ipv6', 'port'], data: ['ipv6', 'port'] },
  { name: 'anywhere6', key: ['protocol', 'port'], data: ['ipv6', 'port'] },
];
const sets: readonly SetDefinition[] = [
  ...portMaps,
  { name: 'bridges', key: ['interface'] },
  { name: 'neighbours', key: ['interface', 'interface'] },
  { name: 'subnets4', key: ['ipv4'], interval: true },
  { name: 'subnets6', key: ['ipv6'], interval: true },
];

const chains: readonly BaseChain[] = [
  { name: 'raw', type: 'filter', hook: 'prerouting', priority: -300 },
  { name: 'prerouting', type: 'nat', hook: 'prerouting', priority: -100 },
  { name: 'output', type: 'nat', hook: 'output', priority: -100 },
  { name: 'postrouting', type: 'nat', hook: 'postrouting', priority: 100 },
  { name: 'forward', type: 'filter', hook: 'forward', priority: 0 },
];

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

/** Makes a bridge and its subnets known to the rules. */
export function addBridgeToFirewall(table: string, bridge: string, subnets: readonly Prefix[]): OpOf<'netlink'> {
  return batchOp(
    bridgeElements('newElement', table, bridge, subnets),
    `${bridge} and its subnet, for the rules of ${table}`,
  );
}

export function removeBridgeFromFirewall(table: string, bridge: string, subnets: readonly Prefix[]): OpOf<'netlink'> {
  return batchOp(bridgeElements('delElement', table, bridge, subnets), `${bridge} is gone`, k.ENOENT);
}

function bridgeElements(
  kind: 'newElement' | 'delElement',
  table: string,
  bridge: string,
  subnets: readonly Prefix[],
): ReturnType<typeof elements>[] {
  const name = interfaceName(bridge);
  return [
    elements(kind, table, 'bridges', [{ key: name }]),
    elements(kind, table, 'neighbours', [{ key: Buffer.concat([name, name]) }]),
    ...subnets.map((subnet) =>
      elements(kind, table, subnet.address.length === 4 ? 'subnets4' : 'subnets6', interval(subnet)),
    ),
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
    dumpOp('getElement', 'which ports are published', k.ENOENT, attr(1, text(table)), attr(2, text(name))),
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

export function removeFirewall(table: string): OpOf<'netlink'> {
  return batchOp([deleteTable(table)], `the table ${table} goes, with all that is in it`, k.ENOENT);
}

type Rule = readonly [chain: string, ...expressions: readonly Part[]];

const NFPROTO_IPV4 = Uint8Array.of(2);
const NFPROTO_IPV6 = Uint8Array.of(10);
const RTN_LOCAL = u32(2);
const IPS_DST_NAT = u32(1 << 5);
const ESTABLISHED_RELATED = u32(2 | 4);

function rules(): readonly Rule[] {
  const r0 = register(0);
  const v4 = [meta('nfproto', r0), compare(r0, 'is', NFPROTO_IPV4)];
  const v6 = [meta('nfproto', r0), compare(r0, 'is', NFPROTO_IPV6)];
  const loopback = (offset: number): Part[] => [
    ...v4,
    payload('network', offset, 4, r0),
    mask(r0, Uint8Array.of(255, 0, 0, 0)),
    compare(r0, 'is', Uint8Array.of(127, 0, 0, 0)),
  ];
  const toBridge = [meta('oifname', r0), lookup('bridges', r0)];
  const toElsewhere = [meta('oifname', r0), lookup('bridges', r0, { inverted: true })];
  const fromContainer4 = [...v4, payload('network', 12, 4, r0), lookup('subnets4', r0)];
  const fromContainer6 = [...v6, payload('network', 8, 16, r0), lookup('subnets6', r0)];
  const published = [ct('status', r0), mask(r0, IPS_DST_NAT), compare(r0, 'isnt', u32(0))];
  const notFromLo = [meta('iifname', r0), compare(r0, 'isnt', interfaceName('lo'))];
  return [
    ['raw', ...notFromLo, ...loopback(16), decide('drop')],
    ['raw', ...notFromLo, ...loopback(12), decide('drop')],
    ...(['prerouting', 'output'] as const).flatMap((chain): Rule[] => [
      [chain, fibDestination(r0), compare(r0, 'isnt', RTN_LOCAL), decide('accept')],
      [chain, ...v4, ...toContainer('ports4')],
      [chain, ...v4, ...toContainer('anywhere4')],
      // nothing routes from ::1 to a container, as there is no route_localnet for IPv6
      [
        chain,
        ...v6,
        payload('network', 24, 16, r0),
        compare(r0, 'is', Buffer.concat([new Uint8Array(15), u8(1)])),
        decide('accept'),
      ],
      [chain, ...v6, ...toContainer('ports6')],
      [chain, ...v6, ...toContainer('anywhere6')],
    ]),
    ['postrouting', ...toElsewhere, ...fromContainer4, masquerade()],
    ['postrouting', ...toElsewhere, ...fromContainer6, masquerade()],
    ['postrouting', ...toBridge, ...loopback(12), masquerade()],
    // A container that reaches itself or a neighbour by a published port: the answer must come back through here
    ['postrouting', ...toBridge, ...published, ...fromContainer4, masquerade()],
    ['postrouting', ...toBridge, ...published, ...fromContainer6, masquerade()],
    ['forward', ...toElsewhere, decide('accept')],
    ['forward', ct('state', r0), mask(r0, ESTABLISHED_RELATED), compare(r0, 'isnt', u32(0)), decide('accept')],
    ['forward', ...published, decide('accept')],
    ['forward', meta('iifname', r0), meta('oifname', register(4)), lookup('neighbours', r0), decide('accept')],
    ['forward', decide('drop')],
  ];
}

/** Key into registers, value out of the map, destination rewritten; ends the rule where there is no element. */
function toContainer(name: string): Part[] {
  const map = portMaps.find((one) => one.name === name);
  if (map === undefined) return [];
  const wide = map.data[0] === 'ipv6';
  const load: Part[] = [];
  let at = 0;
  for (const field of map.key) {
    if (field === 'protocol') load.push(meta('l4proto', register(at)));
    else if (field === 'port') load.push(payload('transport', 2, 2, register(at)));
    else load.push(wide ? payload('network', 24, 16, register(at)) : payload('network', 16, 4, register(at)));
    at += lengthOf([field]) / 4;
  }
  const target = register(at);
  return [
    ...load,
    lookup(name, register(0), { to: target }),
    dnat(wide ? 'ip6' : 'ip', target, target + (wide ? 4 : 1)),
  ];
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

function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(name).subarray(0, 15));
  return bytes;
}
