// From a request's target to an endpoint: the version in front, the pattern, what stands in its braces.

import { fail } from '../base/errors.ts';
import type { ApiMinor, Route } from './route.ts';
import { apiVersion, minApiVersion } from './versions.ts';

export interface Target {
  readonly minor: ApiMinor;
  /** Without the version, still encoded. */
  readonly path: string;
  readonly search: URLSearchParams;
}

const minorOf = (version: string): number => Number(version.split('.')[1]);
export const newest = minorOf(apiVersion);

/** Fails with `path.invalid` for tricks, with `version.range` for versions that are not served. */
export function readTarget(url: string): Target {
  const absolute = /^https?:\/\/[^/?]*(.*)$/.exec(url)?.[1] ?? url;
  const mark = absolute.indexOf('?');
  const search = new URLSearchParams(mark < 0 ? '' : absolute.slice(mark + 1));
  const path = (mark < 0 ? absolute : absolute.slice(0, mark)).replace(/\/{2,}/g, '/');
  if (!path.startsWith('/') || !path.split('/').every(harmless)) fail('invalid', 'path.invalid', 'invalid path');
  const versioned = /^\/v(\d+(?:\.\d+)*)(\/.*)$/.exec(path);
  if (!versioned) return { minor: newest, path, search };
  const [, version = '', rest = ''] = versioned;
  return { minor: checkVersion(version), path: rest, search };
}

/** No way up, and nothing that ends a string elsewhere. */
function harmless(segment: string): boolean {
  const text = decode(segment);
  return text !== '.' && text !== '..' && !text.includes('\0') && !/(?:^|\/)\.\.(?:\/|$)/.test(text);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return fail('invalid', 'path.invalid', 'invalid URL escape in path');
  }
}

function checkVersion(version: string): ApiMinor {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const place = (one: string): number => Number(one.split('.')[0]) * 1000 + minorOf(one);
  const asked = major * 1000 + minor;
  if (asked > place(apiVersion))
    fail(
      'invalid',
      'version.range',
      `client version ${version} is too new. Maximum supported API version is ${apiVersion}`,
    );
  if (asked < place(minApiVersion))
    fail(
      'invalid',
      'version.range',
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    );
  return minor;
}

export interface Match<N extends string> {
  readonly name: N;
  readonly params: Readonly<Record<string, string>>;
}

/** Literal segments win over braces: the table's order is of no importance. */
export function matcher<N extends string>(
  table: Readonly<Record<N, Pick<Route, 'method' | 'path'>>>,
): (method: string, path: string) => Match<N> | undefined {
  const patterns = (Object.entries(table) as [N, Pick<Route, 'method' | 'path'>][])
    .map(([name, { method, path }]) => {
      const names = [...path.matchAll(/\{(\w+)\*?\}/g)].map(([, one = '']) => one);
      const source = path.replace(/\{\w+\*\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)');
      return { name, method, names, pattern: new RegExp(`^${source}/?$`) };
    })
    .sort((a, b) => a.names.length - b.names.length || b.pattern.source.length - a.pattern.source.length);
  return (method, path) => {
    for (const { name, method: wanted, names, pattern } of patterns) {
      if (wanted !== method) continue;
      const found = pattern.exec(path);
      if (found) return { name, params: Object.fromEntries(names.map((one, i) => [one, decode(found[i + 1] ?? '')])) };
    }
    return undefined;
  };
}
