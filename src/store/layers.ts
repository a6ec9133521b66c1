// The layer store: one directory per diffID, holding layer.json and the snapshot. A layer is made in the temporary
// directory and gets its place by one rename, so what is under layers/ is whole.

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isDigest, parseDigest } from '../base/digest.ts';
import { errnoOf, fail, translateWriteError } from '../base/errors.ts';
import { exists, readJsonNow, removeTree, syncDirectory, writeJsonAtomic } from '../base/files.ts';
import { abortableStream } from '../base/streams.ts';
import type { Digest } from '../spec/oci/image.ts';
import { singleFlight } from './single-flight.ts';
import type { LayerInfo, LayerStore, PendingOp } from './store.ts';
import { type UnpackJob, type UnpackResult, unpack } from './unpack.ts';
import { type Unpack, unpackThreads } from './unpack-thread.ts';

export interface LayerStoreOptions {
  readonly directory: string;
  /** On the same filesystem. */
  readonly temporary: string;
  readonly driver: 'erofs' | 'dir';
  readonly workerUrl: URL | undefined;
  readonly allowDevices: boolean;
  readonly oneOwner: boolean;
  readonly applyPending: ((tree: string, pending: readonly PendingOp[]) => Promise<void>) | undefined;
}

/** What layer.json holds. */
interface LayerDocument {
  readonly version: 1;
  readonly diffId: Digest;
  readonly driver: 'erofs' | 'dir';
  readonly size: number;
  readonly files: Readonly<Record<string, string | null>>;
  readonly pending: readonly PendingOp[];
}

export async function openLayerStore(options: LayerStoreOptions): Promise<LayerStore> {
  const { directory, temporary } = options;
  // 0700: what is in a layer (setuid programs!) is for containers, not for this host's users.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const known = new Map<Digest, LayerInfo>();
  const flight = singleFlight<LayerInfo>();
  const slots = semaphore(Math.max(2, availableParallelism()));
  const workshop = { ...options, unpack: options.workerUrl === undefined ? unpack : unpackThreads(options.workerUrl) };

  const place = (diffId: Digest) => placeOf(directory, diffId);

  async function lookUp(diffId: Digest): Promise<LayerInfo | undefined> {
    const cached = known.get(diffId);
    if (cached !== undefined) return cached;
    const document = readJsonNow(join(place(diffId), 'layer.json'));
    if (document === undefined) return undefined;
    const info = infoOf(document, place(diffId));
    known.set(diffId, info);
    return info;
  }

  async function make(source: AsyncIterable<Uint8Array>, wanted: UnpackOptions): Promise<LayerInfo> {
    const release = await slots();
    try {
      return await store.info(await makeLayer(source, wanted, workshop));
    } finally {
      release();
    }
  }

  const store: LayerStore = {
    driver: options.driver,
    has: async (diffId) => known.has(diffId) || exists(place(diffId)),
    async info(diffId) {
      const info = await lookUp(diffId);
      if (info === undefined) fail('not_found', 'layer.not_found', `there is no layer ${diffId} here`);
      return info;
    },
    unpack(source, wanted) {
      const { diffId, signal } = wanted;
      if (diffId === undefined) return make(source, wanted);
      return flight(diffId, signal, { known: () => lookUp(diffId), work: () => make(source, wanted) });
    },
    async remove(diffId) {
      // Out of its place in one step, then away.
      const dying = join(temporary, `${randomBytes(8).toString('hex')}.removed`);
      try {
        await rename(place(diffId), dying);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return;
        throw error;
      } finally {
        known.delete(diffId); // Not before: who asked meanwhile would have found it, and kept it.
      }
      await removeTree(dying);
    },
    async list() {
      const names = await readdir(directory);
      return names.map((name) => `${name.length === 128 ? 'sha512' : 'sha256'}:${name}`).filter(isDigest);
    },
  };
  return store;
}

type UnpackOptions = Parameters<LayerStore['unpack']>[1];

/** Unpacks into a temporary directory and gives it its place. */
async function makeLayer(
  source: AsyncIterable<Uint8Array>,
  wanted: UnpackOptions,
  options: LayerStoreOptions & { readonly unpack: Unpack },
): Promise<Digest> {
  const { compression, diffId, limits, signal } = wanted;
  const { driver, allowDevices, oneOwner } = options;
  const work = join(options.temporary, `${randomBytes(8).toString('hex')}.layer`);
  try {
    signal.throwIfAborted();
    await mkdir(work, { mode: 0o700 });
    const job: UnpackJob = { driver, directory: work, compression, diffId, limits, allowDevices, oneOwner };
    const result = await options.unpack(abortableStream(source, signal), job, signal);
    await commit(work, result, options);
    return result.diffId;
  } catch (error) {
    throw translateWriteError(error, work);
  } finally {
    await removeTree(work);
  }
}

async function commit(work: string, result: UnpackResult, options: LayerStoreOptions): Promise<void> {
  const { diffId, size, files } = result;
  let pending = result.pending;
  if (pending.length > 0 && options.applyPending !== undefined) {
    await options.applyPending(join(work, 'tree'), pending);
    pending = [];
  }
  const document: LayerDocument = { version: 1, diffId, driver: options.driver, size, files, pending };
  await writeJsonAtomic(join(work, 'layer.json'), document);
  try {
    await rename(work, placeOf(options.directory, diffId));
  } catch (error) {
    // It came by another way meanwhile: the same content under the same name.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
  }
  await syncDirectory(options.directory);
}

function placeOf(directory: string, diffId: Digest): string {
  return join(directory, parseDigest(diffId).hex);
}

function infoOf(document: unknown, place: string): LayerInfo {
  const layer = document as LayerDocument;
  if (layer.version !== 1)
    fail('corrupt', 'layer.version', `${join(place, 'layer.json')} has a version that is not known`);
  const { diffId, size, files, pending } = layer;
  const source =
    layer.driver === 'erofs'
      ? ({ kind: 'erofs', file: join(place, 'layer.erofs') } as const)
      : ({ kind: 'dir', path: join(place, 'tree') } as const);
  return { diffId, source, size, files, pending };
}

/** Resolves to a release function when there is room for one more. */
function semaphore(count: number): () => Promise<() => void> {
  let free = count;
  const waiting: (() => void)[] = [];
  const release = () => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  return async () => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return release;
  };
}
