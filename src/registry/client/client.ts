// The client of the OCI distribution API 1.1 (and Docker's registry API v2): manifests, blobs, tags; pushing is in push.ts.
// Manifests are verified here. Blobs are handed on as they come: whoever stores them checks size and digest.

import { createHash } from 'node:crypto';
import { fail } from '../../base/errors.ts';
import type { SearchResult } from '../../spec/docker/system.ts';
import { type Descriptor, type Digest, mediaTypes } from '../../spec/oci/image.ts';
import { familiarRepository, type Reference } from '../../spec/oci/reference.ts';
import { fetchBlob } from './blob.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import { printable } from './failure.ts';
import { openHttp, readBody } from './http.ts';
import { loginAt } from './login.ts';
import { addressInList, type Env, isLoopback } from './proxy.ts';
import { openPush, type Push } from './push.ts';
import { defaultRetryPolicy, type RetryPolicy } from './retry.ts';
import { type SearchOptions, type SearchQuestion, searchAt } from './search.ts';
import { openSession, type Session } from './session.ts';

export interface RegistryOptions {
  /** For proxies and SSL_CERT_FILE. */
  readonly env: Env;
  readonly userAgent: string;
  /** Registries without TLS or with an unchecked certificate: `host[:port]`, or a CIDR. Loopback always is one. */
  readonly insecureRegistries?: readonly string[];
  readonly certificateDirectories?: readonly string[];
  /** Longest silence of a registry, in milliseconds. */
  readonly idleMs?: number;
  readonly retry?: Partial<RetryPolicy>;
}

export interface RegistryClient extends AsyncDisposable {
  /** One repository, for one piece of work: authorization is asked for once and shared by all its requests. */
  repository(ref: Pick<Reference, 'domain' | 'path'>, options: RepositoryOptions): Repository;
  /** Whether credentials hold; a token that stands for them, or ''. Fails with `registry.login`, kind denied. */
  login(domain: string, credential: Credential, signal: AbortSignal): Promise<string>;
  /** Fails with `registry.no_search` where a registry has none. */
  search(domain: string, question: SearchQuestion, options: SearchOptions): Promise<readonly SearchResult[]>;
}

export interface RepositoryOptions {
  readonly credentials: CredentialSource;
  readonly action: 'pull' | 'push';
  /** Paths of the same registry that blobs may be mounted from. */
  readonly mountFrom?: readonly string[];
}

export interface FetchedManifest {
  /** Media type as served, digest and size of `bytes`. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface Repository extends Push {
  /** Fetches and verifies a manifest or an index; fails with `registry.manifest_unknown`, `registry.digest_mismatch`, … */
  manifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest>;
  /** The bytes of a blob, over as many connections as it takes. Not verified. */
  blob(descriptor: Pick<Descriptor, 'digest' | 'size'>, signal: AbortSignal): AsyncIterable<Uint8Array>;
  tags(signal: AbortSignal): Promise<readonly string[]>;
}

/** What distribution-spec asks registries to accept at least; more is refused unread. */
const maxManifestBytes = 4 * 1024 * 1024;
const maxTagPages = 1000;

const acceptedManifests = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
].join(', ');

