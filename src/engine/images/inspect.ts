// `image inspect`: everything that is known of one image, as Docker's document.

import type { ImageInspect } from '../../spec/docker/image.ts';
import type { ImageConfig } from '../../spec/oci/image.ts';
import { parsePlatform } from '../../spec/oci/platform.ts';
import { imageWithId, parentOf, repoDigests, repoTags, unpackedSize } from './catalog.ts';
import type { ImagesDeps } from './deps.ts';
import { resolveImage } from './resolve.ts';

export async function inspectImage(deps: ImagesDeps, ref: string, platform: string): Promise<ImageInspect> {
  const { store } = deps;
  const wanted = platform === '' ? {} : { platform: parsePlatform(platform, deps.host) };
  const { id, config } = await resolveImage(store, ref, wanted);
  const group = (await imageWithId(store, id)) ?? { id, config, rows: [] };
  const tagged = group.rows.map(({ stored }) => stored.taggedAt).sort();
  return {
    Id: id,
    RepoTags: repoTags(group),
    RepoDigests: repoDigests(group),
    Parent: parentOf(group),
    Comment: commentOf(config),
    Created: config.created ?? '',
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: { ...noConfig, ...config.config },
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: await unpackedSize(store, config.rootfs.diff_ids),
    GraphDriver: { Name: store.layers.driver, Data: {} },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: tagged.at(-1) ?? '0001-01-01T00:00:00Z' },
  };
}

/** What the API shows where an image says nothing. */
const noConfig = {
  User: '',
  Env: null,
  Cmd: null,
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
};

/** Docker's `Comment` is that of the last step. */
function commentOf(config: ImageConfig): string {
  return config.history?.at(-1)?.comment ?? '';
}
