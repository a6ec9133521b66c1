// A registry's search, which is older than everything else of it: `GET /v1/search?q=…&n=…`. Few registries have one.

import { fail, HoistError } from '../../base/errors.ts';
import type { SearchResult } from '../../spec/docker/system.ts';
import type { CredentialSource } from './credentials.ts';
import { printable, Transient } from './failure.ts';
import { type HttpAnswer, readBody } from './http.ts';
import { openSession, type SessionOptions } from './session.ts';

export interface SearchQuestion {
  readonly query: string;
  readonly limit: number;
}

export interface SearchOptions {
  readonly credentials: CredentialSource;
  readonly signal: AbortSignal;
}

export async function searchAt(
  options: Pick<SessionOptions, 'http' | 'policy' | 'isInsecure'>,
  domain: string,
  { query, limit }: SearchQuestion,
  { credentials, signal }: SearchOptions,
): Promise<readonly SearchResult[]> {
  const host = domain === 'docker.io' ? 'index.docker.io' : domain;
  const session = openSession({
    ...options,
    ref: { domain: host, path: '' },
    action: 'pull',
    scopes: [],
    credentials: { get: () => credentials.get(domain) },
  });
  const path = `/v1/search?${new URLSearchParams({ q: query, n: String(limit) }).toString()}`;
  let answer: HttpAnswer;
  try {
    // Once: a person waits for it, and nothing is lost by asking again.
    answer = await session.ask({ method: 'GET', path, what: 'search', kind: 'search', expect: [200, 404], signal });
  } catch (error) {
    throw error instanceof Transient ? unreachable(host, error.final) : error;
  }
  if (answer.status === 404) {
    answer.discard();
    fail('unsupported', 'registry.no_search', `${host} has no search: it does not know /v1/search`);
  }
  return resultsOf(await readBody(answer, 4 << 20), host);
}

function unreachable(host: string, { kind, code, message, hint }: HoistError): HoistError {
  return new HoistError(kind, code, `cannot search at ${host}: ${message}`, hint === undefined ? {} : { hint });
}

function resultsOf(body: Buffer | undefined, host: string): readonly SearchResult[] {
  try {
    const document = JSON.parse(body?.toString('utf8') ?? '') as { results?: unknown } | null;
    if (Array.isArray(document?.results)) return document.results.flatMap(resultOf);
  } catch {
    // Falls through to the sentence.
  }
  return fail('corrupt', 'registry.search', `what ${host} answers to a search is not valid`);
}

function resultOf(value: unknown): readonly SearchResult[] {
  if (typeof value !== 'object' || value === null) return [];
  const {
    name,
    description,
    star_count: stars,
    is_official: official,
    is_automated: automated,
  } = value as Record<string, unknown>;
  if (typeof name !== 'string') return [];
  return [
    {
      name: printable(name),
      description: typeof description === 'string' ? printable(description) : '',
      star_count: typeof stars === 'number' ? stars : 0,
      is_official: official === true,
      is_automated: automated === true,
    },
  ];
}
