// Endpoints of images and registries.

import type { ImageDeleteItem, ImageInspect, ImageSummary } from '../../spec/docker/image.ts';
import type { DistributionInspect, HistoryRow, SearchResult } from '../../spec/docker/system.ts';
import { commitBody } from '../body/image.ts';
import { bytes, empty, json, progress, type Route, tar } from '../route.ts';

export const imageRoutes = {
  ImageList: {
    method: 'GET',
    path: '/images/json',
    query: {
      all: 'bool',
      filters: 'filters',
      filter: 'string',
      'shared-size': 'bool',
      digests: 'bool',
      manifests: 'bool',
    },
    answer: json<readonly ImageSummary[]>(),
  },
  /** Pulls `fromImage`, or imports `fromSrc` (`-`: the body). */
  ImageCreate: {
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: 'string',
      fromSrc: 'string',
      repo: 'string',
      tag: 'string',
      message: 'string',
      changes: 'strings',
      platform: 'string',
    },
    body: bytes,
    auth: true,
    answer: progress,
  },
  ImageInspect: {
    method: 'GET',
    path: '/images/{name*}/json',
    query: { manifests: 'bool', platform: 'string' },
    answer: json<ImageInspect>(),
  },
  ImageHistory: {
    method: 'GET',
    path: '/images/{name*}/history',
    query: { platform: 'string' },
    answer: json<readonly HistoryRow[]>(),
  },
  ImagePush: {
    method: 'POST',
    path: '/images/{name*}/push',
    query: { tag: 'string', platform: 'string' },
    auth: true,
    answer: progress,
  },
  ImageTag: {
    method: 'POST',
    path: '/images/{name*}/tag',
    query: { repo: 'string', tag: 'string' },
    answer: empty(201),
  },
  ImageDelete: {
    method: 'DELETE',
    path: '/images/{name*}',
    query: { force: 'bool', noprune: 'bool', platforms: 'strings' },
    answer: json<readonly ImageDeleteItem[]>(),
  },
  ImageSearch: {
    method: 'GET',
    path: '/images/search',
    query: { term: 'string', limit: 'int', filters: 'filters' },
    auth: true,
    answer: json<readonly SearchResult[]>(),
  },
  ImagePrune: {
    method: 'POST',
    path: '/images/prune',
    query: { filters: 'filters' },
    answer: json<{ readonly ImagesDeleted: readonly ImageDeleteItem[] | null; readonly SpaceReclaimed: number }>(),
  },
  ImageCommit: {
    method: 'POST',
    path: '/commit',
    query: {
      container: 'string',
      repo: 'string',
      tag: 'string',
      comment: 'string',
      author: 'string',
      /** True where it is left out. */
      pause: 'string',
      changes: 'strings',
    },
    body: commitBody,
    answer: json<{ readonly Id: string }>(201),
  },
  ImageGet: { method: 'GET', path: '/images/{name*}/get', query: { platform: 'strings' }, answer: tar },
  ImageGetAll: {
    method: 'GET',
    path: '/images/get',
    query: { names: 'strings', platform: 'strings' },
    answer: tar,
  },
  ImageLoad: {
    method: 'POST',
    path: '/images/load',
    query: { quiet: 'bool', platform: 'strings' },
    body: bytes,
    answer: progress,
  },
  DistributionInspect: {
    method: 'GET',
    path: '/distribution/{name*}/json',
    auth: true,
    answer: json<DistributionInspect>(),
    since: 30,
  },
} as const satisfies Record<string, Route>;
