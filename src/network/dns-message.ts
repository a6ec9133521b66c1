// DNS messages (RFC 1035), as far as a name server needs them that answers for a few names and passes everything else on:
// the question of a query, and answers with addresses or a name. Pure; bytes from outside are checked at every step.

export const dnsType = { A: 1, PTR: 12, AAAA: 28 } as const;
export const dnsCode = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
} as const;

export interface DnsQuestion {
  readonly id: number;
  /** Lower case, without the last dot; a dot within a label cannot be told from one between them. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  /** Name, type and class as they came: an answer repeats them, capitals included. */
  readonly bytes: Uint8Array;
}

const headerSize = 12;
const internet = 1;

/** The one question of a query; undefined for anything else. */
export function readQuestion(message: Uint8Array): DnsQuestion | undefined {
  if (message.length < headerSize + 5) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const flags = view.getUint16(2);
  if (flags & 0x8000 || (flags >> 11) & 15 || view.getUint16(4) !== 1) return undefined; // an answer; not a standard query
  const labels: string[] = [];
  let at = headerSize;
  for (;;) {
    const length = message[at] ?? 64;
    if (length > 63) return undefined; // compressed, or cut off: no query needs that
    at++;
    if (length === 0) break;
    labels.push(
      Buffer.from(message.subarray(at, at + length))
        .toString('latin1')
        .toLowerCase(),
    );
    at += length;
    if (at - headerSize > 254) return undefined;
  }
  if (at + 4 > message.length) return undefined;
  return {
    id: view.getUint16(0),
    name: labels.join('.'),
    type: view.getUint16(at),
    class: view.getUint16(at + 2),
    recursionDesired: (flags & 0x100) !== 0,
    bytes: message.subarray(headerSize, at + 4),
  };
}

export interface DnsAnswer {
  readonly code: number;
  /** 4 or 16 bytes each: A and AAAA by their length. */
  readonly addresses?: readonly Uint8Array[];
  /** For PTR. */
  readonly names?: readonly string[];
}

/** Seconds that an answer may be kept: Docker's. */
const timeToLive = 600;

export function writeAnswer(question: DnsQuestion, { code, addresses = [], names = [] }: DnsAnswer): Uint8Array {
  const records = [
    ...addresses.map((address) => recordOf(address.length === 4 ? dnsType.A : dnsType.AAAA, address)),
    ...names.map((name) => recordOf(dnsType.PTR, nameBytes(name))),
  ];
  const header = Buffer.alloc(headerSize);
  header.writeUInt16BE(question.id, 0);
  // an answer, recursion available; not authoritative, as Docker's is not
  header.writeUInt16BE(0x8080 | (question.recursionDesired ? 0x100 : 0) | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question.bytes, ...records]);
}

/** Of the name in the question, by a pointer to it. */
function recordOf(type: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | headerSize, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(internet, 4);
  head.writeUInt32BE(timeToLive, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function nameBytes(name: string): Uint8Array {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => {
      const bytes = Buffer.from(label, 'latin1').subarray(0, 63);
      return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
    }),
    Uint8Array.of(0),
  ]);
}

/** The answer to a message that is no query we understand; undefined where not even that can be said. */
export function writeRefusal(message: Uint8Array, code: number): Uint8Array | undefined {
  if (message.length < headerSize || (message[2] ?? 0) & 0x80) return undefined;
  const header = Buffer.alloc(headerSize);
  header.set(message.subarray(0, 2));
  header.writeUInt16BE(0x8080 | code, 2);
  return header;
}

/** `4.3.2.1.in-addr.arpa` -> `1.2.3.4`; undefined for other names. */
export function addressOfReverse(name: string): string | undefined {
  const [, labels] = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(name) ?? [];
  return labels?.split('.').slice(0, 4).reverse().join('.');
}

/** Whether `message` answers this question: what anybody on the way could have sent is not passed on. */
export function answers(message: Uint8Array, id: number, question: DnsQuestion): boolean {
  return (
    message.length >= headerSize + question.bytes.length &&
    ((message[0] ?? 0) << 8) + (message[1] ?? 0) === id &&
    ((message[2] ?? 0) & 0x80) !== 0 &&
    sameName(message.subarray(headerSize, headerSize + question.bytes.length), question.bytes)
  );
}

function sameName(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).toString('latin1').toLowerCase() === Buffer.from(b).toString('latin1').toLowerCase();
}
