// Docker's reference grammar: what a user types for an image, and its canonical and familiar forms.
// Pure. The grammar is that of https://pkg.go.dev/github.com/distribution/reference.

import { fail } from '../../base/errors.ts';
import type { Digest } from './image.ts';

/** A parsed reference: the domain is always there, Docker Hub's defaults are filled in, the tag's is not. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000` */
  readonly domain: string;
  /** `library/busybox` */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const maxRepositoryLength = 255;

/** Parses what a user typed. Fails with `reference.invalid` in Docker's words. */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [beforeDigest, digest] = cutFirst(text, '@');
  const [domain, rest] = splitDomain(beforeDigest);
  // A tag's colon comes after the last slash; the domain's port is gone already.
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (path !== path.toLowerCase()) {
    invalid(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!domainPattern.test(domain) || !pathPattern.test(path) || (tag !== undefined && !tagPattern.test(tag))) {
    invalid('invalid reference format', text);
  }
  if (domain.length + 1 + path.length > maxRepositoryLength) {
    invalid(`repository name must not be more than ${maxRepositoryLength} characters`);
  }
  if (digest !== undefined) checkDigest(digest, text);
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference with `latest`, where it names neither a tag nor a digest. */
export function withDefaultTag(ref: Reference): Reference {
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: 'latest' } : ref;
}

/** `docker.io/library/busybox` */
export function repositoryName(ref: Reference): string {
  return `${ref.domain}/${ref.path}`;
}

/** `docker.io/library/busybox:latest`, `docker.io/library/busybox:1@sha256:…`: what the store keeps. */
export function canonicalName(ref: Reference): string {
  return repositoryName(ref) + suffix(ref);
}

/** `busybox`, `localhost:5000/a/b`: the repository as Docker shows it. */
export function familiarRepository(ref: Reference): string {
  if (ref.domain !== 'docker.io') return repositoryName(ref);
  const rest = ref.path.startsWith('library/') ? ref.path.slice('library/'.length) : ref.path;
  // `library/a/b` cannot lose its prefix: `a/b` would be another repository.
  return rest.includes('/') ? ref.path : rest;
}

/** `busybox:latest` */
export function familiarName(ref: Reference): string {
  return familiarRepository(ref) + suffix(ref);
}

/** True for what can only be an image id: `sha256:<hex>` or 64 hex digits. */
export function isImageId(text: string): boolean {
  return /^(?:sha256:)?[a-f0-9]{64}$/.test(text);
}

function suffix(ref: Reference): string {
  return (ref.tag === undefined ? '' : `:${ref.tag}`) + (ref.digest === undefined ? '' : `@${ref.digest}`);
}

/** The first part is a domain when it looks like one: a dot, a port, an upper case letter, or `localhost`. */
function splitDomain(name: string): readonly [domain: string, rest: string] {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  const given = isDomain ? first : 'docker.io';
  const rest = isDomain ? name.slice(slash + 1) : name;
  const domain = given === 'index.docker.io' ? 'docker.io' : given;
  return [domain, domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest];
}

function checkDigest(digest: string, text: string): void {
  if (!digestPattern.test(digest)) invalid('invalid reference format', text);
  const [algorithm, hex] = cutFirst(digest, ':');
  const length = digestLengths[algorithm];
  if (length === undefined) invalid(`unsupported digest algorithm in ${text}`);
  if (hex?.length !== length) invalid(`invalid checksum digest length in ${text}`);
  if (hex !== hex.toLowerCase()) invalid('invalid reference format', text);
}

function cutFirst(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function invalid(sentence: string, text?: string): never {
  const shown = text === undefined ? '' : `: ${JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)}`;
  return fail('invalid', 'reference.invalid', sentence + shown);
}
