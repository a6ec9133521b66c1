// Netlink's wire form: messages made of nested attributes, written from parts and read back (linux/netlink.h).
// A part may be a slot: its number (or the child's pid) is known only to the keeper, and becomes a patch of the op.

import { type OpOf, op, type Patch, type Slot } from './ops.ts';

export type Part = Uint8Array | { readonly slot: Slot } | readonly Part[];

export const flag = {
  request: 1,
  multi: 2,
  ack: 4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;

/** One netlink message; its length and sequence number are filled in when it becomes an op. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly body: readonly Part[];
}

const headerSize = 16;
const typeError = 2;
const typeDone = 3;

/** One op for several messages, sent at once; as many answers are awaited as messages ask for an acknowledgement. */
export function netlinkOp(
  protocol: number,
  messages: readonly Message[],
  why: string,
  allow?: number,
): OpOf<'netlink'> {
  const patches: Patch[] = [];
  const data = new Uint8Array(messages.reduce((sum, { body }) => sum + headerSize + size(body), 0));
  const view = new DataView(data.buffer);
  let at = 0;
  messages.forEach(({ type, flags, body }, index) => {
    const length = headerSize + size(body);
    view.setUint32(at, length, true);
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, flags | flag.request, true);
    view.setUint32(at + 8, index + 1, true);
    write(body, data, at + headerSize, patches);
    at += length;
  });
  const acks = messages.filter(({ flags }) => flags & flag.ack).length;
  return op('netlink', { protocol, data, acks, patches }, why, allow);
}

/** An attribute; nested ones carry NLA_F_NESTED in `type` where the kernel wants it (see `nest`). */
export function attr(type: number, ...parts: readonly Part[]): Part {
  const length = parts.reduce<number>((sum, part) => sum + size(part), 0);
  return [u16(length + 4), u16(type), ...parts, new Uint8Array(-length & 3)];
}

export function nest(type: number, ...parts: readonly Part[]): Part {
  return attr(type | 0x8000, ...parts);
}

// Netlink headers are in the machine's order (both architectures are little endian); netfilter's numbers are big endian.
export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value, value >> 8);
}
export function u32(value: number): Uint8Array {
  return Uint8Array.of(value, value >> 8, value >> 16, value >> 24);
}
export function be16(value: number): Uint8Array {
  return u16(value).reverse();
}
export function be32(value: number): Uint8Array {
  return u32(value).reverse();
}
/** A string as the kernel reads it, with its end. */
export function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`);
}

function size(part: Part): number {
  if (part instanceof Uint8Array) return part.length;
  if ('slot' in part) return 4;
  return part.reduce<number>((sum, one) => sum + size(one), 0);
}

function write(part: Part, data: Uint8Array, at: number, patches: Patch[]): number {
  if (part instanceof Uint8Array) {
    data.set(part, at);
    return at + part.length;
  }
  if ('slot' in part) {
    patches.push({ offset: at, slot: part.slot });
    return at + 4;
  }
  return part.reduce<number>((next, one) => write(one, data, next, patches), at);
}

/** The answers of a dump: header and end marks left out; cut off at the first message that does not fit. */
export function readMessages(bytes: Uint8Array): { readonly type: number; readonly body: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: { type: number; body: Uint8Array }[] = [];
  for (let at = 0; at + headerSize <= bytes.length; ) {
    const length = view.getUint32(at, true);
    const type = view.getUint16(at + 4, true);
    if (length < headerSize || at + length > bytes.length) break;
    if (type !== typeError && type !== typeDone)
      found.push({ type, body: bytes.subarray(at + headerSize, at + length) });
    at += (length + 3) & ~3;
  }
  return found;
}

/** Attributes by type; of a repeated one, the last. */
export function readAttributes(bytes: Uint8Array, from = 0): Map<number, Uint8Array> {
  return new Map(readAttributeList(bytes, from));
}

export function readAttributeList(bytes: Uint8Array, from = 0): [type: number, value: Uint8Array][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: [number, Uint8Array][] = [];
  for (let at = from; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    found.push([view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length)]);
    at += (length + 3) & ~3;
  }
  return found;
}

export function readText(value: Uint8Array | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString();
}

export function readU32(value: Uint8Array | undefined): number {
  return value === undefined || value.length < 4
    ? 0
    : new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true);
}
