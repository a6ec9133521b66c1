// Unpacks one layer: decompresses, hashes, reads the archive, writes the snapshot, all in one pass over the bytes.
// Runs in a thread of its own (unpack-worker.ts) or, in tests, in the caller's.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hashFor } from '../base/digest.ts';
import { fail, HoistError } from '../base/errors.ts';
import { readTar } from '../base/tar.ts';
import { type Compression, decompress } from './decompress.ts';
import { dirWriter } from './dir.ts';
import { erofsWriter } from './erofs.ts';
import { layerTree } from './layer-tree.ts';
import type { PendingOp, UnpackLimits } from './store.ts';

export interface UnpackJob {
  readonly driver: 'erofs' | 'dir';
  /** An empty directory, to become the layer's: gets layer.erofs or tree/. */
  readonly directory: string;
  readonly compression: Compression;
  readonly diffId: string | undefined;
  readonly limits: UnpackLimits;
  readonly allowDevices: boolean;
  /** See StoreOptions. */
  readonly oneOwner?: boolean;
}

export interface UnpackResult {
  readonly diffId: string;
  readonly size: number;
  readonly files: Readonly<Record<string, string | null>>;
  readonly pending: readonly PendingOp[];
}

export async function unpack(source: AsyncIterable<Uint8Array>, job: UnpackJob): Promise<UnpackResult> {
  const pending: PendingOp[] = [];
  const writer =
    job.driver === 'erofs'
      ? erofsWriter(join(job.directory, 'layer.erofs'))
      : dirWriter(job.directory, pending, job.oneOwner);
  try {
    const tree = layerTree(writer, job);
    const reader = readTar(tree.sink);
    const hash = job.diffId === undefined ? createHash('sha256') : hashFor(job.diffId);
    let bytes = 0;
    for await (const piece of decompress(source, job.compression)) {
      bytes += piece.byteLength;
      if (bytes > job.limits.maxLayerBytes) {
        fail(
          'too_large',
          'layer.too_large',
          `the layer unpacks to more than the ${job.limits.maxLayerBytes} bytes allowed`,
        );
      }
      hash.update(piece);
      reader.write(piece);
    }
    const { trailer } = reader.end();
    const diffId = `${job.diffId?.split(':')[0] ?? 'sha256'}:${hash.digest('hex')}`;
    if (job.diffId !== undefined && job.diffId !== diffId) {
      fail('corrupt', 'layer.diffid_mismatch', `the layer ${job.diffId} unpacks to other content: ${diffId}`);
    }
    // An archive may lack its end mark (some builders leave it out), but then its digest must vouch for it.
    if (!trailer && job.diffId === undefined)
      fail('corrupt', 'layer.truncated', 'the archive ends without its end mark');
    const { root, size, files } = tree.finish();
    writer.finish(root, diffId);
    return { diffId, size, files, pending };
  } catch (error) {
    throw translate(error);
  } finally {
    writer.close();
  }
}

/** The archive reader speaks of archives; here it is a layer. */
function translate(error: unknown): unknown {
  if (!(error instanceof HoistError)) return error;
  if (error.code === 'tar.truncated') {
    return new HoistError('corrupt', 'layer.truncated', 'the layer ends in the middle of an entry', { cause: error });
  }
  if (error.code === 'tar.invalid') return new HoistError('corrupt', 'layer.invalid', `the layer is ${error.message}`);
  return error;
}
