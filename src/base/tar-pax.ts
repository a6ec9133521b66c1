// Extended headers of the pax format: `LENGTH KEY=VALUE\n` records that override fields of the header they precede.
// Values are bytes; keys that this program has no use for are read and dropped.

import { displayPath, invalid, type TarEntry } from './tar-entry.ts';

export type PaxRecords = Map<string, Buffer>;

/** Records of one extended header on top of earlier ones; an empty value takes an earlier record away. */
export function parsePaxRecords(bytes: Buffer, earlier: ReadonlyMap<string, Buffer> = new Map()): PaxRecords {
  const records: PaxRecords = new Map(earlier);
  for (let at = 0; at < bytes.length; ) {
    // GNU tar and others pad with NULs after the last record.
    if (bytes[at] === 0) break;
    const space = bytes.indexOf(0x20, at);
    const length = space > at && space - at <= 8 ? decimal(bytes.toString('latin1', at, space)) : undefined;
    const end = at + (length ?? 0);
    const equals = bytes.indexOf(0x3d, space + 1);
    if (length === undefined || end > bytes.length || end <= space + 2 || bytes[end - 1] !== 0x0a) broken();
    if (equals === -1 || equals >= end - 1 || equals === space + 1) broken();
    const key = bytes.toString('utf8', space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    if (value.length === 0 && !key.startsWith(xattrPrefix)) records.delete(key);
    else records.set(key, value);
    at = end;
  }
  return records;
}

const xattrPrefix = 'SCHILY.xattr.';

/** The entry with what the records say instead. */
export function applyPax(entry: TarEntry, records: ReadonlyMap<string, Buffer>): TarEntry {
  let { path, link, size, uid, gid, mtime, mtimeNsec } = entry;
  const xattrs = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (key === 'path') path = value.toString('latin1');
    else if (key === 'linkpath' && entry.link !== '') link = value.toString('latin1');
    else if (key === 'size' && entry.kind === 'file') size = count(value, entry, 'size');
    else if (key === 'uid') uid = count(value, entry, 'uid');
    else if (key === 'gid') gid = count(value, entry, 'gid');
    else if (key === 'mtime') [mtime, mtimeNsec] = time(value, entry);
    else if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
    else if (key.startsWith('GNU.sparse.')) invalid(`the entry ${displayPath(entry.path)} is a sparse file`);
  }
  return { ...entry, path, link, size, uid, gid, mtime, mtimeNsec, xattrs };
}

function broken(): never {
  invalid('an extended header is broken');
}

function decimal(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function count(value: Buffer, entry: TarEntry, what: string): number {
  const parsed = decimal(value.toString('latin1', 0, 32));
  if (parsed === undefined) invalid(`the ${what} of ${displayPath(entry.path)} is not a number`);
  return parsed;
}

/** `-1.5` is one and a half seconds before 1970: -2 seconds and 500,000,000 nanoseconds. */
function time(value: Buffer, entry: TarEntry): [seconds: number, nanoseconds: number] {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value.toString('latin1', 0, 64));
  if (match === null) invalid(`the time of ${displayPath(entry.path)} is not a time`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return [seconds, nanoseconds];
  return nanoseconds === 0 ? [-seconds, 0] : [-seconds - 1, 1e9 - nanoseconds];
}
