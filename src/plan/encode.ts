// A plan as the bytes that native/decode.c reads. Pure; the wire is drawn at the top of ops.ts.

import { opTable } from './ops.gen.ts';
import type { Op, Patch, Plan } from './ops.ts';
import { childSlot } from './ops.ts';

export const wireVersion = 1;
const noSlot = 0xffff;
const maxSlots = 512;

type FieldValue = number | bigint | string | Uint8Array | readonly string[] | readonly Patch[] | undefined;

class Writer {
  #bytes = Buffer.allocUnsafe(16384);
  #at = 0;

  #room(n: number): void {
    if (this.#at + n <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe((this.#at + n) * 2);
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
  u16(value: number): void {
    this.#room(2);
    this.#at = this.#bytes.writeUInt16LE(value, this.#at);
  }
  u32(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32LE(value >>> 0, this.#at);
  }
  u64(value: number | bigint): void {
    this.#room(8);
    this.#at = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.#at);
  }
  /** u32 length, bytes, one NUL that is not counted. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#room(length + 5);
    this.u32(length);
    this.#bytes.write(value, this.#at, length, 'utf8');
    this.#at += length;
    this.#bytes[this.#at++] = 0;
  }
  blob(value: Uint8Array): void {
    this.#room(value.length + 5);
    this.u32(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    this.#bytes[this.#at++] = 0;
  }
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Bytes of a plan. Throws on a string with a NUL inside (native/ would refuse it) and on too many slots. */
export function encodePlan(plan: Plan): Buffer {
  const writer = new Writer();
  const slots = new Map<string, number>([[childSlot, noSlot]]);
  const slot = (name: string): number => {
    let number = slots.get(name);
    if (number === undefined) {
      number = slots.size - 1;
      if (number >= maxSlots) throw new Error(`a plan has ${maxSlots} slots at most`);
      slots.set(name, number);
    }
    return number;
  };
  writer.u32(wireVersion);
  for (const section of [plan.setup, plan.child, plan.cleanup]) {
    writer.u32(section.length);
    for (const one of section) encodeOp(writer, one, slot);
  }
  return writer.done();
}

function encodeOp(writer: Writer, one: Op, slot: (name: string) => number): void {
  const { number, fields } = opTable[one.op];
  writer.u16(number);
  writer.u16(one.allow ?? 0);
  const values = one as unknown as Readonly<Record<string, FieldValue>>;
  for (const [name, type] of fields) {
    const value = values[name];
    switch (type) {
      case 'u32':
        writer.u32(value as number);
        break;
      case 'u64':
        writer.u64(value as number | bigint);
        break;
      case 'str':
        writer.text(withoutNul(value as string, one.op, name));
        break;
      case 'bytes':
        writer.blob(value as Uint8Array);
        break;
      case 'strs':
        writer.u32((value as readonly string[]).length);
        for (const text of value as readonly string[]) writer.text(withoutNul(text, one.op, name));
        break;
      case 'patches':
        writer.u32((value as readonly Patch[]).length);
        for (const patch of value as readonly Patch[]) {
          writer.u32(patch.offset);
          writer.u32(slot(patch.slot));
        }
        break;
      default:
        writer.u16(value === undefined ? noSlot : slot(value as string));
    }
  }
}

function withoutNul(text: string, opName: string, field: string): string {
  if (text.includes('\0')) throw new Error(`${opName}.${field} holds a NUL byte`);
  return text;
}
