// The writing half of the distribution API: blobs (asked for, mounted, uploaded in one PUT) and manifests.

import { fail } from '../../base/errors.ts';
import type { Descriptor } from '../../spec/oci/image.ts';
import type { HttpBody } from './http.ts';
import type { Session } from './session.ts';

export interface Push {
  hasBlob(descriptor: Pick<Descriptor, 'digest'>, signal: AbortSignal): Promise<boolean>;
  /**
   * Uploads a blob, or mounts it from another repository of the same registry where it has it.
   * `open` may be called again: a broken upload starts anew.
   */
  putBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    source: { readonly open: () => AsyncIterable<Uint8Array>; readonly mountFrom?: string },
    signal: AbortSignal,
  ): Promise<'mounted' | 'uploaded'>;
  /** Puts a manifest under a tag or its digest. */
  putManifest(tagOrDigest: string, mediaType: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
}

export function openPush(session: Session): Push {
  return {
    hasBlob: (descriptor, signal) =>
      session.retrying(signal, async () => {
        const answer = await session.ask({
          method: 'HEAD',
          path: `blobs/${descriptor.digest}`,
          what: `blob ${descriptor.digest} of ${session.name}`,
          kind: 'blob',
          expect: [200, 404],
          signal,
        });
        answer.discard();
        return answer.status === 200;
      }),
    putBlob: (descriptor, source, signal) =>
      session.retrying(signal, async () => {
        const target = await startUpload(session, descriptor, source.mountFrom, signal);
        if (target === undefined) return 'mounted';
        target.searchParams.set('digest', descriptor.digest);
        const body = { size: descriptor.size, open: source.open };
        await put(
          session,
          target,
          body,
          { 'content-type': 'application/octet-stream' },
          `blob ${descriptor.digest}`,
          signal,
        );
        return 'uploaded';
      }),
    putManifest: (tagOrDigest, mediaType, bytes, signal) =>
      session.retrying(signal, async () => {
        const body: HttpBody = {
          size: bytes.length,
          async *open() {
            yield bytes;
          },
        };
        await put(
          session,
          `manifests/${tagOrDigest}`,
          body,
          { 'content-type': mediaType },
          `manifest ${tagOrDigest}`,
          signal,
        );
      }),
  };
}

/** Where the bytes go; undefined: the blob was mounted and needs none. */
async function startUpload(
  session: Session,
  descriptor: Pick<Descriptor, 'digest'>,
  mountFrom: string | undefined,
  signal: AbortSignal,
): Promise<URL | undefined> {
  const query =
    mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: descriptor.digest, from: mountFrom }).toString()}`;
  const answer = await session.ask({
    method: 'POST',
    path: `blobs/uploads/${query}`,
    headers: { 'content-length': '0' },
    what: `upload to ${session.name}`,
    kind: 'upload',
    expect: [201, 202],
    signal,
  });
  answer.discard();
  if (answer.status === 201) return undefined;
  const { location } = answer.headers;
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    return fail('unavailable', 'registry.upload', `${answer.url.host} does not say where to upload to`);
  }
  const target = new URL(location, answer.url);
  // A registry behind a TLS proxy may name itself with http:; the upload stays with TLS.
  if (answer.url.protocol === 'https:' && target.host === answer.url.host) target.protocol = 'https:';
  if (answer.url.protocol === 'https:' && target.protocol !== 'https:') {
    return fail('denied', 'registry.downgrade', `${answer.url.host} wants an upload to ${target.host} without TLS`);
  }
  return target;
}

async function put(
  session: Session,
  path: string | URL,
  body: HttpBody,
  headers: Readonly<Record<string, string>>,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const answer = await session.ask({
    method: 'PUT',
    path,
    headers,
    body,
    what: `${what} of ${session.name}`,
    kind: 'upload',
    expect: [201, 204],
    signal,
  });
  answer.discard();
}
