// Tar archives that no tar program would make (POSIX.1-2017 pax, "ustar Interchange Format").

export interface Entry {
  readonly name: string;
  /** '0' file, '1' hard link, '2' symlink, '3' character device, '4' block device, '5' directory. */
  readonly type?: string;
  readonly mode?: number;
  readonly link?: string;
  readonly device?: readonly [major: number, minor: number];
  readonly data?: string | Buffer;
}

export function tar(entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocks), Buffer.alloc(1024)]);
}

function blocks({
  name,
  type = '0',
  mode = type === '5' ? 0o755 : 0o644,
  link = '',
  device,
  data = '',
}: Entry): Buffer[] {
  const bytes = Buffer.from(data);
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, size: number): void =>
    void header.write(`${value.toString(8).padStart(size - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes.length, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100);
  header.write('ustar\x0000', 257, 'latin1');
  octal(device?.[0] ?? 0, 329, 8);
  octal(device?.[1] ?? 0, 337, 8);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}
