// Images: listed, looked at, named, removed.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';
import { isTrue } from '../query.ts';
import { platformText } from './platform.ts';

type Names =
  | 'ImageList'
  | 'ImageInspect'
  | 'ImageHistory'
  | 'ImageTag'
  | 'ImageDelete'
  | 'ImageSearch'
  | 'ImagePrune'
  | 'ImageCommit'
  | 'DistributionInspect';

export const imageHandlers: { readonly [N in Names]: Handler<N> } = {
  ImageList: ({ engine, query }) => {
    // `filter` is what the oldest clients say for a reference
    const filters = query.filter === '' ? query.filters : { ...query.filters, reference: [query.filter] };
    return engine.images.list({ all: query.all, filters });
  },
  ImageInspect: async ({ engine, params, query, minor }) => {
    if (query.manifests && query.platform !== '')
      fail('invalid', 'query.conflict', 'conflicting options: manifests and platform options cannot both be set');
    const image = await engine.images.inspect(params.name, platformOption(query.platform));
    return minor < 45 ? { ...image, Container: '', ContainerConfig: image.Config ?? {} } : image;
  },
  ImageHistory: ({ engine, params, query }) => engine.images.history(params.name, platformOption(query.platform)),
  ImageTag: async ({ engine, params, query }) => {
    await engine.images.tag(params.name, named(query));
    return undefined;
  },
  ImageDelete: ({ engine, params, query }) =>
    engine.images.remove(params.name, { force: query.force, prune: !query.noprune }),
  ImageSearch: ({ engine, query, auth, signal }) => {
    if (query.term === '') fail('invalid', 'search.term', "bad parameter: 'term' cannot be empty");
    const limit = query.limit ?? 25;
    return engine.images.search(query.term, { limit, filters: query.filters, ...(auth ? { auth } : {}), signal });
  },
  ImagePrune: ({ engine, query }) => engine.images.prune(query.filters),
  ImageCommit: async ({ engine, query, body }) => {
    if (query.container === '') fail('invalid', 'commit.container', 'missing container name');
    const reference = query.repo === '' ? {} : { reference: named(query) };
    const Id = await engine.containers.commit(query.container, {
      ...reference,
      author: query.author,
      message: query.comment,
      changes: query.changes,
      pause: query.pause === '' || isTrue(query.pause),
      config: body,
    });
    return { Id };
  },
  DistributionInspect: ({ engine, params, auth, signal }) =>
    engine.images.distribution(params.name, { ...(auth ? { auth } : {}), signal }),
};

/** `repo` and `tag` as one name; a digest stands behind an @. */
export function named({ repo, tag }: { readonly repo: string; readonly tag: string }): string {
  if (repo === '') fail('invalid', 'reference.empty', 'repository name must have at least one component');
  if (tag === '') return repo;
  return `${repo}${/^[a-z0-9]+:[0-9a-f]{32,}$/.test(tag) ? '@' : ':'}${tag}`;
}

function platformOption(platform: string): { readonly platform?: string } {
  return platform === '' ? {} : { platform: platformText(platform) };
}
