// Other programs' firewalls (Docker, ufw, an administrator's) may drop by policy whatever is forwarded: a packet has to be
// accepted by every table. Into such chains go two rules at their end, so that what they refuse by rules stays refused;
// what may reach our containers is still decided by our own table. Written as iptables-nft writes it, and readable there.

import { attr, flag, type Message, readAttributes, readMessages, readText, text, u8 } from './netlink-wire.ts';
import { batchOp, compare, decide, dumpOp, expression, family, hook, meta, nftOf, verdict } from './nft-wire.ts';
import type { OpOf } from './ops.ts';

export interface ForeignChain {
  readonly family: number;
  readonly table: string;
  readonly chain: string;
}

export function dumpForwardChains(): OpOf<'netlink'> {
  return dumpOp(nftOf(family.any, 'getChain', 0), 'whether another firewall drops what is forwarded');
}

/** Chains of filter type in the forward hook, of tables other than `own`, that drop what no rule of theirs accepts. */
export function readDroppingChains(dumped: Uint8Array, own: string): ForeignChain[] {
  return readMessages(dumped).flatMap(({ body }) => {
    const found = readAttributes(body, 4);
    const policy = found.get(5);
    const place = readAttributes(found.get(4) ?? new Uint8Array()).get(1);
    const chain = { family: body[0] ?? 0, table: readText(found.get(1)), chain: readText(found.get(3)) };
    const forwards = place !== undefined && number(place) === hook.forward && readText(found.get(7)) === 'filter';
    const routed = chain.family === family.inet || chain.family === family.ip || chain.family === family.ip6;
    return forwards && routed && policy !== undefined && number(policy) === verdict.drop && chain.table !== own
      ? [chain]
      : [];
  });
}

export function dumpRules({ family, table, chain }: ForeignChain): OpOf<'netlink'> {
  return dumpOp(
    nftOf(family, 'getRule', 0, attr(1, text(table)), attr(2, text(chain))),
    `what is in ${table} ${chain}`,
  );
}

/** Whether our rules for a bridge are among the dumped ones. */
export function hasOurRules(dumped: Uint8Array, bridge: string): boolean {
  const mark = Buffer.from(comment(bridge));
  return readMessages(dumped).some(({ body }) => mark.equals(readAttributes(body, 4).get(7) ?? new Uint8Array()));
}

/** Takes our rules for a bridge out of a chain, as its dump shows them. */
export function removeOurRules(
  { family, table, chain }: ForeignChain,
  dumped: Uint8Array,
  bridge: string,
): readonly Message[] {
  const mark = Buffer.from(comment(bridge));
  return readMessages(dumped)
    .map(({ body }) => readAttributes(body, 4))
    .filter((rule) => mark.equals(rule.get(7) ?? new Uint8Array()) && rule.get(3)?.length === 8)
    .map((rule) =>
      nftOf(
        family,
        'delRule',
        0,
        attr(1, text(table)),
        attr(2, text(chain)),
        attr(3 /* its handle */, rule.get(3) ?? new Uint8Array()),
      ),
    );
}

export function acceptBridge(chains: readonly ForeignChain[], bridge: string): OpOf<'netlink'> {
  const names = chains.map(({ table, chain }) => `${table} ${chain}`).join(', ');
  return batchOp(
    chains.flatMap((one) => (['iifname', 'oifname'] as const).map((side) => acceptRule(one, side, bridge))),
    `another firewall drops what is forwarded (${names}): ${bridge} is to pass it`,
  );
}

function acceptRule({ family, table, chain }: ForeignChain, side: 'iifname' | 'oifname', bridge: string): Message {
  const counter = expression('counter', attr(1, new Uint8Array(8)), attr(2, new Uint8Array(8)));
  return nftOf(
    family,
    'newRule',
    flag.create | flag.append,
    attr(1, text(table)),
    attr(2, text(chain)),
    attr(4, meta(side, 1), compare(1, 'is', text(bridge)), counter, decide('accept')),
    attr(7, comment(bridge)),
  );
}

/** libnftnl's NFTNL_UDATA_RULE_COMMENT: what `nft list` shows behind a rule, and how we know ours again. */
function comment(bridge: string): Uint8Array {
  const words = text(`hoist: ${bridge}`);
  return Buffer.concat([u8(0), u8(words.length), words]);
}

function number(bytes: Uint8Array): number {
  return bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, false);
}
