// `search`: asks a registry's search (the v1 API; Docker Hub has it at index.docker.io). Nothing is kept.

import { fail } from '../../base/errors.ts';
import type { RegistryAuth, SearchResult } from '../../spec/docker/system.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import type { Filters } from '../engine.ts';
import { credentialsOf, type ImagesDeps } from './deps.ts';

const known = ['is-automated', 'is-official', 'stars'];
const defaultLimit = 25;

export async function searchImages(
  deps: ImagesDeps,
  term: string,
  options: {
    readonly limit: number;
    readonly filters: Filters;
    readonly auth?: RegistryAuth;
    readonly signal: AbortSignal;
  },
): Promise<readonly SearchResult[]> {
  const keep = filterOf(options.filters);
  const limit = options.limit === 0 ? defaultLimit : options.limit;
  if (limit < 1 || limit > 100)
    fail('invalid', 'search.limit', `limit ${options.limit} is outside the range of [1, 100]`);
  if (term.includes('://'))
    fail('invalid', 'search.term', `invalid repository name: repository name (${term}) should not have a scheme`);
  const { domain, query } = splitTerm(term);
  const found = await deps.registry.search(
    domain,
    { query, limit },
    {
      credentials: credentialsOf(deps, options.auth),
      signal: options.signal,
    },
  );
  return found.filter(keep);
}

/** A first part that names a registry is asked itself; everything else is Docker Hub's. */
function splitTerm(term: string): { readonly domain: string; readonly query: string } {
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const isDomain = first === 'localhost' || /[.:]/.test(first);
  if (!isDomain) return { domain: 'docker.io', query: term.replace(/^library\//, '') };
  const { domain } = parseReference(`${first}/x`);
  const query = term.slice(slash + 1);
  return { domain, query: domain === 'docker.io' ? query.replace(/^library\//, '') : query };
}

function filterOf(filters: Filters): (result: SearchResult) => boolean {
  for (const key of Object.keys(filters)) {
    if (!known.includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  }
  const official = filters['is-official']?.map((value) => parseFlag('is-official', value));
  const automated = filters['is-automated']?.map((value) => parseFlag('is-automated', value));
  const stars = (filters['stars'] ?? []).map((value) => {
    if (!/^\d+$/.test(value)) fail('invalid', 'filter.invalid', `invalid filter 'stars=[${value}]'`);
    return Number(value);
  });
  return (result) =>
    (official === undefined || official.includes(result.is_official)) &&
    (automated === undefined || automated.includes(result.is_automated)) &&
    stars.every((least) => result.star_count >= least);
}

function parseFlag(key: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  return fail('invalid', 'filter.invalid', `invalid filter '${key}=[${value}]'`);
}
