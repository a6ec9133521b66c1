// The rules of an engine's table, and the maps and sets that they look things up in.
//
//   raw          nothing from outside lo to or from 127.0.0.0/8 (route_localnet would let it in: CVE-2020-8558)
//   prerouting   to a local address: by map to the container
//   output       the same for the host's own programs, 127.0.0.1 included
//   postrouting  containers leave with the host's address; so does what would otherwise be answered past the host
//   forward      to containers: answers, published ports and neighbours of the same bridge; nothing else. Internal bridges
//                have neighbours alone
//
// An accept here ends only our own chains: another tool's table that drops in the forward hook still drops.

import { type Part, u8, u32 } from './netlink-wire.ts';
import {
  type BaseChain,
  compare,
  ct,
  decide,
  dnat,
  fibDestination,
  lengthOf,
  lookup,
  mask,
  masquerade,
  meta,
  payload,
  register,
  type SetDefinition,
} from './nft-wire.ts';

export const portMaps: readonly (SetDefinition & { readonly data: readonly ('ipv4' | 'ipv6' | 'port')[] })[] = [
  { name: 'ports4', key: ['protocol', 'ipv4', 'port'], data: ['ipv4', 'port'] },
  { name: 'anywhere4', key: ['protocol', 'port'], data: ['ipv4', 'port'] },
  { name: 'ports6', key: ['protocol', 'ipv6', 'port'], data: ['ipv6', 'port'] },
  { name: 'anywhere6', key: ['protocol', 'port'], data: ['ipv6', 'port'] },
];
export const sets: readonly SetDefinition[] = [
  ...portMaps,
  { name: 'bridges', key: ['interface'] },
  { name: 'neighbours', key: ['interface', 'interface'] },
  { name: 'internal', key: ['interface'] },
  { name: 'subnets4', key: ['ipv4'], interval: true },
  { name: 'subnets6', key: ['ipv6'], interval: true },
  // of networks whose containers are seen under their own addresses (no masquerade)
  { name: 'visible4', key: ['ipv4'], interval: true },
];

export const chains: readonly BaseChain[] = [
  { name: 'raw', type: 'filter', hook: 'prerouting', priority: -300 },
  { name: 'prerouting', type: 'nat', hook: 'prerouting', priority: -100 },
  { name: 'output', type: 'nat', hook: 'output', priority: -100 },
  { name: 'postrouting', type: 'nat', hook: 'postrouting', priority: 100 },
  { name: 'forward', type: 'filter', hook: 'forward', priority: 0 },
];

export type Rule = readonly [chain: string, ...expressions: readonly Part[]];

const NFPROTO_IPV4 = Uint8Array.of(2);
const NFPROTO_IPV6 = Uint8Array.of(10);
const RTN_LOCAL = u32(2);
const IPS_DST_NAT = u32(1 << 5);
const ESTABLISHED_RELATED = u32(2 | 4);

export function rules(): readonly Rule[] {
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
  const bothSides = [meta('iifname', r0), meta('oifname', register(4))];
  const betweenStrangers = [...bothSides, lookup('neighbours', r0, { inverted: true })];
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
    ['postrouting', ...toElsewhere, ...fromContainer4, lookup('visible4', r0, { inverted: true }), masquerade()],
    ['postrouting', ...toElsewhere, ...fromContainer6, masquerade()],
    ['postrouting', ...toBridge, ...loopback(12), masquerade()],
    // A container that reaches itself or a neighbour by a published port: the answer must come back through here
    ['postrouting', ...toBridge, ...published, ...fromContainer4, masquerade()],
    ['postrouting', ...toBridge, ...published, ...fromContainer6, masquerade()],
    ['forward', meta('iifname', r0), lookup('internal', r0), ...betweenStrangers, decide('drop')],
    ['forward', meta('oifname', r0), lookup('internal', r0), ...betweenStrangers, decide('drop')],
    ['forward', ...toElsewhere, decide('accept')],
    ['forward', ct('state', r0), mask(r0, ESTABLISHED_RELATED), compare(r0, 'isnt', u32(0)), decide('accept')],
    ['forward', ...published, decide('accept')],
    ['forward', ...bothSides, lookup('neighbours', r0), decide('accept')],
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

/** As a register or a set key holds it. */
export function interfaceName(name: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(Buffer.from(name).subarray(0, 15));
  return bytes;
}
