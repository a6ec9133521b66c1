// The content store: bytes under their digest, in the blobs/ directory of an OCI image layout, so that any other tool
// reads it as it is. No byte gets its final name before all of them are verified and on disk.

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFor, isDigest, parseDigest } from '../base/digest.ts';
import { errnoOf, fail, isHoistError, translateWriteError } from '../base/errors.ts';
import { readFileNow, syncDirectory } from '../base/files.ts';
import { abortableStream, batches } from '../base/streams.ts';
import type { Digest } from '../spec/oci/image.ts';
import { singleFlight } from './single-flight.ts';
import type { ContentStore } from './store.ts';

/** Few, large writes; while one is under way, the next batch fills. */
const writeSize = 1 << 20;

const algorithms = ['sha256', 'sha512'] as const;

/** `directory` is the layout's; `temporary` must be on the same filesystem. */
export async function openContentStore(directory: string, temporary: string): Promise<ContentStore> {
  const blobs = join(directory, 'blobs');
  for (const algorithm of algorithms) await mkdir(join(blobs, algorithm), { recursive: true, mode: 0o700 });
  const flight = singleFlight<true>();
  const never = new AbortController().signal;
  const store: ContentStore = {
    path(digest) {
      const { algorithm, hex } = parseDigest(digest);
      return join(blobs, algorithm, hex);
    },
    async has(digest) {
      return (await sizeOf(store.path(digest))) !== undefined;
    },
    async read(digest, limit) {
      const bytes = readBlob(store.path(digest), { digest, limit });
      if (bytes === undefined) fail('not_found', 'content.not_found', `there is no blob ${digest} here`);
      return bytes;
    },
    async ingest(expected, source, signal) {
      const path = store.path(expected.digest);
      await flight(expected.digest, signal, {
        known: async () => ((await sizeOf(path)) === undefined ? undefined : true),
        work: () => receive(expected, source, { path, temporary, signal }),
      });
    },
    async put(bytes) {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      await store.ingest({ digest, size: bytes.byteLength }, once(bytes), never);
      return { digest, size: bytes.byteLength };
    },
    async adopt(file, expected) {
      const path = store.path(expected.digest);
      try {
        await flight(expected.digest, never, {
          known: async () => ((await sizeOf(path)) === undefined ? undefined : true),
          work: () => moveIn(file, path, expected),
        });
      } finally {
        await rm(file, { force: true });
      }
    },
    async remove(digest) {
      await rm(store.path(digest), { force: true });
    },
    async list() {
      const found = await Promise.all(
        algorithms.map(async (algorithm) =>
          (await readdir(join(blobs, algorithm))).map((name) => `${algorithm}:${name}`),
        ),
      );
      return found.flat().filter(isDigest);
    },
  };
  return store;
}

interface Target {
  readonly path: string;
  readonly temporary: string;
  readonly signal: AbortSignal;
}

/** Writes the stream to a temporary name while hashing it, and renames it when size and digest are right. */
async function receive(
  expected: { readonly digest: Digest; readonly size: number },
  source: AsyncIterable<Uint8Array>,
  target: Target,
): Promise<true> {
  const { digest, size } = expected;
  const temporary = join(target.temporary, `${randomBytes(8).toString('hex')}.blob`);
  const hash = hashFor(digest);
  let received = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      for await (const batch of batches(
        abortableStream(source, target.signal),
        Math.min(writeSize, Math.max(size + 1, 4096)),
      )) {
        received += batch.byteLength;
        if (received > size) {
          fail(
            'corrupt',
            'content.size_mismatch',
            `the blob ${digest} has more than the ${size} bytes declared for it`,
          );
        }
        hash.update(batch);
        await writing;
        writing = file.appendFile(batch);
        writing.catch(() => {}); // Reported by the next `await writing`.
      }
      await writing;
      if (received < size) {
        fail('corrupt', 'content.size_mismatch', `the blob ${digest} ended after ${received} of ${size} bytes`);
      }
      const actual = `${parseDigest(digest).algorithm}:${hash.digest('hex')}`;
      if (actual !== digest) {
        fail(
          'corrupt',
          'content.digest_mismatch',
          `the blob ${digest} has other content than its name says: ${actual}`,
        );
      }
      await file.datasync();
    } finally {
      await writing.catch(() => {});
      await file.close();
    }
    await rename(temporary, target.path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw translateWriteError(error, temporary);
  }
  await syncDirectory(join(target.path, '..'));
  return true;
}

async function moveIn(
  file: string,
  path: string,
  expected: { readonly digest: Digest; readonly size: number },
): Promise<true> {
  const size = await sizeOf(file);
  if (size !== expected.size) {
    fail('corrupt', 'content.size_mismatch', `the blob ${expected.digest} has ${size} of ${expected.size} bytes`);
  }
  try {
    const handle = await open(file, 'r+');
    try {
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(file, path);
  } catch (error) {
    throw translateWriteError(error, file);
  }
  await syncDirectory(join(path, '..'));
  return true;
}

function readBlob(path: string, blob: { readonly digest: Digest; readonly limit: number }): Buffer | undefined {
  try {
    return readFileNow(path, blob.limit);
  } catch (error) {
    if (!isHoistError(error, 'file.too_large')) throw error;
    return fail(
      'too_large',
      'content.too_large',
      `the blob ${blob.digest} is larger than the ${blob.limit} bytes allowed`,
    );
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
