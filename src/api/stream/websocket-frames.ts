// Frames of RFC 6455: written by a server (unmasked), read from a client (masked).

export const opcodes = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Of control frames, by the RFC; a data frame may be long, since it is passed on as it comes. */
const controlLimit = 125;

export function webFrame(opcode: number, bytes: Uint8Array): Buffer {
  const { byteLength: length } = bytes;
  const extra = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const frame = Buffer.allocUnsafe(2 + extra + length);
  frame[0] = 0x80 | opcode;
  frame[1] = extra === 0 ? length : extra === 2 ? 126 : 127;
  if (extra === 2) frame.writeUInt16BE(length, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(bytes, 2 + extra);
  return frame;
}

export type MessageReader = (chunk: Buffer) => void;

export interface MessageHandlers {
  /** Payload of text and binary messages, in any pieces. */
  onData(bytes: Buffer): void;
  onPing(bytes: Buffer): void;
  onClose(): void;
  /** The peer broke the rules; nothing more is read. `code`: for the close frame. */
  onError(code: number): void;
}

interface Header {
  readonly opcode: number;
  readonly final: boolean;
  readonly length: number;
  readonly mask: Buffer;
  readonly bytes: number;
}

export function messageReader(handlers: MessageHandlers): MessageReader {
  let rest: Buffer = Buffer.alloc(0);
  let frame: Header | undefined;
  let passed = 0;
  let control: Buffer = Buffer.alloc(0);
  /** Within a message in several frames. */
  let within = false;
  let over = false;
  const end = (act: () => void): void => {
    over = true;
    rest = Buffer.alloc(0);
    act();
  };
  const begin = (header: Header): void => {
    const isControl = header.opcode >= 8;
    const known = Object.values<number>(opcodes).includes(header.opcode);
    const order = isControl
      ? header.final && header.length <= controlLimit
      : within === (header.opcode === opcodes.more);
    if (!known || !order) {
      end(() => handlers.onError(1002));
      return;
    }
    if (!isControl) within = !header.final;
    frame = header;
    passed = 0;
    control = Buffer.alloc(0);
  };
  const take = ({ opcode, mask, length }: Header): void => {
    const bytes = Buffer.from(rest.subarray(0, length - passed));
    rest = rest.subarray(bytes.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (mask[(passed + i) & 3] ?? 0);
    passed += bytes.length;
    if (opcode < 8) {
      if (bytes.length > 0) handlers.onData(bytes);
    } else control = Buffer.concat([control, bytes]);
    if (passed < length) return;
    frame = undefined;
    if (opcode === opcodes.ping) handlers.onPing(control);
    if (opcode === opcodes.close) end(() => handlers.onClose());
  };
  return (chunk) => {
    if (over) return;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (!over) {
      if (frame === undefined) {
        const header = headerOf(rest);
        if (header === undefined) return;
        if (header === 'bad') return end(() => handlers.onError(1002));
        rest = rest.subarray(header.bytes);
        begin(header);
      } else if (rest.length === 0 && passed < frame.length) return;
      else take(frame);
    }
  };
}

/** undefined: not all of it is here. A client's frames are masked, and no extension was agreed on. */
function headerOf(bytes: Buffer): Header | 'bad' | undefined {
  if (bytes.length < 2) return undefined;
  const [first = 0, second = 0] = bytes;
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) return 'bad';
  const short = second & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + extra + 4) return undefined;
  const length = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (!Number.isSafeInteger(length)) return 'bad';
  return {
    opcode: first & 15,
    final: (first & 0x80) !== 0,
    length,
    mask: Buffer.from(bytes.subarray(2 + extra, 6 + extra)),
    bytes: 6 + extra,
  };
}
