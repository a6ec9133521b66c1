// Archives for tests, honest and hostile: every field of a header can be forged.

export interface TarFixtureEntry {
  readonly path: string;
  /** The type flag; '0' (file) where absent. */
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly link?: string;
  readonly major?: number;
  readonly minor?: number;
  /** Records of a pax header before the entry. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>;
  /** Last changes of the header; its checksum is computed afterwards. */
  readonly forge?: (header: Buffer) => void;
}

export function tarOf(entries: readonly TarFixtureEntry[], options: { readonly trailer?: boolean } = {}): Buffer {
  const parts = entries.flatMap(entryBytes);
  if (options.trailer !== false) parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

function entryBytes(entry: TarFixtureEntry): Buffer[] {
  const pax = { ...entry.pax };
  if (Buffer.byteLength(entry.path) > 100) pax['path'] ??= entry.path;
  if (Buffer.byteLength(entry.link ?? '') > 100) pax['linkpath'] ??= entry.link ?? '';
  const parts: Buffer[] = [];
  if (Object.keys(pax).length > 0) {
    const records = paxRecords(pax);
    parts.push(header({ path: 'PaxHeaders/x', type: 'x', data: records }), padded(records));
  }
  return [...parts, header(entry), padded(Buffer.from(entry.data ?? ''))];
}

export function paxRecords(records: Readonly<Record<string, string | Uint8Array>>): Buffer {
  return Buffer.concat(
    Object.entries(records).map(([key, value]) => {
      const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
      let length = rest.length + 1;
      while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
      return Buffer.concat([Buffer.from(String(length)), rest]);
    }),
  );
}

function header(entry: TarFixtureEntry): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(entry.path, 0, 100, 'utf8');
  octal(entry.mode ?? (entry.type === '5' ? 0o755 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(Buffer.from(entry.data ?? '').length, 124, 12);
  octal(entry.mtime ?? 0, 136, 12);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.link ?? '', 157, 100, 'utf8');
  block.write('ustar\x0000', 257, 'latin1');
  octal(entry.major ?? 0, 329, 8);
  octal(entry.minor ?? 0, 337, 8);
  entry.forge?.(block);
  block.fill(0x20, 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  block[155] = 0x20;
  return block;
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(-data.length & 511)]);
}
