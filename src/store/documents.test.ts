import assert from 'node:assert/strict';
import test from 'node:test';
import { sha256Of } from '../base/digest.ts';
import { isHoistError } from '../base/errors.ts';
import { mediaTypes } from '../spec/oci/image.ts';
import { cacheDocuments } from './documents.ts';

/** A content store that counts what is read of it. */
function counting(documents: readonly unknown[]) {
  const blobs = new Map(documents.map((document) => JSON.stringify(document)).map((text) => [sha256Of(text), text]));
  const reads: string[] = [];
  return {
    reads,
    digests: [...blobs.keys()],
    content: {
      async read(digest: string) {
        reads.push(digest);
        return Buffer.from(blobs.get(digest) ?? '');
      },
    },
  };
}

const config = (n: number) => ({
  os: 'linux',
  architecture: 'amd64',
  author: `${n}`.padEnd(1000),
  rootfs: { type: 'layers', diff_ids: [] },
});

test('a document is read and parsed once', async () => {
  const { content, digests, reads } = counting([config(1)]);
  const documents = cacheDocuments(content);
  const [digest = ''] = digests;
  const first = await documents.config(digest);
  assert.equal(await documents.config(digest), first);
  assert.equal(reads.length, 1);
});

test('within the bound nothing is read again; beyond it, what was not used for longest goes', async () => {
  const { content, digests, reads } = counting(Array.from({ length: 20 }, (_, i) => config(i)));
  const documents = cacheDocuments(content, 10_500); // Nine and a bit.
  const nine = digests.slice(0, 9);
  for (let round = 0; round < 3; round++) for (const digest of nine) await documents.config(digest);
  assert.equal(reads.length, 9);
  await documents.config(digests[0] ?? '');
  await documents.config(digests[9] ?? '');
  assert.equal(reads.length, 10);
  await documents.config(digests[0] ?? '');
  assert.equal(reads.length, 10, 'used a moment ago');
  await documents.config(digests[1] ?? '');
  assert.equal(reads.length, 11, 'the oldest had to go');
});

test('two readers at once do not count twice against the bound', async () => {
  const { content, digests, reads } = counting(Array.from({ length: 9 }, (_, i) => config(i)));
  const documents = cacheDocuments(content, 10_500);
  for (let round = 0; round < 5; round++)
    await Promise.all([...digests, ...digests].map((one) => documents.config(one)));
  assert.equal(reads.length, 18);
});

test("a blob that is one image's manifest and, so says a hostile one, its own configuration", async () => {
  const descriptor = { mediaType: mediaTypes.ociConfig, digest: `sha256:${'a'.repeat(64)}`, size: 1 };
  const both = { schemaVersion: 2, config: descriptor, layers: [], rootfs: { type: 'layers', diff_ids: [] } };
  const { content, digests } = counting([both]);
  const documents = cacheDocuments(content);
  const [digest = ''] = digests;
  assert.deepEqual((await documents.config(digest)).rootfs.diff_ids, []);
  assert.ok('layers' in (await documents.manifestOrIndex(digest)));
  assert.equal(
    (await documents.manifestOrIndex(digest, mediaTypes.dockerManifest)).mediaType,
    mediaTypes.dockerManifest,
  );
  assert.equal((await documents.manifestOrIndex(digest)).mediaType, mediaTypes.ociManifest);
});

test('what is no document is refused every time', async () => {
  const { content, digests } = counting(['x']);
  const documents = cacheDocuments(content);
  for (let i = 0; i < 2; i++) {
    await assert.rejects(documents.config(digests[0] ?? ''), (error) => isHoistError(error, 'config.invalid'));
  }
});
