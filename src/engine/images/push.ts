// `push`: an image here becomes one at a registry. Blobs that are there are not sent, nor those it can mount.

import { createReadStream } from 'node:fs';
import { fail } from '../../base/errors.ts';
import type { Repository } from '../../registry/client/client.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import type { Descriptor } from '../../spec/oci/image.ts';
import { documentLimits } from '../../spec/oci/parse.ts';
import {
  canonicalName,
  familiarName,
  familiarRepository,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../../spec/oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { PushedImage, PushOptions } from '../engine.ts';
import { announceTransfer } from './announce.ts';
import { credentialsOf, type ImagesDeps } from './deps.ts';
import { shortId } from './layer.ts';
import { resolveImage } from './resolve.ts';
import { allOrNothing, createLimiter } from './turns.ts';

/** As Docker's `max-concurrent-uploads`. */
const uploadsAtOnce = 5;
const progressEveryMs = 100;

export async function pushImages(
  deps: ImagesDeps,
  text: string,
  options: PushOptions,
): Promise<readonly PushedImage[]> {
  const given = parseReference(text);
  if (given.digest !== undefined) fail('invalid', 'push.digest', 'cannot push a digest reference');
  if (options.allTags === true && given.tag !== undefined)
    fail('invalid', 'image.all_tags', "tag can't be used with --all-tags/-a");
  options.onProgress({ kind: 'message', text: `The push refers to repository [${repositoryName(given)}]` });
  const refs = localTags(deps.store, options.allTags === true ? given : withDefaultTag(given));
  const pushed: PushedImage[] = [];
  for (const ref of refs) {
    const image = await pushOne(deps, ref, options);
    options.onPushed?.(image);
    pushed.push(image);
  }
  announceTransfer(deps, 'push', options.allTags === true ? given : withDefaultTag(given));
  return pushed;
}

/** The names that are to be pushed; all tags of the repository where none is named. Fails in Docker's words. */
function localTags(store: Store, ref: Reference): readonly (Reference & { readonly tag: string })[] {
  const tags = store.images.list().flatMap(({ name }) => {
    const known = name === undefined ? undefined : parseReference(name);
    return known?.tag !== undefined && repositoryName(known) === repositoryName(ref)
      ? [{ ...known, tag: known.tag }]
      : [];
  });
  if (tags.length === 0) {
    const message = `An image does not exist locally with the tag: ${familiarRepository(ref)}`;
    fail('not_found', 'push.no_image', message);
  }
  if (ref.tag === undefined) return tags.sort((a, b) => (a.tag < b.tag ? -1 : 1));
  const wanted = tags.filter(({ tag }) => tag === ref.tag);
  if (wanted.length === 0) fail('not_found', 'push.no_tag', `tag does not exist: ${familiarName(ref)}`);
  return wanted;
}

async function pushOne(
  deps: ImagesDeps,
  ref: Reference & { readonly tag: string },
  options: PushOptions,
): Promise<PushedImage> {
  const { store } = deps;
  const { signal, onProgress } = options;
  const { stored, manifest } = await resolveImage(store, canonicalName(ref));
  const mountable = await mountSources(store, ref);
  const repository = deps.registry.repository(ref, {
    credentials: credentialsOf(deps, options.auth),
    action: 'push',
    mountFrom: [...new Set(manifest.layers.flatMap(({ digest }) => mountable.get(digest) ?? []))],
  });
  const limited = createLimiter(uploadsAtOnce);
  const blobs = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  const lease = store.lease();
  try {
    lease.hold(stored.manifest.digest);
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
    const { digest } = stored.manifest;
    // From now on the registry has a name for it; unless the tag was given to another image meanwhile.
    const now = store.images.named(canonicalName(ref));
    if (now?.manifest.digest === digest && now.repoDigest !== digest)
      await store.images.tag({ ...now, repoDigest: digest });
    return { tag: ref.tag, digest, size: bytes.length };
  } finally {
    await lease[Symbol.asyncDispose]();
  }
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