export function openRegistryClient(options: RegistryOptions): RegistryClient {
  const insecure = options.insecureRegistries ?? [];
  const isInsecure = (host: string): boolean => {
    const { hostname } = new URL(`http://${host}`);
    return isLoopback(hostname) || insecure.includes(host) || addressInList(hostname.replace(/^\[|\]$/g, ''), insecure);
  };
  const http = openHttp({
    idleMs: options.idleMs ?? 30_000,
    env: options.env,
    isInsecure,
    certificateDirectories: options.certificateDirectories ?? ['/etc/docker/certs.d'],
    userAgent: options.userAgent,
  });
  const policy = { ...defaultRetryPolicy, ...options.retry };
  return {
    repository(ref, work) {
      const session = openSession({ http, policy, ref, isInsecure, ...work });
      return {
        manifest: (tagOrDigest, signal) => fetchManifest(session, ref, tagOrDigest, signal),
        blob: (descriptor, signal) => fetchBlob(session, policy, descriptor, signal),
        tags: (signal) => fetchTags(session, signal),
        ...openPush(session),
      };
    },
    login: (domain, credential, signal) => loginAt({ http, policy, isInsecure }, domain, credential, signal),
    search: (domain, question, work) => searchAt({ http, policy, isInsecure }, domain, question, work),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

async function fetchManifest(
  session: Session,
  ref: Pick<Reference, 'domain' | 'path'>,
  tagOrDigest: string,
  signal: AbortSignal,
): Promise<FetchedManifest> {
  const isDigest = tagOrDigest.includes(':');
  const name = `${familiarRepository({ ...ref })}${isDigest ? '@' : ':'}${tagOrDigest}`;
  return session.retrying(signal, async () => {
    const answer = await session.ask({
      method: 'GET',
      path: `manifests/${tagOrDigest}`,
      headers: { accept: acceptedManifests },
      what: `manifest for ${name}`,
      kind: 'manifest',
      expect: [200],
      signal,
    });
    const mediaType = (answer.headers['content-type'] ?? '').replace(/;.*$/s, '').trim().toLowerCase();
    if (mediaType === 'text/html') {
      answer.discard();
      fail(
        'unavailable',
        'registry.not_a_registry',
        `${answer.url.host} answered with a web page instead of the manifest for ${name}`,
      );
    }
    const bytes = await readBody(answer, maxManifestBytes);
    if (bytes === undefined)
      fail('too_large', 'registry.manifest_too_large', `the manifest for ${name} is larger than 4 MiB`);
    const claimed = isDigest ? tagOrDigest : textHeader(answer.headers['docker-content-digest']);
    const digest = verifiedDigest(bytes, claimed, name);
    return { bytes, descriptor: { mediaType: mediaTypeOf(mediaType, bytes, name), digest, size: bytes.length } };
  });
}

/** The digest that was asked for or that the registry claims, once the bytes have it; else our own. */
function verifiedDigest(bytes: Uint8Array, claimed: string | undefined, name: string): Digest {
  const algorithm = claimed === undefined ? 'sha256' : claimed.slice(0, claimed.indexOf(':'));
  if (!['sha256', 'sha384', 'sha512'].includes(algorithm)) {
    fail('unsupported', 'registry.digest', `the manifest for ${name} has a digest of an unknown kind`);
  }
  const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (claimed !== undefined && claimed !== digest) {
    fail(
      'corrupt',
      'registry.digest_mismatch',
      `the manifest for ${name} is not what its digest says: it should be ${printable(claimed)} and is ${digest}`,
    );
  }
  return digest;
}

/** The header's media type, or the document's own where a server sent something general. */
function mediaTypeOf(header: string, bytes: Uint8Array, name: string): string {
  if (header.startsWith('application/vnd.')) return header;
  try {
    const document = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      mediaType?: unknown;
      manifests?: unknown;
    } | null;
    if (typeof document?.mediaType === 'string') return document.mediaType;
    return document?.manifests === undefined ? mediaTypes.ociManifest : mediaTypes.ociIndex;
  } catch (cause) {
    return fail('corrupt', 'registry.manifest_invalid', `the manifest for ${name} is not JSON`, { cause });
  }
}

async function fetchTags(session: Session, signal: AbortSignal): Promise<readonly string[]> {
  const tags: string[] = [];
  let path = 'tags/list?n=1000';
  for (let page = 0; page < maxTagPages; page++) {
    const next = await session.retrying(signal, async () => {
      const answer = await session.ask({
        method: 'GET',
        path,
        what: `tags of ${session.name}`,
        kind: 'tags',
        expect: [200],
        signal,
      });
      const bytes = await readBody(answer, maxManifestBytes);
      tags.push(...parseTags(bytes, session.name));
      return nextPage(textHeader(answer.headers.link), answer.url);
    });
    if (next === undefined) return tags;
    path = next;
  }
  return fail('too_large', 'registry.tags', `${session.name} has more tags than can be listed`);
}

function parseTags(bytes: Buffer | undefined, name: string): readonly string[] {
  try {
    const document = JSON.parse(bytes?.toString('utf8') ?? '') as { tags?: unknown } | null;
    const tags = document?.tags ?? [];
    if (Array.isArray(tags))
      return tags.filter((tag): tag is string => typeof tag === 'string' && /^\w[\w.-]{0,127}$/.test(tag));
  } catch {
    // Falls through to the sentence.
  }
  return fail('corrupt', 'registry.tags', `the list of tags of ${name} is not valid`);
}

/** `Link: </v2/x/tags/list?n=2&last=b>; rel="next"`: only its query is used, so that it cannot lead elsewhere. */
function nextPage(link: string | undefined, from: URL): string | undefined {
  const target = link === undefined ? undefined : /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, from.href)) return undefined;
  return `tags/list${new URL(target, from).search}`;
}

function textHeader(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
