// `push`: an image here becomes one at a registry. Blobs that are there are not sent, nor those it can mount.

import { createReadStream } from 'node:fs';
import { fail } from '../../base/errors.ts';
import type { Repository } from '../../registry/client/client.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import type { Descriptor } from '../../spec/oci/image.ts';
import { documentLimits } from '../../spec/oci/parse.ts';
import { parseReference, repositoryName, withDefaultTag } from '../../spec/oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { PushedImage, PushOptions } from '../engine.ts';
import type { ImagesDeps } from './deps.ts';
import { shortId } from './layer.ts';
import { resolveImage } from './resolve.ts';
import { allOrNothing, createLimiter } from './turns.ts';

/** As Docker's `max-concurrent-uploads`. */
const uploadsAtOnce = 5;
const progressEveryMs = 100;

export async function pushImage(deps: ImagesDeps, text: string, options: PushOptions): Promise<PushedImage> {
  const { store } = deps;
  const { signal, onProgress } = options;
  const ref = withDefaultTag(parseReference(text));
  if (ref.tag === undefined) fail('invalid', 'push.digest', 'cannot push a digest reference');
  const { stored, manifest } = await resolveImage(store, text);
  const mountable = await mountSources(store, ref);
  const repository = deps.registry.repository(ref, {
    credentials: deps.credentials,
    action: 'push',
    mountFrom: [...new Set(mountable.values())],
  });
  onProgress({ kind: 'message', text: `The push refers to repository [${repositoryName(ref)}]` });
  const limited = createLimiter(uploadsAtOnce);
  const blobs = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  for (const { digest } of blobs) onProgress({ kind: 'layer', id: shortId(digest), phase: 'Preparing' });
  await allOrNothing(signal, (stop) =>
    blobs.map((blob) =>
      limited(
        stop,
        () => pushBlob(store, repository, blob, { ...options, signal: stop, mountFrom: mountable.get(blob.digest) }),
        () => onProgress({ kind: 'layer', id: shortId(blob.digest), phase: 'Waiting' }),
      ),
    ),
  );
  const { config } = manifest;
  if (!(await repository.hasBlob(config, signal))) {
    await repository.putBlob(config, { open: () => createReadStream(store.content.path(config.digest)) }, signal);
  }
  const bytes = await store.content.read(stored.manifest.digest, documentLimits.manifest);
  throwIfCancelled(signal);
  await repository.putManifest(ref.tag, manifest.mediaType, bytes, signal);
  return { tag: ref.tag, digest: stored.manifest.digest, size: bytes.length };
}

async function pushBlob(
  store: Store,
  repository: Repository,
  blob: Descriptor,
  options: PushOptions & { readonly mountFrom: string | undefined },
): Promise<void> {
  const { signal, mountFrom } = options;
  const id = shortId(blob.digest);
  const show = (phase: string, current?: number): void =>
    options.onProgress({ kind: 'layer', id, phase, ...(current === undefined ? {} : { current, total: blob.size }) });
  if (await repository.hasBlob(blob, signal)) return show('Layer already exists');
  const open = () =>
    told(createReadStream(store.content.path(blob.digest), { highWaterMark: 1 << 20 }), (sent) =>
      show('Pushing', sent),
    );
  const how = await repository.putBlob(blob, { open, ...(mountFrom === undefined ? {} : { mountFrom }) }, signal);
  show(how === 'mounted' ? `Mounted from ${mountFrom ?? ''}` : 'Pushed');
}

async function* told(
  source: AsyncIterable<Uint8Array>,
  say: (sent: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sent = 0;
  let saidAt = 0;
  for await (const chunk of source) {
    yield chunk;
    sent += chunk.length;
    if (Date.now() - saidAt < progressEveryMs) continue;
    saidAt = Date.now();
    say(sent);
  }
}

/** Layers that another repository of the same registry is known to have, because images came from there. */
async function mountSources(
  store: Store,
  ref: { readonly domain: string; readonly path: string },
): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  for (const row of store.images.list()) {
    if (row.name === undefined || row.repoDigest === undefined) continue;
    const from = parseReference(row.name);
    if (from.domain !== ref.domain || from.path === ref.path) continue;
    const manifest = await store.images.manifest(row.manifest).catch(() => undefined);
    for (const layer of manifest?.layers ?? []) sources.set(layer.digest, from.path);
  }
  return sources;
}
