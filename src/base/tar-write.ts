// Tar archives as bytes: ustar headers, with a pax header before those that ustar cannot say (long names, big numbers,
// fractions of a second, extended attributes). The counterpart of tar.ts; pure. Names are binary strings, see there.

import type { TarEntry } from './tar-entry.ts';

export type TarOutput = Omit<TarEntry, 'xattrs' | 'mtimeNsec' | 'major' | 'minor'> &
  Partial<Pick<TarEntry, 'xattrs' | 'mtimeNsec' | 'major' | 'minor'>>;

const blockSize = 512;
const flags = { file: '0', hardlink: '1', symlink: '2', char: '3', block: '4', directory: '5', fifo: '6' } as const;
const maxOctal7 = 0o7777777;
const maxOctal11 = 0o77777777777;

/** What stands before an entry's data: one block, or three and more where it needs a pax header. */
export function tarHeader(entry: TarOutput): Buffer {
  const records = paxOf(entry);
  const own = block(entry);
  if (records.length === 0) return own;
  const body = Buffer.concat(records);
  const name = `PaxHeaders.0/${entry.path.replace(/\/+$/, '').split('/').at(-1) ?? ''}`.slice(0, 100);
  const before = block({ ...entry, path: name, link: '', kind: 'file', mode: 0o644, size: body.length });
  before.write('x', 156, 'latin1');
  return Buffer.concat([checked(before), body, tarPadding(body.length), own]);
}

/** What follows an entry's data, up to the next block. */
export function tarPadding(size: number): Buffer {
  return zeros.subarray(0, -size & (blockSize - 1));
}

/** The end-of-archive mark. */
export function tarTrailer(): Buffer {
  return Buffer.alloc(2 * blockSize);
}

const zeros = Buffer.alloc(blockSize);

function block(entry: TarOutput): Buffer {
  const header = Buffer.alloc(blockSize);
  const split = splitName(entry.path);
  header.write(split.name, 0, 100, 'latin1');
  octal(header, 100, 8, entry.mode & 0o7777);
  octal(header, 108, 8, entry.uid > maxOctal7 ? 0 : entry.uid);
  octal(header, 116, 8, entry.gid > maxOctal7 ? 0 : entry.gid);
  octal(header, 124, 12, entry.size > maxOctal11 ? 0 : entry.size);
  octal(header, 136, 12, fitsTime(entry.mtime) ? entry.mtime : 0);
  header.write(flags[entry.kind], 156, 1, 'latin1');
  header.write(entry.link, 157, 100, 'latin1');
  header.write('ustar\x0000', 257, 8, 'latin1');
  if (entry.kind === 'char' || entry.kind === 'block') {
    octal(header, 329, 8, entry.major ?? 0);
    octal(header, 337, 8, entry.minor ?? 0);
  }
  header.write(split.prefix, 345, 155, 'latin1');
  return checked(header);
}

function checked(header: Buffer): Buffer {
  header.fill(0x20, 148, 156);
  let sum = 0;
  for (let i = 0; i < blockSize; i++) sum += header[i] as number;
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return header;
}

function octal(header: Buffer, at: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, length, 'latin1');
}

function fitsTime(seconds: number): boolean {
  return seconds >= 0 && seconds <= maxOctal11;
}

/** ustar's way of a long name: up to 155 bytes before a slash, up to 100 behind it. `fits`: no pax record is needed. */
function splitName(path: string): { readonly name: string; readonly prefix: string; readonly fits: boolean } {
  if (path.length <= 100) return { name: path, prefix: '', fits: isAscii(path) };
  const slash = path.lastIndexOf('/', Math.min(155, path.length - 2));
  if (slash <= 0 || path.length - slash - 1 > 100 || !isAscii(path))
    return { name: path.slice(0, 100), prefix: '', fits: false };
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash), fits: true };
}

/** Bytes beyond ASCII mean something only in a pax header, where they are UTF-8. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function paxOf(entry: TarOutput): Buffer[] {
  const records: Buffer[] = [];
  const add = (key: string, value: Buffer): void => void records.push(record(key, value));
  if (!splitName(entry.path).fits) add('path', Buffer.from(entry.path, 'latin1'));
  if (entry.link.length > 100 || !isAscii(entry.link)) add('linkpath', Buffer.from(entry.link, 'latin1'));
  if (entry.size > maxOctal11) add('size', Buffer.from(String(entry.size)));
  if (entry.uid > maxOctal7) add('uid', Buffer.from(String(entry.uid)));
  if (entry.gid > maxOctal7) add('gid', Buffer.from(String(entry.gid)));
  if (entry.mtimeNsec || !fitsTime(entry.mtime)) add('mtime', Buffer.from(timeText(entry.mtime, entry.mtimeNsec ?? 0)));
  for (const [name, value] of entry.xattrs ?? []) add(`SCHILY.xattr.${name}`, Buffer.from(value));
  return records;
}

/** Seconds round down and the fraction counts up, also before 1970: -1 s and 250 ms is -0.75. */
function timeText(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return String(seconds);
  const back = seconds < 0;
  const whole = back ? -(seconds + 1) : seconds;
  const fraction = String(back ? 1e9 - nanoseconds : nanoseconds)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${back ? '-' : ''}${whole}.${fraction}`;
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
