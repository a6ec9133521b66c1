// What the first bytes of an archive say about it: how it is compressed, and whether it is an image rather than a file system.

import zlib from 'node:zlib';
import { fail } from '../../base/errors.ts';
import { mediaTypes } from '../../spec/oci/image.ts';

/** How much of the stream must be looked at. */
export const archiveHeadBytes = 64 * 1024;

export type ArchiveCompression = 'none' | 'gzip' | 'zstd';

export const layerTypeOf: Readonly<Record<ArchiveCompression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
};

/** Told by its magic; what we cannot read is refused with the way out. */
export function compressionOf(head: Uint8Array): ArchiveCompression {
  const magic = Buffer.from(head.subarray(0, 6)).toString('hex');
  if (magic.startsWith('1f8b')) return 'gzip';
  if (magic.startsWith('28b52ffd')) return 'zstd';
  const other = magic.startsWith('fd377a585a00') ? 'xz' : magic.startsWith('425a68') ? 'bzip2' : undefined;
  if (other === undefined) return 'none';
  return fail('unsupported', 'archive.compression', `the archive is compressed with ${other}, which is not supported`, {
    hint: `decompress it first: ${other} -dc FILE | hoist import -`,
  });
}

/** True for `docker save` archives and OCI layouts: importing one would make an image whose files are an image. */
export function looksLikeImage(head: Uint8Array): boolean {
  const names = memberNames(plainStart(head));
  const own =
    /^(?:\.\/)?(?:oci-layout|index\.json|manifest\.json|repositories|blobs(?:\/.*)?|[a-f0-9]{64}(?:\.json|\/.*)?)$/;
  const telling =
    /^(?:\.\/)?(?:oci-layout|manifest\.json|blobs\/sha256(?:\/.*)?|[a-f0-9]{64}\/(?:json|layer\.tar|VERSION)?)$/;
  const inside = names.filter((name) => name !== './' && name !== '.');
  return inside.length > 0 && inside.every((name) => own.test(name)) && inside.some((name) => telling.test(name));
}

/** As much of the start as can be decompressed without the rest. */
function plainStart(head: Uint8Array): Uint8Array {
  try {
    if (compressionOf(head) === 'gzip')
      return zlib.gunzipSync(head, { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: 8 << 20 });
  } catch {
    return new Uint8Array(0);
  }
  return head;
}

/** The names of the members whose headers lie in these bytes (ustar: name at 0, size at 124, type at 156). */
function memberNames(bytes: Uint8Array): readonly string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names: string[] = [];
  for (let at = 0; at + 512 <= buffer.length; ) {
    const name = cString(buffer.subarray(at, at + 100));
    if (name === '') break;
    const type = String.fromCharCode(buffer[at + 156] ?? 0);
    // Extended headers speak of the next member; their own name says nothing.
    if (!'xgLK'.includes(type)) names.push(name);
    const size = Number.parseInt(cString(buffer.subarray(at + 124, at + 136)).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0) break;
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return names;
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
}
