import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import test from 'node:test';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import { openRegistryClient, type RegistryOptions, type Repository } from './client.ts';
import { type CredentialSource, noCredentials } from './credentials.ts';
import { type FakeRegistry, sendJson, sha256, startFakeRegistry } from './registry.fixture.ts';

const signal = new AbortController().signal;
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: {}, layers: [] };

/** Runs `body` against a fresh fake registry with a client that does not wait long. */
async function withRegistry(
  body: (registry: FakeRegistry, repository: Repository) => Promise<void>,
  options: Partial<RegistryOptions> & { readonly credentials?: CredentialSource } = {},
): Promise<void> {
  const registry = await startFakeRegistry();
  const { credentials = noCredentials, ...rest } = options;
  const retry = { attempts: 4, backoffMs: 5, maxWaitMs: 2000 };
  const client = openRegistryClient({ env: {}, userAgent: 'test', idleMs: 10_000, retry, ...rest });
  try {
    registry.addManifest('app', 'v1', mediaTypes.ociManifest, manifest);
    await body(registry, client.repository(parseReference(`${registry.host}/app`), { credentials, action: 'pull' }));
  } finally {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const isManifest = (request: http.IncomingMessage) => request.url?.includes('/manifests/') ?? false;
const isBlob = (request: http.IncomingMessage) => request.url?.includes('/blobs/') ?? false;

test('a manifest comes by tag and by digest, verified', () =>
  withRegistry(async (_, repository) => {
    const { descriptor, bytes } = await repository.manifest('v1', signal);
    assert.equal(descriptor.mediaType, mediaTypes.ociManifest);
    assert.equal(descriptor.digest, sha256(bytes));
    assert.deepEqual((await repository.manifest(descriptor.digest, signal)).descriptor, descriptor);
  }));

test('tags are listed over several pages, and a page cannot lead to another host', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (!request.url?.includes('/tags/')) return false;
      const first = !request.url.includes('last=');
      if (first) response.setHeader('link', '<http://evil.invalid/v2/other/tags/list?n=2&last=b>; rel="next"');
      sendJson(response, 200, { name: 'app', tags: first ? ['a', 'b'] : ['c'] });
      return true;
    };
    assert.deepEqual(await repository.tags(signal), ['a', 'b', 'c']);
    assert.equal(registry.requests.at(-1)?.url, '/v2/app/tags/list?n=2&last=b');
  }));

test('a reader that takes its time is no silence of the registry', () =>
  withRegistry(
    async (registry, repository) => {
      const bytes = randomBytes(3_000_000);
      const received: Uint8Array[] = [];
      for await (const chunk of repository.blob(registry.addBlob(bytes), signal)) {
        if (received.push(chunk) === 1) await new Promise((resolve) => setTimeout(resolve, 1500));
      }
      assert.ok(bytes.equals(Buffer.concat(received)));
      assert.equal(registry.requests.filter(({ url }) => url.includes('/blobs/')).length, 1);
    },
    { idleMs: 1000 },
  ));

test('a body that breaks goes on where it broke', () =>
  withRegistry(async (registry, repository) => {
    const bytes = randomBytes(1_000_000);
    const blob = registry.addBlob(bytes);
    let breaks = 0;
    registry.intercept = (request, response) => {
      if (!isBlob(request) || breaks >= 6) return false;
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      breaks++;
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': bytes.length - start,
        ...(start === 0 ? {} : { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
      });
      response.write(bytes.subarray(start, start + 100_000), () => response.destroy());
      return true;
    };
    assert.ok(bytes.equals(await collect(repository.blob(blob, signal))));
    const ranges = registry.requests.filter(({ url }) => url.includes('/blobs/')).map(({ headers }) => headers.range);
    assert.equal(ranges[0], undefined);
    assert.ok(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? '')));
  }));

test('a server without ranges starts anew, and no byte comes twice', () =>
  withRegistry(async (registry, repository) => {
    const bytes = randomBytes(500_000);
    const blob = registry.addBlob(bytes);
    let first = true;
    registry.intercept = (request, response) => {
      if (!isBlob(request)) return false;
      response.writeHead(200, { 'content-length': bytes.length });
      if (first) response.write(bytes.subarray(0, 200_000), () => response.destroy());
      else response.end(bytes);
      first = false;
      return true;
    };
    assert.ok(bytes.equals(await collect(repository.blob(blob, signal))));
  }));

test('a body that always ends early is refused', () =>
  withRegistry(async (registry, repository) => {
    const blob = registry.addBlob(randomBytes(1000));
    registry.intercept = (request, response) => {
      if (isBlob(request))
        response.writeHead(request.headers.range ? 416 : 200).end(request.headers.range ? '' : Buffer.alloc(500));
      return isBlob(request);
    };
    await assert.rejects(collect(repository.blob(blob, signal)), { message: /blob sha256:/ });
  }));

test('an abort ends a fetch with one error, also while it waits', () =>
  withRegistry(
    async (registry, repository) => {
      registry.intercept = (request) => isManifest(request);
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 30);
      await assert.rejects(repository.manifest('v1', abort.signal), { code: 'cancelled', kind: 'cancelled' });
    },
    { idleMs: 10_000 },
  ));
