// What a tar archive's reader hands out, and how it refuses. Names are binary strings: see tar.ts.

import { HoistError } from './errors.ts';

export type TarKind = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

export interface TarEntry {
  readonly kind: TarKind;
  /** As written, binary: `./usr/bin/`, `/etc/passwd`, `../x`. Not checked beyond NUL bytes and length. */
  readonly path: string;
  /** Target of a symlink or hard link, binary; '' otherwise. */
  readonly link: string;
  /** Bytes of data that follow; 0 for all but files. */
  readonly size: number;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, whole (may be negative), and nanoseconds. */
  readonly mtime: number;
  readonly mtimeNsec: number;
  readonly major: number;
  readonly minor: number;
  /** From SCHILY.xattr records; empty for most. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** The sentence of every refusal; the code is `tar.invalid`. */
export function invalid(complaint: string): never {
  throw new HoistError('corrupt', 'tar.invalid', `not a valid tar archive: ${complaint}`);
}

/** A binary string as a person may read it in a message. */
export function displayPath(path: string): string {
  const text = Buffer.from(path.length > 200 ? `${path.slice(0, 200)}...` : path, 'latin1').toString('utf8');
  return /^[\x21-\x7e\u00a1-\u{10ffff}]+$/u.test(text) ? text : JSON.stringify(text);
}
