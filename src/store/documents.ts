// Parsed manifests, indexes and image configurations, kept in memory: named by their digest, they cannot go stale.
// Bounded, so that ten thousand images cost no more memory than the last two thousand.

import type { Digest, ImageConfig, Index, Manifest } from '../spec/oci/image.ts';
import { documentLimits, parseImageConfig, parseManifestOrIndex } from '../spec/oci/parse.ts';
import type { ContentStore } from './store.ts';

export interface Documents {
  /** `mediaType`: what whoever names the document says it is, for documents that do not say. */
  manifestOrIndex(digest: Digest, mediaType?: string): Promise<Manifest | Index>;
  config(digest: Digest): Promise<ImageConfig>;
}

/** Sum of the documents' own sizes, bytes: an image has 3 to 10 KB of them. Parsed they take about twice as much. */
const cachedBytes = 8 << 20;

export function cacheDocuments(content: Pick<ContentStore, 'read'>, limit = cachedBytes): Documents {
  // What was used last is last.
  const cache = new Map<string, { readonly value: unknown; readonly size: number }>();
  let held = 0;

  function keep(key: string, entry: { readonly value: unknown; readonly size: number }): void {
    held += entry.size - (cache.get(key)?.size ?? 0);
    cache.delete(key);
    cache.set(key, entry);
    for (const [oldest, { size }] of cache) {
      if (held <= limit) break;
      cache.delete(oldest);
      held -= size;
    }
  }

  /** `as`: one blob may be named as a manifest by one image and as a configuration by another, hostile one. */
  async function get<T>(
    digest: Digest,
    as: string,
    how: { readonly limit: number; readonly parse: (bytes: Uint8Array) => T },
  ): Promise<T> {
    const key = `${as} ${digest}`;
    const known = cache.get(key);
    if (known !== undefined) {
      keep(key, known);
      return known.value as T;
    }
    const bytes = await content.read(digest, how.limit);
    const value = how.parse(bytes);
    keep(key, { value, size: bytes.byteLength });
    return value;
  }

  return {
    manifestOrIndex: (digest, mediaType) =>
      get(digest, `manifest ${mediaType ?? ''}`, {
        limit: documentLimits.manifest,
        parse: (bytes) => parseManifestOrIndex(bytes, mediaType),
      }),
    config: (digest) => get(digest, 'config', { limit: documentLimits.config, parse: parseImageConfig }),
  };
}
