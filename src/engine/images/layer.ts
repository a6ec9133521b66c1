// One layer of a pull: fetched, kept under its digest and unpacked under its diffID in a single pass over the network.

import { createReadStream } from 'node:fs';
import { batches } from '../../base/streams.ts';
import type { Repository } from '../../registry/client/client.ts';
import type { Descriptor, Digest } from '../../spec/oci/image.ts';
import type { Store, UnpackLimits } from '../../store/store.ts';
import type { Progress } from '../engine.ts';
import { tee } from './tee.ts';
import { allOrNothing } from './turns.ts';

export interface LayerJob {
  readonly blob: Descriptor;
  readonly diffId: Digest;
}

export interface LayerOptions {
  readonly store: Store;
  readonly limits: UnpackLimits;
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** What a socket gives is small: fewer, larger pieces go through all hands. */
const pieceSize = 512 << 10;

/** Bars need no more than this many steps a second. */
const progressEveryMs = 100;

export async function isComplete(store: Store, job: LayerJob): Promise<boolean> {
  return (await store.content.has(job.blob.digest)) && (await store.layers.has(job.diffId));
}

export async function fetchLayer(repository: Repository, job: LayerJob, options: LayerOptions): Promise<void> {
  const { store, signal } = options;
  const { blob, diffId } = job;
  const show = phaseReporter(blob, options.onProgress);
  const haveBlob = await store.content.has(blob.digest);
  const haveLayer = await store.layers.has(diffId);
  const unpack = (source: AsyncIterable<Uint8Array>, stop: AbortSignal) =>
    store.layers.unpack(source, { compression: 'detect', diffId, limits: options.limits, signal: stop });

  if (haveBlob && !haveLayer) {
    show('Extracting');
    await unpack(createReadStream(store.content.path(blob.digest), { highWaterMark: 1 << 20 }), signal);
  } else if (!haveBlob) {
    await allOrNothing<unknown>(signal, (stop) => {
      const bytes = counted(repository.blob(blob, stop), show, blob.size);
      const [kept, unpacked] = tee(batches(bytes, Math.min(pieceSize, Math.max(blob.size, 4096))), 2);
      if (kept === undefined || unpacked === undefined) return [];
      const keep = store.content.ingest(blob, kept, stop).then(() => {
        if (!haveLayer) show('Extracting');
      });
      if (haveLayer) unpacked.close();
      const lay = haveLayer ? Promise.resolve() : unpack(unpacked, stop);
      // Either may end before its last byte, or before its first; the other must not wait for it.
      return [keep.finally(() => kept.close()), lay.finally(() => unpacked.close())];
    });
  }
  show('Pull complete');
}

type Show = (phase: string, counts?: { readonly current: number; readonly total: number }) => void;

function phaseReporter(blob: Descriptor, onProgress: (progress: Progress) => void): Show {
  const id = shortId(blob.digest);
  return (phase, counts) => onProgress({ kind: 'layer', id, phase, ...counts });
}

/** The first 12 hex digits, as Docker names layers. */
export function shortId(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 13);
}

/** The same bytes, told as `Downloading`, then `Verifying Checksum` and `Download complete`. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  show: Show,
  total: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let current = 0;
  let shownAt = 0;
  for await (const chunk of source) {
    current += chunk.length;
    const now = Date.now();
    if (now - shownAt >= progressEveryMs) {
      shownAt = now;
      show('Downloading', { current, total });
    }
    yield chunk;
  }
  show('Verifying Checksum');
  show('Download complete');
}
