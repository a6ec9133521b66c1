// Writes a tar archive (POSIX ustar) member by member: for images that are made here, from a few known files.
// Pure. Names up to 100 bytes, which is all that those need.

import { fail } from '../../base/errors.ts';

export type TarMember =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  /** `to`: of a hard link, the path in the archive; of a symlink, its text. */
  | { readonly kind: 'link' | 'symlink'; readonly path: string; readonly to: string };

const typeFlags = { file: '0', link: '1', symlink: '2', directory: '5' } as const;

/** All members belong to root and have one time, Unix seconds: the same members give the same bytes. */
export function* tarball(members: Iterable<TarMember>, mtime: number): Generator<Uint8Array, void, undefined> {
  for (const member of members) {
    yield header(member, mtime);
    if (member.kind !== 'file') continue;
    yield member.data;
    yield Buffer.alloc((512 - (member.data.length % 512)) % 512);
  }
  // The archive ends with two blocks of zeros.
  yield Buffer.alloc(1024);
}

/** The header of a file whose bytes come from elsewhere: they follow, filled up to whole blocks of 512. */
export function fileHeader(
  path: string,
  { mode, size, mtime }: { readonly mode: number; readonly size: number; readonly mtime: number },
): Uint8Array {
  return header({ kind: 'file', path, mode, data: new Uint8Array(0) }, mtime, size);
}

function header(member: TarMember, mtime: number, size = member.kind === 'file' ? member.data.length : 0): Uint8Array {
  const block = Buffer.alloc(512);
  const name = member.kind === 'directory' ? `${member.path}/` : member.path;
  const link = 'to' in member ? member.to : '';
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(link) > 100) {
    fail('invalid', 'tar.name', `the name ${name} is too long for a plain tar archive`);
  }
  const mode = 'mode' in member ? member.mode : 0o777;
  block.write(name, 0);
  writeOctal(block, mode, 100, 8);
  writeOctal(block, 0, 108, 8);
  writeOctal(block, 0, 116, 8);
  writeSize(block, size);
  writeOctal(block, mtime, 136, 12);
  block.write(typeFlags[member.kind], 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265);
  block.write('root', 297);
  // The checksum is that of the header with spaces in its place.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** From 8 GiB on in binary, as GNU tar does it. */
function writeSize(block: Buffer, size: number): void {
  if (size < 8 ** 11) {
    writeOctal(block, size, 124, 12);
  } else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
}

function writeOctal(block: Buffer, value: number, at: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
}
