import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test from 'node:test';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import { openRegistryClient, type RegistryOptions, type Repository } from './client.ts';
import { type CredentialSource, noCredentials } from './credentials.ts';
import { type FakeRegistry, sendError, startFakeRegistry } from './registry.fixture.ts';

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
  const client = openRegistryClient({ env: {}, userAgent: 'test', idleMs: 150, retry, ...rest });
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

test('a registry that hangs is given up in one sentence', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request) => isManifest(request);
    const start = Date.now();
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.timeout', kind: 'unavailable' });
    assert.ok(Date.now() - start < 1000);
  }));

test('a registry that hangs in the middle of a manifest is given up', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (isManifest(request)) response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).write('{');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.timeout' });
  }));

test('429 is retried when Retry-After says so', () =>
  withRegistry(async (registry, repository) => {
    let refusals = 0;
    registry.intercept = (request, response) => {
      if (!isManifest(request) || refusals === 1) return false;
      refusals++;
      response.setHeader('retry-after', '1');
      sendError(response, 429, 'TOOMANYREQUESTS', 'slow down');
      return true;
    };
    const start = Date.now();
    await repository.manifest('v1', signal);
    assert.ok(Date.now() - start >= 990);
  }));

test('429 with a long Retry-After is not waited for, and says when to come back', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (!isManifest(request)) return false;
      response.setHeader('retry-after', '3600');
      sendError(response, 429, 'TOOMANYREQUESTS', 'pull rate limit');
      return true;
    };
    const expected = {
      code: 'registry.rate_limited',
      message: /answered 429 .*pull rate limit/,
      hint: 'try again in 3600 s',
    };
    await assert.rejects(repository.manifest('v1', signal), expected);
    assert.equal(registry.requests.filter(({ url }) => url.includes('/manifests/')).length, 1);
  }));

test('500 is retried, then told', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (isManifest(request)) response.writeHead(500).end('boom');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), {
      code: 'registry.status',
      message: /answered 500 for the manifest for .*app:v1: boom$/,
    });
    assert.equal(registry.requests.filter(({ url }) => url.includes('/manifests/')).length, 4);
  }));

test('HTML instead of a manifest is said to be a web page', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (isManifest(request))
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<!doctype html><h1>Log in</h1>');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.not_a_registry', message: /a web page/ });
  }));

test('unknown manifests and repositories are told apart', () =>
  withRegistry(async (registry, repository) => {
    await assert.rejects(repository.manifest('v2', signal), {
      code: 'registry.manifest_unknown',
      kind: 'not_found',
      message: /^manifest for .*app:v2 not found: manifest unknown/,
    });
    registry.intercept = (request, response) => {
      if (isManifest(request)) sendError(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.name_unknown' });
  }));

test('attack: escape sequences in a registry’s words do not reach the terminal', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (isManifest(request)) sendError(response, 404, 'X', '\x1b]0;owned\x07\n\u202erm -rf');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), (error: Error) => /^[\x20-\x7e]+$/.test(error.message));
  }));

test('attack: a manifest of 100 MB is refused unread', () =>
  withRegistry(async (registry, repository) => {
    let written = 0;
    registry.intercept = (request, response) => {
      if (!isManifest(request)) return false;
      const declared = request.url?.endsWith('declared') ? { 'content-length': 100_000_000 } : {};
      response.writeHead(200, { 'content-type': mediaTypes.ociManifest, ...declared });
      const chunk = Buffer.alloc(1 << 20, 0x20);
      const more = () => {
        while (written < 100_000_000 && !response.destroyed) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
      };
      more();
      return true;
    };
    await assert.rejects(repository.manifest('streamed', signal), {
      code: 'registry.manifest_too_large',
      kind: 'too_large',
    });
    assert.ok(written < 40_000_000, `${written} bytes were taken`);
    await assert.rejects(repository.manifest('declared', signal), { code: 'registry.manifest_too_large' });
  }));

