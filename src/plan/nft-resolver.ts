// The rules inside a container of a network with name service: what it sends to 127.0.0.11:53 goes to the engine's sockets
// in its own network namespace, which listen elsewhere, so that its programs can have port 53 for themselves.

import { be16, type Part } from './netlink-wire.ts';
import { batchOp, compare, dnat, immediate, meta, newChain, newRule, newTable, payload, register } from './nft-wire.ts';
import type { OpOf } from './ops.ts';

export const resolverAddress: Uint8Array = Uint8Array.of(127, 0, 0, 11);
/** Below the ports that the kernel gives to clients; nobody's by custom. */
export const resolverPort = 29953;

const table = 'hoist-resolver';
const protocols = [17, 6];

export function resolverRules(): OpOf<'netlink'> {
  const r0 = register(0);
  const rule = (protocol: number): Part[] => [
    payload('network', 16, 4, r0),
    compare(r0, 'is', resolverAddress),
    meta('l4proto', r0),
    compare(r0, 'is', Uint8Array.of(protocol)),
    payload('transport', 2, 2, r0),
    compare(r0, 'is', be16(53)),
    immediate(register(0), resolverAddress),
    immediate(register(1), be16(resolverPort)),
    dnat('ip', register(0), register(1)),
  ];
  return batchOp(
    [
      newTable(table),
      newChain(table, { name: 'output', type: 'nat', hook: 'output', priority: -100 }),
      ...protocols.map((protocol) =>
        newRule(table, 'output', [meta('nfproto', r0), compare(r0, 'is', Uint8Array.of(2)), ...rule(protocol)]),
      ),
    ],
    'its name server is at 127.0.0.11: port 53 there leads to the engine',
  );
}
