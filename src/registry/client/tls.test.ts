import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import { openRegistryClient, type RegistryOptions } from './client.ts';
import { noCredentials } from './credentials.ts';

const signal = new AbortController().signal;
const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl here';

/** A TLS server named reg.test with a certificate of its own, reached through a tunnel: the name needs no DNS. */
async function tlsWorld(answer: http.RequestListener) {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=reg.test', '-addext', 'subjectAltName=DNS:reg.test'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  const server = https.createServer({ key: await readFile(key), cert: await readFile(cert) }, answer);
  const tunnel = http.createServer();
  tunnel.on('connect', (_, socket: net.Socket) => {
    const onward = net.connect((server.address() as AddressInfo).port, '127.0.0.1', () =>
      socket.write('HTTP/1.1 200 OK\r\n\r\n'),
    );
    onward.on('error', () => socket.destroy()).pipe(socket);
    socket.on('error', () => onward.destroy()).pipe(onward);
  });
  for (const each of [server, tunnel]) await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  const trusted = join(directory, 'certs.d');
  await mkdir(join(trusted, 'reg.test'), { recursive: true });
  await copyFile(cert, join(trusted, 'reg.test', 'ca.crt'));
  const env = { HTTPS_PROXY: `http://127.0.0.1:${(tunnel.address() as AddressInfo).port}` };
  return {
    port: (server.address() as AddressInfo).port,
    fetch: async (ref: string, options: Partial<RegistryOptions> = {}) => {
      const retry = { attempts: 2, backoffMs: 5 };
      const client = openRegistryClient({
        env,
        userAgent: 'test',
        retry,
        certificateDirectories: [trusted],
        ...options,
      });
      try {
        return await client
          .repository(parseReference(ref), { credentials: noCredentials, action: 'pull' })
          .manifest('v1', signal);
      } finally {
        await client[Symbol.asyncDispose]();
      }
    },
    close: async () => {
      server.closeAllConnections();
      tunnel.closeAllConnections();
      server.close();
      tunnel.close();
      await rm(directory, { recursive: true });
    },
  };
}

const manifest: http.RequestListener = (_, response) => {
  response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end('{}');
};

test('a certificate is trusted when certs.d has its authority, and not otherwise', { skip }, async () => {
  const world = await tlsWorld(manifest);
  await world.fetch('reg.test/app');
  const untrusted = world.fetch('reg.test/app', { certificateDirectories: [] });
  await assert.rejects(untrusted, {
    code: 'registry.certificate',
    message: /^the certificate of reg.test is not trusted/,
  });
  await world.fetch('reg.test/app', { certificateDirectories: [], insecureRegistries: ['reg.test'] });
  await world.close();
});

test('attack: a certificate for another name', { skip }, async () => {
  const world = await tlsWorld(manifest);
  await assert.rejects(world.fetch('other.test/app'), { code: 'registry.certificate' });
  await world.close();
});

test('a loopback registry may speak TLS with any certificate', { skip }, async () => {
  const world = await tlsWorld(manifest);
  await world.fetch(`127.0.0.1:${world.port}/app`);
  await world.close();
});

test('attack: a redirect from TLS to none', { skip }, async () => {
  const world = await tlsWorld((_, response) => response.writeHead(307, { location: 'http://plain.test/x' }).end());
  await assert.rejects(world.fetch('reg.test/app'), { code: 'registry.downgrade', kind: 'denied' });
  await world.close();
});

test('attack: a token service without TLS for a registry with it', { skip }, async () => {
  const world = await tlsWorld((_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://plain.test/token"' }).end();
  });
  await assert.rejects(world.fetch('reg.test/app'), { code: 'registry.downgrade' });
  await world.close();
});