test('attack: a manifest that is not what its digest says is refused', () =>
  withRegistry(async (registry, repository) => {
    const { digest } = registry.addManifest('app', 'v3', mediaTypes.ociManifest, {
      ...manifest,
      annotations: { a: 'b' },
    });
    registry.manifests.set(`app@${digest}`, {
      type: mediaTypes.ociManifest,
      bytes: Buffer.from(JSON.stringify(manifest)),
    });
    await assert.rejects(repository.manifest(digest, signal), { code: 'registry.digest_mismatch', kind: 'corrupt' });
    registry.intercept = (request, response) => {
      if (isManifest(request)) response.setHeader('docker-content-digest', `sha256:${'0'.repeat(64)}`);
      if (isManifest(request)) response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end('{}');
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v3', signal), { code: 'registry.digest_mismatch' });
  }));

test('attack: a blob larger or smaller than the manifest says is refused at once', () =>
  withRegistry(async (registry, repository) => {
    const { digest, size } = registry.addBlob(randomBytes(100_000));
    const expected = { code: 'registry.size_mismatch', kind: 'corrupt' };
    await assert.rejects(collect(repository.blob({ digest, size: size - 1 }, signal)), expected);
    await assert.rejects(collect(repository.blob({ digest, size: size + 1 }, signal)), expected);
    registry.intercept = (request, response) => {
      if (isBlob(request)) response.write(Buffer.alloc(200_000));
      return isBlob(request);
    };
    await assert.rejects(collect(repository.blob({ digest, size }, signal)), expected);
  }));

test('attack: a redirect to another host does not carry the secret there', async () => {
  const other = await startFakeRegistry();
  const credentials: CredentialSource = { get: async () => ({ kind: 'password', username: 'u', password: 'secret' }) };
  await withRegistry(
    async (registry, repository) => {
      const bytes = randomBytes(1000);
      const blob = other.addBlob(bytes);
      registry.intercept = (request, response) => {
        if (request.url === '/v2/') return false;
        if (request.headers.authorization === undefined) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        } else {
          response.writeHead(307, { location: `http://${other.host}${request.url}` }).end();
        }
        return true;
      };
      assert.ok(bytes.equals(await collect(repository.blob(blob, signal))));
      assert.ok(registry.requests.some(({ headers }) => headers.authorization?.startsWith('Basic ')));
      assert.ok(other.requests.length > 0);
      assert.ok(other.requests.every(({ headers }) => headers.authorization === undefined));
      // Nor does a challenge from over there make us speak.
      other.intercept = (_, response) => {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="y"' }).end();
        return true;
      };
      await assert.rejects(collect(repository.blob(blob, signal)), { code: 'registry.denied' });
      assert.ok(other.requests.every(({ headers }) => headers.authorization === undefined));
    },
    { credentials },
  );
  await other[Symbol.asyncDispose]();
});

test('redirects without end are given up', () =>
  withRegistry(async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (isManifest(request)) response.writeHead(302, { location: request.url }).end();
      return isManifest(request);
    };
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.redirects' });
  }));

test('a refused connection and an unknown host are told at once', async () => {
  const client = openRegistryClient({ env: {}, userAgent: 'test' });
  const at = (ref: string) => client.repository(parseReference(ref), { credentials: noCredentials, action: 'pull' });
  await assert.rejects(at('127.0.0.1:1/app').manifest('v1', signal), { code: 'registry.refused' });
  await assert.rejects(at('registry.invalid/app').manifest('v1', signal), { code: 'registry.unknown_host' });
  await client[Symbol.asyncDispose]();
});

test('what is no HTTP is told', async () => {
  const server = net.createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = openRegistryClient({ env: {}, userAgent: 'test', retry: { backoffMs: 1 } });
  const repository = client.repository(parseReference(`${host}/app`), { credentials: noCredentials, action: 'pull' });
  await assert.rejects(repository.manifest('v1', signal), { code: 'registry.not_http' });
  await client[Symbol.asyncDispose]();
  server.close();
});
