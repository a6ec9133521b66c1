// Stores in directories that go away, and layers from bytes: for tests.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type TarFixtureEntry, tarOf } from '../base/tar.fixture.ts';
import { openStore, type StoreOptions } from './open.ts';
import type { LayerInfo, LayerStore, Store } from './store.ts';

export const generousLimits = { maxLayerBytes: 1 << 30, maxLayerEntries: 100_000 };
export const never: AbortSignal = new AbortController().signal;

export async function scratchDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-store-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function scratchStore(
  t: TestContext,
  options: Partial<StoreOptions> = {},
): Promise<Store & { readonly root: string }> {
  const root = options.root ?? (await scratchDirectory(t));
  return { root, ...(await openStore({ driver: 'erofs', allowDevices: true, ...options, root })) };
}

export async function* streamOf(bytes: Uint8Array | string, chunkSize = 100_000): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.from(bytes);
  for (let at = 0; at < buffer.length; at += chunkSize) yield buffer.subarray(at, at + chunkSize);
}

export function unpackBytes(
  store: Store,
  bytes: Uint8Array,
  options: Partial<Parameters<LayerStore['unpack']>[1]> = {},
): Promise<LayerInfo> {
  const defaults = { compression: 'detect', diffId: undefined, limits: generousLimits, signal: never } as const;
  return store.layers.unpack(streamOf(bytes), { ...defaults, ...options });
}

export function unpackEntries(store: Store, entries: readonly TarFixtureEntry[]): Promise<LayerInfo> {
  return unpackBytes(store, tarOf(entries));
}

export const drivers = ['erofs', 'dir'] as const;

export async function nothingLeft(store: Store & { readonly root: string }): Promise<void> {
  assert.deepEqual(await readdir(join(store.root, 'tmp')), []);
  assert.deepEqual(await readdir(join(store.root, 'layers')), []);
}

/** A small honest layer. */
export const simple = tarOf([
  { path: 'etc/passwd', data: 'root:x:0:0::/:/bin/sh\n' },
  { path: 'a', data: 'x'.repeat(100_000) },
]);

export function zstdSimple(): Buffer {
  const frame = (bytes: Buffer) => {
    const parts: Buffer[] = [Buffer.from('28b52ffda0', 'hex'), Buffer.alloc(4)];
    parts[1]?.writeUInt32LE(bytes.length);
    for (let at = 0; at < bytes.length; at += 100_000) {
      const block = bytes.subarray(at, at + 100_000);
      const header = Buffer.alloc(3);
      header.writeUIntLE((block.length << 3) | (at + 100_000 >= bytes.length ? 1 : 0), 0, 3);
      parts.push(header, block);
    }
    return Buffer.concat(parts);
  };
  return Buffer.concat([frame(simple.subarray(0, 50_000)), frame(simple.subarray(50_000))]);
}
