// As much of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) as fluentd's forward protocol needs. Pure.

/** Seconds and nanoseconds: fluentd's extension type 0. */
export interface EventTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export type Packable = string | number | Uint8Array | EventTime | readonly Packable[] | ReadonlyMap<string, Packable>;

export function pack(value: Packable): Buffer {
  if (typeof value === 'string') return packBytes(Buffer.from(value), 0xa0, 0xd9);
  // A line is what fluentd calls a string, whatever its bytes.
  if (value instanceof Uint8Array) return packBytes(value, 0xa0, 0xd9);
  if (typeof value === 'number') return packInteger(value);
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<string, Packable>)].flatMap(([key, item]) => [pack(key), pack(item)]);
    return Buffer.concat([head(value.size, 0x80, 0xde), ...entries]);
  }
  if (Array.isArray(value)) return Buffer.concat([head(value.length, 0x90, 0xdc), ...value.map(pack)]);
  const { seconds, nanoseconds } = value as EventTime;
  const bytes = Buffer.of(0xd7, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  bytes.writeUInt32BE(seconds, 2);
  bytes.writeUInt32BE(nanoseconds, 6);
  return bytes;
}

function packBytes(bytes: Uint8Array, small: number, wide: number): Buffer {
  const { length } = bytes;
  if (length < 32) return Buffer.concat([Buffer.of(small | length), bytes]);
  if (length < 0x100) return Buffer.concat([Buffer.of(wide, length), bytes]);
  if (length < 0x1_0000) return Buffer.concat([Buffer.of(wide + 1, length >> 8, length & 0xff), bytes]);
  const size = Buffer.alloc(5, wide + 2);
  size.writeUInt32BE(length, 1);
  return Buffer.concat([size, bytes]);
}

function head(count: number, small: number, wide: number): Buffer {
  return count < 16 ? Buffer.of(small | count) : Buffer.of(wide, count >> 8, count & 0xff);
}

/** Not negative. */
function packInteger(value: number): Buffer {
  if (value < 0x80) return Buffer.of(value);
  const bytes = Buffer.alloc(9, 0xcf);
  bytes.writeBigUInt64BE(BigInt(value), 1);
  return bytes;
}

/** The string that follows a key in a map of strings: all that an acknowledgement is. */
export function acknowledged(bytes: Buffer, id: string): boolean {
  return bytes.includes(pack('ack')) && bytes.includes(pack(id));
}
