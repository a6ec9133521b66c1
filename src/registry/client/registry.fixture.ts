// A registry in this process, for tests: it serves what it is given, and misbehaves as it is told.

import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly requests: { readonly method: string; readonly url: string; readonly headers: http.IncomingHttpHeaders }[];
  readonly blobs: Map<string, Buffer>;
  /** Keys: `name:tag` and `name@digest`. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** Looks at each request first; true: it has answered. */
  intercept: (request: http.IncomingMessage, response: http.ServerResponse) => boolean;
  addBlob(bytes: Uint8Array): { readonly digest: string; readonly size: number };
  addManifest(
    name: string,
    tag: string | undefined,
    type: string,
    document: unknown,
  ): { readonly digest: string; readonly size: number };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  const server = http.createServer((request, response) => {
    registry.requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    if (!registry.intercept(request, response)) serve(registry, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: FakeRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    blobs: new Map(),
    manifests: new Map(),
    intercept: () => false,
    addBlob(bytes) {
      const digest = sha256(bytes);
      registry.blobs.set(digest, Buffer.from(bytes));
      return { digest, size: bytes.length };
    },
    addManifest(name, tag, type, document) {
      const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document));
      const digest = sha256(bytes);
      registry.manifests.set(`${name}@${digest}`, { type, bytes });
      if (tag !== undefined) registry.manifests.set(`${name}:${tag}`, { type, bytes });
      return { digest, size: bytes.length };
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function serve(registry: FakeRegistry, request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://x');
  const match = /^\/v2\/(?:(.+)\/(manifests|blobs|tags)\/(.+))?$/.exec(url.pathname);
  const [, name, kind, ref = ''] = match ?? [];
  if (match !== null && name === undefined) {
    response.writeHead(200).end('{}');
    return;
  }
  if (kind === 'tags') {
    const tags = [...registry.manifests.keys()]
      .filter((key) => key.startsWith(`${name}:`))
      .map((key) => key.slice(`${name}:`.length));
    sendJson(response, 200, { name, tags });
    return;
  }
  if (kind === 'manifests') {
    const found = registry.manifests.get(ref.includes(':') ? `${name}@${ref}` : `${name}:${ref}`);
    if (found === undefined) {
      sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
      return;
    }
    const headers = {
      'content-type': found.type,
      'docker-content-digest': sha256(found.bytes),
      'content-length': found.bytes.length,
    };
    response.writeHead(200, headers).end(found.bytes);
    return;
  }
  const blob = registry.blobs.get(ref);
  if (blob === undefined) {
    sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? -1);
  const part = blob.subarray(Math.max(start, 0));
  const range = start < 0 ? {} : { 'content-range': `bytes ${start}-${blob.length - 1}/${blob.length}` };
  response.writeHead(start < 0 ? 200 : 206, { 'content-length': part.length, ...range }).end(part);
}

export function sendJson(response: http.ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

export function sendError(response: http.ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { errors: [{ code, message }] });
}
