import assert from 'node:assert/strict';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test from 'node:test';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import { openRegistryClient } from './client.ts';
import { noCredentials } from './credentials.ts';
import { proxyFor } from './proxy.ts';
import { startFakeRegistry } from './registry.fixture.ts';

const signal = new AbortController().signal;

test('which proxy is for which address', () => {
  const env = {
    HTTPS_PROXY: 'http://p:1',
    http_proxy: 'q:2',
    NO_PROXY: 'a.example, .b.example,10.0.0.0/8,c.example:8443,[fd00::1]',
  };
  const cases: readonly (readonly [url: string, proxy: string | undefined])[] = [
    ['https://x.example/', 'http://p:1/'],
    ['http://x.example/', 'http://q:2/'],
    ['https://a.example/', undefined],
    ['https://sub.a.example/', undefined],
    ['https://nota.example/', 'http://p:1/'],
    ['https://sub.b.example/', undefined],
    ['https://b.example/', 'http://p:1/'],
    ['https://10.1.2.3/', undefined],
    ['https://11.1.2.3/', 'http://p:1/'],
    ['https://c.example/', 'http://p:1/'],
    ['https://c.example:8443/', undefined],
    ['https://[fd00::1]/', undefined],
    ['http://127.0.0.5:5000/', undefined],
    ['https://localhost/', undefined],
    ['http://[::1]:5000/', undefined],
  ];
  for (const [url, proxy] of cases) assert.equal(proxyFor(new URL(url), env)?.href, proxy, url);
  assert.equal(proxyFor(new URL('https://x.example/'), { ...env, NO_PROXY: '*' }), undefined);
  assert.equal(proxyFor(new URL('https://x.example/'), {}), undefined);
  assert.throws(() => proxyFor(new URL('https://x.example/'), { HTTPS_PROXY: 'socks5://p:1' }), {
    code: 'proxy.invalid',
  });
});

test('attack: a Proxy header of a CGI request sets no proxy (httpoxy, CVE-2016-5385)', () => {
  const env = { HTTP_PROXY: 'http://evil:1', REQUEST_METHOD: 'GET' };
  assert.equal(proxyFor(new URL('http://x.example/'), env), undefined);
});

test('a plain registry is reached through the proxy by its whole URL, with the proxy’s own credentials', async () => {
  const registry = await startFakeRegistry();
  registry.addManifest('app', 'v1', mediaTypes.ociManifest, { schemaVersion: 2, layers: [] });
  const seen: (string | undefined)[] = [];
  const proxy = http.createServer((request, response) => {
    seen.push(request.url, request.headers['proxy-authorization']);
    const { pathname } = new URL(request.url ?? '');
    const target = `http://${registry.host}${pathname}`;
    http.get(target, { headers: request.headers }, (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers)),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const env = { http_proxy: `http://u:p@127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const client = openRegistryClient({ env, userAgent: 'test', insecureRegistries: ['plain.example:5000'] });
  const repository = client.repository(parseReference('plain.example:5000/app'), {
    credentials: noCredentials,
    action: 'pull',
  });
  await repository.manifest('v1', signal);
  assert.equal(seen[0], 'http://plain.example:5000/v2/app/manifests/v1');
  assert.equal(seen[1], `Basic ${Buffer.from('u:p').toString('base64')}`);
  await client[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  proxy.closeAllConnections();
  proxy.close();
});

test('TLS goes through a tunnel, and a proxy that refuses it is told', async () => {
  const targets: string[] = [];
  const proxy = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (head) => {
      targets.push(head.toString().split('\r\n', 1)[0] ?? '');
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const env = { https_proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const client = openRegistryClient({ env, userAgent: 'test', retry: { attempts: 1 } });
  const repository = client.repository(parseReference('tls.example/app'), {
    credentials: noCredentials,
    action: 'pull',
  });
  await assert.rejects(repository.manifest('v1', signal), { message: /answered 403 to CONNECT/ });
  assert.deepEqual(targets, ['CONNECT tls.example:443 HTTP/1.1']);
  await client[Symbol.asyncDispose]();
  proxy.close();
});
