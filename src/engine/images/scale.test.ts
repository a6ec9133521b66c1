// A thousand images: what is read, never how long it takes.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { sha256Of } from '../../base/digest.ts';
import { mediaTypes } from '../../spec/oci/image.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { createImages } from './images.ts';
import { resolveImage } from './resolve.ts';
import { openWorld } from './testing.fixture.ts';

const count = 1000;

/** Written straight to disk: the store would sync each of the three thousand files. */
async function thousandImages(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'hoist-scale-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const blobs = join(root, 'content/blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (mediaType: string, document: unknown) => {
    const text = JSON.stringify(document);
    await writeFile(join(blobs, sha256Of(text).slice(7)), text);
    return { mediaType, digest: sha256Of(text), size: text.length };
  };
  const rows = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const diffId = `sha256:${i.toString(16).padStart(64, '0')}`;
      const rootfs = { type: 'layers', diff_ids: [diffId] };
      const config = await put(mediaTypes.ociConfig, { os: 'linux', architecture: 'amd64', author: `${i}`, rootfs });
      const layers = [{ mediaType: mediaTypes.ociLayerGzip, digest: diffId, size: 1 }];
      const manifest = await put(mediaTypes.ociManifest, { schemaVersion: 2, config, layers });
      const name = { 'io.hoist.image.name': `docker.io/library/i${i}:latest` };
      return { ...manifest, annotations: { ...name, 'io.hoist.image.id': config.digest } };
    }),
  );
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: rows };
  await writeFile(join(root, 'content/index.json'), JSON.stringify(index));
  return root;
}

/** Counts the documents that are read from now on. */
function countReads(store: Store): { count: number } {
  const reads = { count: 0 };
  const { read } = store.content;
  Object.assign(store.content, {
    read: (digest: string, limit: number) => {
      reads.count++;
      return read(digest, limit);
    },
  });
  return reads;
}

test('a thousand images: a name costs two documents, and nothing is read twice', async (t) => {
  const store = await openStore({ root: await thousandImages(t), driver: 'erofs' });
  const reads = countReads(store);
  const { id } = await resolveImage(store, 'i500');
  assert.equal(reads.count, 2);
  for (const text of ['i500', 'i500:latest', id, id.slice(7, 20)]) {
    assert.equal((await resolveImage(store, text)).id, id);
  }
  assert.equal(reads.count, 2);

  await using world = await openWorld();
  const images = createImages({ ...world.deps, store });
  assert.equal((await images.list({ all: false, filters: {} })).length, count);
  assert.equal(reads.count, 2 * count);
  assert.equal((await images.list({ all: false, filters: { reference: ['i7'] } })).length, 1);
  await images.inspect('i3');
  for (const name of ['i1', 'i2']) await images.remove(name, { force: false, prune: true });
  await store.collect(new Set());
  assert.equal(store.images.list().length, count - 2);
  assert.equal((await store.content.list()).length, 2 * (count - 2));
  assert.equal(reads.count, 2 * count, 'no document twice');
});
