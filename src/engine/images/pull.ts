// `pull`: a name at a registry becomes an image here. Nothing gets a name before every byte of it is verified.

import { fail, HoistError } from '../../base/errors.ts';
import type { Repository } from '../../registry/client/client.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import { parsePlatform } from '../../spec/oci/platform.ts';
import {
  canonicalName,
  familiarName,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../../spec/oci/reference.ts';
import type { PulledImage, PullOptions } from '../engine.ts';
import { announceTransfer } from './announce.ts';
import { rowDescriptor } from './catalog.ts';
import { type ChosenImage, chooseImage } from './choose.ts';
import { credentialsOf, type ImagesDeps, type PullState } from './deps.ts';
import { fetchLayer, isComplete, type LayerJob, shortId } from './layer.ts';
import { allOrNothing, createLimiter } from './turns.ts';

/** As Docker's `max-concurrent-downloads`. */
const downloadsAtOnce = 3;

export async function pullImage(
  deps: ImagesDeps,
  state: PullState,
  text: string,
  options: PullOptions,
): Promise<PulledImage> {
  const ref = parseReference(text);
  const repository = deps.registry.repository(ref, { credentials: credentialsOf(deps, options.auth), action: 'pull' });
  try {
    if (options.allTags !== true) {
      const { labels, ...pulled } = await pullOne(deps, state, repository, withDefaultTag(ref), options);
      announceTransfer(deps, 'pull', withDefaultTag(ref), labels);
      return pulled;
    }
    if (ref.tag !== undefined || ref.digest !== undefined) {
      fail('invalid', 'image.all_tags', "tag can't be used with --all-tags/-a");
    }
    return await pullAllTags(deps, state, repository, ref, options);
  } catch (error) {
    throwIfCancelled(options.signal);
    // What was refused leaves nothing behind. What merely broke off keeps its whole layers for the next attempt.
    if (error instanceof HoistError && ['corrupt', 'invalid', 'too_large', 'unsupported'].includes(error.kind)) {
      await deps.store.collect(deps.heldManifests());
    }
    throw error;
  }
}

async function pullAllTags(
  deps: ImagesDeps,
  state: PullState,
  repository: Repository,
  ref: Reference,
  options: PullOptions,
): Promise<PulledImage> {
  const tags = await repository.tags(options.signal);
  let last: PulledImage | undefined;
  let changed = false;
  for (const tag of tags) {
    if (last !== undefined) options.onProgress({ kind: 'message', text: `Digest: ${last.digest}` });
    const one = { domain: ref.domain, path: ref.path, tag };
    const { labels: _, ...pulled } = await pullOne(deps, state, repository, one, options);
    last = pulled;
    changed ||= last.changed;
  }
  if (last === undefined) return fail('not_found', 'image.no_tags', `repository ${familiarName(ref)} has no tags`);
  announceTransfer(deps, 'pull', ref);
  return { ...last, reference: repositoryName(ref), changed };
}

async function pullOne(
  deps: ImagesDeps,
  state: PullState,
  repository: Repository,
  ref: Reference,
  options: PullOptions,
): Promise<PulledImage & { readonly labels: Readonly<Record<string, string>> }> {
  const { store } = deps;
  const { signal } = options;
  // With a digest the tag is decoration: it need not be where the digest is, and gets no name here.
  const pinned = ref.digest === undefined ? ref : { domain: ref.domain, path: ref.path, digest: ref.digest };
  const tagOrDigest = ref.digest ?? ref.tag ?? 'latest';
  const platform = options.platform === '' ? undefined : parsePlatform(options.platform, deps.host);
  const lease = store.lease();
  try {
    const chosen = await chooseImage(repository, tagOrDigest, {
      store,
      host: deps.host,
      platform,
      name: familiarName(pinned),
      hold: (digest) => lease.hold(digest),
      signal,
    });
    options.onProgress({ kind: 'message', text: `${tagOrDigest}: Pulling from ${ref.path}` });
    const fetched = await fetchLayers(deps, state, repository, chosen, {
      ...options,
      hold: (digest) => lease.hold(digest),
    });
    throwIfCancelled(signal);
    const changed = await nameImage(deps, canonicalName(pinned), chosen);
    const { digest: id } = chosen.manifest.config;
    const labels = chosen.config.config?.Labels ?? {};
    return { reference: canonicalName(pinned), id, digest: chosen.repoDigest, changed: changed || fetched, labels };
  } finally {
    await lease[Symbol.asyncDispose]();
  }
}

/** Fetches what is missing; false when nothing was. */
async function fetchLayers(
  deps: ImagesDeps,
  state: PullState,
  repository: Repository,
  chosen: ChosenImage,
  options: PullOptions & { readonly hold: (digest: string) => void },
): Promise<boolean> {
  const { store, limits } = deps;
  const { onProgress } = options;
  const jobs = jobsOf(chosen);
  for (const { blob, diffId } of jobs) {
    options.hold(blob.digest);
    options.hold(diffId);
  }
  const complete = await Promise.all(jobs.map((job) => isComplete(store, job)));
  const missing = jobs.filter((_, i) => complete[i] === false);
  // As with Docker, an image that is here is told of by its status alone.
  const isHere = store.images.list().some(({ manifest }) => manifest.digest === chosen.descriptor.digest);
  if (missing.length === 0 && isHere) return false;
  for (const job of jobs) {
    const phase = missing.includes(job) ? 'Pulling fs layer' : 'Already exists';
    onProgress({ kind: 'layer', id: shortId(job.blob.digest), phase });
  }
  const limited = createLimiter(downloadsAtOnce);
  await allOrNothing(options.signal, (signal) =>
    missing.map((job) => {
      const waiting = () => onProgress({ kind: 'layer', id: shortId(job.blob.digest), phase: 'Waiting' });
      const work = () =>
        state.layerLock(job.diffId, signal, () => fetchLayer(repository, job, { store, limits, onProgress, signal }));
      return limited(signal, work, waiting);
    }),
  );
  return missing.length > 0;
}

/** The layers, each once: an image may list the same (empty) one several times. */
function jobsOf({ manifest, config }: ChosenImage): readonly LayerJob[] {
  const jobs = new Map<string, LayerJob>();
  manifest.layers.forEach((blob, i) => {
    const diffId = config.rootfs.diff_ids[i];
    if (diffId !== undefined) jobs.set(`${blob.digest} ${diffId}`, { blob, diffId });
  });
  return [...jobs.values()];
}

/** Gives the image its name; false when it had it already. */
async function nameImage(deps: ImagesDeps, name: string, chosen: ChosenImage): Promise<boolean> {
  const { images } = deps.store;
  const { repoDigest } = chosen;
  const descriptor = rowDescriptor(chosen.descriptor, chosen.manifest.config.digest);
  const before = images.named(name);
  if (before?.manifest.digest === descriptor.digest && before.repoDigest === repoDigest) return false;
  const taggedAt = (deps.now?.() ?? new Date()).toISOString();
  await images.tag({ name, manifest: descriptor, repoDigest, taggedAt });
  return before?.manifest.digest !== descriptor.digest;
}
