// `import`: a tar of a file system becomes an image of one layer. The archive is kept as it came, for push and save.

import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { sha256Of } from '../../base/digest.ts';
import { fail, translateWriteError } from '../../base/errors.ts';
import { batches, peekBytes } from '../../base/streams.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import { type Descriptor, type Digest, type ImageConfig, type Manifest, mediaTypes } from '../../spec/oci/image.ts';
import { parsePlatform } from '../../spec/oci/platform.ts';
import { canonicalName, familiarName, parseReference, withDefaultTag } from '../../spec/oci/reference.ts';
import type { LayerInfo } from '../../store/store.ts';
import type { ImportOptions } from '../engine.ts';
import { announce } from './announce.ts';
import { archiveHeadBytes, compressionOf, layerTypeOf, looksLikeImage } from './archive-kind.ts';
import { rowDescriptor } from './catalog.ts';
import { applyChanges } from './changes.ts';
import type { ImagesDeps } from './deps.ts';
import { tee } from './tee.ts';
import { allOrNothing } from './turns.ts';

/** Returns the new image's id. */
export async function importImage(
  deps: ImagesDeps,
  tar: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<string> {
  const { store } = deps;
  const { signal } = options;
  // Everything that can be wrong in the request is found before a byte is read.
  const name = options.reference === undefined ? undefined : importName(options.reference);
  const platform = options.platform === '' ? deps.host : parsePlatform(options.platform, deps.host);
  const runConfig = applyChanges({}, options.changes);

  const { head, stream } = await peekBytes(tar, archiveHeadBytes);
  const compression = compressionOf(head);
  if (looksLikeImage(head)) {
    fail('invalid', 'import.image', 'the archive is an image, not a file system', { hint: 'use hoist load for it' });
  }
  const lease = store.lease();
  try {
    const { layer, blob } = await keepAndUnpack(deps, stream, signal);
    lease.hold(layer.diffId);
    lease.hold(blob.digest);
    await store.content.adopt(blob.path, blob);
    const created = (deps.now?.() ?? new Date()).toISOString();
    const config: ImageConfig = {
      created,
      architecture: platform.architecture,
      os: platform.os,
      ...(platform.variant === undefined ? {} : { variant: platform.variant }),
      config: runConfig,
      rootfs: { type: 'layers', diff_ids: [layer.diffId] },
      history: [{ created, comment: options.message === '' ? 'Imported from -' : options.message }],
    };
    const putDocument = async (mediaType: string, document: ImageConfig | Manifest): Promise<Descriptor> => {
      const bytes = Buffer.from(JSON.stringify(document));
      lease.hold(sha256Of(bytes));
      return { mediaType, ...(await store.content.put(bytes)) };
    };
    const configDescriptor = await putDocument(mediaTypes.ociConfig, config);
    const manifest = await putDocument(mediaTypes.ociManifest, {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor,
      layers: [{ mediaType: layerTypeOf[compression], digest: blob.digest, size: blob.size }],
    });
    throwIfCancelled(signal);
    const row = rowDescriptor({ ...manifest, platform }, configDescriptor.digest);
    await store.images.tag({ name, manifest: row, repoDigest: undefined, taggedAt: created });
    const { digest: id } = configDescriptor;
    const labels = runConfig.Labels;
    if (name !== undefined) announce(deps, 'tag', id, { name: familiarName(parseReference(name)), labels });
    announce(deps, 'import', id, { labels });
    return id;
  } catch (error) {
    throwIfCancelled(signal);
    throw error;
  } finally {
    await lease[Symbol.asyncDispose]();
  }
}

function importName(text: string): string {
  const ref = parseReference(text);
  if (ref.digest !== undefined) fail('invalid', 'import.reference', 'cannot import digest reference');
  return canonicalName(withDefaultTag(ref));
}

interface SpooledBlob {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/** One pass: the archive goes to a temporary file, because its digest is not known yet, and is unpacked. */
export async function keepAndUnpack(
  deps: Pick<ImagesDeps, 'store' | 'limits'>,
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly layer: LayerInfo; readonly blob: SpooledBlob }> {
  const { store, limits } = deps;
  const path = store.tempPath('.import');
  try {
    let blob: SpooledBlob | undefined;
    let layer: LayerInfo | undefined;
    await allOrNothing<void>(signal, (stop) => {
      const [kept, unpacked] = tee(batches(stream, 512 << 10), 2);
      if (kept === undefined || unpacked === undefined) return [];
      const spooled = spool(kept, path, stop).then((value) => {
        blob = value;
      });
      const laid = store.layers
        .unpack(unpacked, { compression: 'detect', diffId: undefined, limits, signal: stop })
        .then((value) => {
          layer = value;
        });
      return [spooled.finally(() => kept.close()), laid.finally(() => unpacked.close())];
    });
    if (blob === undefined || layer === undefined) throw new Error('an import ended without a result');
    return { layer, blob };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function spool(source: AsyncIterable<Uint8Array>, path: string, signal: AbortSignal): Promise<SpooledBlob> {
  const hash = createHash('sha256');
  let size = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of batches(source, 1 << 20)) {
      throwIfCancelled(signal);
      hash.update(chunk);
      size += chunk.length;
      await file.writeFile(chunk);
    }
  } catch (error) {
    throw translateWriteError(error, path);
  } finally {
    await file.close();
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, size };
}
