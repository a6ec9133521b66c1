// From a tag or digest at a registry to one image for one platform: its manifest and configuration, verified and stored.

import { fail } from '../../base/errors.ts';
import { collectBytes } from '../../base/streams.ts';
import type { FetchedManifest, Repository } from '../../registry/client/client.ts';
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes, type Platform } from '../../spec/oci/image.ts';
import { documentLimits, parseManifestOrIndex } from '../../spec/oci/parse.ts';
import { bestMatch, formatPlatform, platformMatches } from '../../spec/oci/platform.ts';
import type { Store } from '../../store/store.ts';

export interface ChosenImage {
  /** Digest of what the name stands for: the index where there is one. */
  readonly repoDigest: string;
  /** With the platform of the configuration. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export interface ChooseOptions {
  readonly store: Store;
  readonly host: Platform;
  /** What the user asked for; undefined: this machine's. */
  readonly platform: Platform | undefined;
  /** Familiar, for messages. */
  readonly name: string;
  /** Called before anything is stored: a lease. */
  readonly hold: (digest: string) => void;
  readonly signal: AbortSignal;
}

/** An index may list indexes; nobody nests them deeper than this. */
const maxIndexes = 3;

export async function chooseImage(
  repository: Repository,
  tagOrDigest: string,
  options: ChooseOptions,
): Promise<ChosenImage> {
  const { store, signal } = options;
  const top = await repository.manifest(tagOrDigest, signal);
  const { fetched, manifest } = await descend(repository, top, options);
  refuseArtifact(manifest, fetched.descriptor, options.name);
  const { config: configDescriptor } = manifest;
  options.hold(fetched.descriptor.digest);
  options.hold(configDescriptor.digest);
  await store.content.ingest(fetched.descriptor, once(fetched.bytes), signal);
  if (!(await store.content.has(configDescriptor.digest))) {
    if (configDescriptor.size > documentLimits.config) tooLarge(options.name);
    const bytes = await collectBytes(
      repository.blob(configDescriptor, signal),
      documentLimits.config,
      'the image configuration',
    );
    await store.content.ingest(configDescriptor, once(bytes), signal);
  }
  const config = await store.images.config(manifest);
  checkConfig(manifest, config, options);
  const { os, architecture, variant } = config;
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const descriptor = {
    mediaType: manifest.mediaType,
    digest: fetched.descriptor.digest,
    size: fetched.descriptor.size,
    platform,
  };
  return { repoDigest: top.descriptor.digest, descriptor, manifest, config };
}

/** Goes down from an index to the manifest for the platform. */
async function descend(
  repository: Repository,
  top: FetchedManifest,
  options: ChooseOptions,
): Promise<{ readonly fetched: FetchedManifest; readonly manifest: Manifest }> {
  let fetched = top;
  for (let depth = 0; depth <= maxIndexes; depth++) {
    refuseSchema1(fetched.descriptor.mediaType, options.name);
    const document = parseManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType);
    if (!('manifests' in document)) return { fetched, manifest: document };
    const want = options.platform ?? options.host;
    const entry = bestMatch(document.manifests, want);
    if (entry === undefined) {
      const offered = document.manifests.flatMap(({ platform }) =>
        platform === undefined || platform.os === 'unknown' ? [] : [formatPlatform(platform)],
      );
      fail(
        'not_found',
        'image.no_platform',
        `no matching manifest for ${formatPlatform(want)} in the manifest list entries`,
        {
          hint:
            offered.length === 0 ? 'the list has no image' : `${options.name} has ${[...new Set(offered)].join(', ')}`,
        },
      );
    }
    fetched = await repository.manifest(entry.digest, options.signal);
  }
  return fail('invalid', 'image.nested', `${options.name} is an index of indexes without end`);
}

function refuseSchema1(mediaType: string, name: string): void {
  if (!/manifest\.v1\+(json|prettyjws)$/.test(mediaType) || mediaType === mediaTypes.ociManifest) return;
  fail(
    'unsupported',
    'image.schema1',
    `${name} has a manifest of Docker's schema version 1, which is no longer supported`,
    {
      hint: 'push the image again with a current client',
    },
  );
}

/** Some old images name their configuration by a general type; an artifact names its own. */
const configTypes: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig, 'application/octet-stream'];

/** Whether it is an image's. */
export function isImageManifest(manifest: Manifest): boolean {
  return configTypes.includes(manifest.config.mediaType) && manifest.artifactType === undefined;
}

function refuseArtifact(manifest: Manifest, descriptor: Descriptor, name: string): void {
  if (isImageManifest(manifest)) return;
  const type = manifest.artifactType ?? manifest.config.mediaType;
  fail(
    'unsupported',
    'image.artifact',
    `${name} (${descriptor.digest}) is an artifact of type ${type}, not a container image`,
  );
}

function checkConfig(manifest: Manifest, config: ImageConfig, options: ChooseOptions): void {
  const { name, platform } = options;
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    const [layers, ids] = [manifest.layers.length, config.rootfs.diff_ids.length];
    fail('corrupt', 'image.layers', `${name} lists ${layers} layers in its manifest and ${ids} in its configuration`);
  }
  for (const layer of manifest.layers) checkLayer(layer, name);
  if (platform !== undefined && !platformMatches(platform, config)) {
    const [has, wants] = [formatPlatform(config), formatPlatform(platform)];
    fail(
      'not_found',
      'image.platform',
      `image with reference ${name} was found but its platform (${has}) does not match the specified platform (${wants})`,
    );
  }
  if (config.os !== '' && config.os !== options.host.os) {
    fail('unsupported', 'image.platform', `image operating system "${config.os}" cannot be used on this platform`);
  }
}

function checkLayer(layer: Descriptor, name: string): void {
  const { mediaType, digest } = layer;
  if (/foreign|nondistributable/.test(mediaType)) {
    fail(
      'unsupported',
      'image.foreign_layer',
      `${name} has a layer that registries may not distribute (${digest}, ${mediaType})`,
    );
  }
  const known = /^application\/vnd\.(oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)([+.](gzip|zstd))?$/;
  if (!known.test(mediaType)) {
    fail('unsupported', 'image.layer_type', `${name} has a layer of unknown type ${mediaType} (${digest})`);
  }
}

function tooLarge(name: string): never {
  return fail('too_large', 'image.config_too_large', `the configuration of ${name} is larger than 8 MiB`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
