// Connection tracking entries, deleted by what they are about (linux/netfilter/nfnetlink_conntrack.h). NAT is decided once
// per flow: a UDP client that keeps sending would go on to where its first packet went, long after the ports changed.

import { attr, be16, be32, flag, type Message, nest, netlinkOp, u8, u32 } from './netlink-wire.ts';
import { k, type OpOf } from './ops.ts';

const deleteEntry = (1 << 8) | 2;
const cta = { tupleOrig: 1, tupleReply: 2, status: 3, filter: 25, statusMask: 26 } as const;
/** CTA_FILTER_F_…: which parts of a tuple count. */
const only = { source: 1, destination: 2, protocol: 8, destinationPort: 32 } as const;
const SEEN_REPLY = 1 << 1;
const IPPROTO_UDP = 17;

/** Flows that were answered by an address which is nobody's any more. ENOENT: there were none. */
export function forgetFlowsTo(address: Uint8Array, why: string): OpOf<'netlink'> {
  const source = attr(address.length === 4 ? 1 : 3, address);
  return conntrackOp(address, why, [
    nest(cta.tupleReply, nest(1 /* CTA_TUPLE_IP */, source)),
    nest(cta.filter, attr(1, u32(0)), attr(2, u32(only.source))),
  ]);
}

/**
 * UDP flows to a port of this host that nobody has answered: their client began before the port was published. An answer
 * on its way from the same port elsewhere is not hurt more than by a lost packet.
 */
export function forgetUnansweredUdp(port: number, like: Uint8Array, why: string): OpOf<'netlink'> {
  return conntrackOp(like, why, [
    nest(cta.tupleOrig, nest(2 /* CTA_TUPLE_PROTO */, attr(1, u8(IPPROTO_UDP)), attr(3, be16(port)))),
    nest(cta.filter, attr(1, u32(only.protocol | only.destinationPort)), attr(2, u32(0))),
    attr(cta.status, be32(0)),
    attr(cta.statusMask, be32(SEEN_REPLY)),
  ]);
}

function conntrackOp(like: Uint8Array, why: string, filter: Message['body']): OpOf<'netlink'> {
  const family = like.length === 4 ? k.AF_INET : k.AF_INET6;
  const body = [Uint8Array.of(family, 0, 0, 0), ...filter];
  return netlinkOp(k.NETLINK_NETFILTER, [{ type: deleteEntry, flags: flag.ack, body }], why, k.ENOENT);
}
