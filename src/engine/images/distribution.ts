// What a registry has under a name: its descriptor and the platforms, without fetching the image.

import { collectBytes } from '../../base/streams.ts';
import type { DistributionInspect, RegistryAuth } from '../../spec/docker/system.ts';
import type { Platform } from '../../spec/oci/image.ts';
import { documentLimits, parseImageConfig, parseManifestOrIndex } from '../../spec/oci/parse.ts';
import { familiarName, parseReference, withDefaultTag } from '../../spec/oci/reference.ts';
import { isImageManifest } from './choose.ts';
import { credentialsOf, type ImagesDeps } from './deps.ts';

export async function inspectDistribution(
  deps: ImagesDeps,
  text: string,
  options: { readonly auth?: RegistryAuth; readonly signal: AbortSignal },
): Promise<DistributionInspect> {
  const { signal } = options;
  const ref = withDefaultTag(parseReference(text));
  const repository = deps.registry.repository(ref, { credentials: credentialsOf(deps, options.auth), action: 'pull' });
  const { descriptor, bytes } = await repository.manifest(ref.digest ?? ref.tag ?? 'latest', signal);
  const document = parseManifestOrIndex(bytes, descriptor.mediaType);
  const { mediaType, digest, size } = descriptor;
  if ('manifests' in document) {
    const platforms = document.manifests.flatMap(({ platform }) => (platform === undefined ? [] : [rowOf(platform)]));
    return { Descriptor: { mediaType, digest, size }, Platforms: platforms };
  }
  if (!isImageManifest(document)) return { Descriptor: { mediaType, digest, size }, Platforms: [] };
  const what = `the configuration of ${familiarName(ref)}`;
  const config = parseImageConfig(
    await collectBytes(repository.blob(document.config, signal), documentLimits.config, what),
  );
  return { Descriptor: { mediaType, digest, size }, Platforms: [rowOf(config)] };
}

function rowOf(platform: Platform): DistributionInspect['Platforms'][number] {
  const { architecture, os, variant, 'os.version': version } = platform;
  return {
    architecture,
    os,
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(variant === undefined ? {} : { variant }),
  };
}
