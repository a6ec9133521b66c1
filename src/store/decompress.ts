// A layer's compressed bytes made plain: gzip by Node's zlib (on a thread of libuv's pool, so that it runs beside the
// reading of the archive), zstd by Node where it has it, else by the fzstd package.

import { pipeline, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { errnoOf, fail, HoistError } from '../base/errors.ts';
import { peekBytes } from '../base/streams.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'detect';

/** Large pieces: one hash update, one write each. */
const pieceSize = 1 << 20;

export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  const { head, stream } = await peekBytes(source, 6);
  const actual = compression === 'detect' ? detect(head) : compression;
  if (actual === 'none') {
    yield* stream;
    return;
  }
  try {
    yield* actual === 'gzip' ? throughStream(stream, gunzip()) : unzstd(stream);
  } catch (error) {
    throw translate(error, actual);
  }
}

function detect(head: Uint8Array): 'none' | 'gzip' | 'zstd' {
  const hex = Buffer.from(head).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('28b52ffd')) return 'zstd';
  const refused = hex.startsWith('fd377a585a00') ? 'xz' : hex.startsWith('425a68') ? 'bzip2' : undefined;
  if (refused !== undefined) {
    fail('unsupported', 'layer.compression', `layers compressed with ${refused} are not supported`, {
      hint: 'compress the archive with gzip or zstd, or not at all',
    });
  }
  return 'none';
}

function gunzip(): zlib.Gunzip {
  const options: zlib.ZlibOptions & { readonly highWaterMark: number } = {
    chunkSize: pieceSize,
    highWaterMark: 4 * pieceSize,
  };
  return zlib.createGunzip(options);
}

async function* throughStream(source: AsyncIterable<Uint8Array>, transform: Transform): AsyncGenerator<Uint8Array> {
  // Not `yield* transform`: a stream's own iterator joins all that is ready into one buffer, and the thread that
  // decompresses stands still while that is worked on. Taken as they come, pieces are hashed and written beside it.
  const ready: Uint8Array[] = [];
  let over: { readonly error?: unknown } | undefined;
  let wake = () => {};
  const finish = (how: { readonly error?: unknown }) => {
    over ??= how;
    wake();
  };
  transform.on('data', (piece: Uint8Array) => {
    ready.push(piece);
    if (ready.length >= maxReady) transform.pause();
    wake();
  });
  transform.on('end', () => finish({}));
  transform.on('error', (error) => finish({ error }));
  // Called at the end of the input, when output may still be on its way: of use for the source's failures alone.
  pipeline(source, transform, (error) => {
    if (error) finish({ error });
  });
  try {
    for (;;) {
      const piece = ready.shift();
      if (piece !== undefined) {
        yield piece;
        if (ready.length === 0 && transform.isPaused()) transform.resume();
      } else if (over !== undefined) {
        if (over.error !== undefined) throw over.error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    transform.destroy();
  }
}

/** Pieces that may wait for a slow taker. */
const maxReady = 4;

async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const native = nativeZstd();
  if (native !== undefined) {
    yield* throughStream(source, native({ chunkSize: pieceSize }));
    return;
  }
  const { Decompress } = await import('fzstd');
  const ready: Uint8Array[] = [];
  const stream = new Decompress((piece) => {
    if (piece.byteLength > 0) ready.push(piece);
  });
  // fzstd ends a frame only when told that no more bytes come, so the last chunk is held back by one.
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of source) {
    stream.push(held);
    held = chunk;
    yield* ready.splice(0);
  }
  stream.push(held, true);
  yield* ready;
}

type ZstdFactory = (options: { readonly chunkSize: number }) => Transform;

/** In Node 22.15, 23.8 and later; the types are those of Node 20. */
function nativeZstd(): ZstdFactory | undefined {
  const factory: unknown = Reflect.get(zlib, 'createZstdDecompress');
  return typeof factory === 'function' ? (factory as ZstdFactory) : undefined;
}

function translate(error: unknown, compression: 'gzip' | 'zstd'): unknown {
  if (error instanceof HoistError) return error;
  const code = errnoOf(error);
  const message = error instanceof Error ? error.message : '';
  if (code === 'Z_BUF_ERROR' || message === 'unexpected EOF') {
    return new HoistError('corrupt', 'layer.truncated', `the layer's ${compression} stream ends too early`, {
      cause: error,
    });
  }
  const isFzstd = error instanceof Error && 'code' in error && typeof error.code === 'number';
  if (isFzstd || code?.startsWith('Z_') || code?.startsWith('ZSTD_')) {
    return new HoistError('corrupt', 'layer.invalid', `the layer is not a ${compression} stream: ${message}`, {
      cause: error,
    });
  }
  return error;
}
