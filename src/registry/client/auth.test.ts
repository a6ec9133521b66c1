import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { mediaTypes } from '../../spec/oci/image.ts';
import { parseReference } from '../../spec/oci/reference.ts';
import { parseChallenges } from './auth.ts';
import { openRegistryClient, type Repository } from './client.ts';
import { type CredentialSource, dockerCredentials, noCredentials } from './credentials.ts';
import { type FakeRegistry, sendError, sendJson, startFakeRegistry } from './registry.fixture.ts';

const signal = new AbortController().signal;
const user: CredentialSource = { get: async () => ({ kind: 'password', username: 'ann', password: 'pass:word' }) };
const basicOfUser = `Basic ${Buffer.from('ann:pass:word').toString('base64')}`;

async function withRegistry(
  credentials: CredentialSource,
  body: (registry: FakeRegistry, repository: Repository) => Promise<void>,
): Promise<void> {
  const registry = await startFakeRegistry();
  const client = openRegistryClient({
    env: {},
    userAgent: 'test',
    idleMs: 10_000,
    retry: { attempts: 3, backoffMs: 5 },
  });
  registry.addManifest('app', 'v1', mediaTypes.ociManifest, { schemaVersion: 2, layers: [] });
  try {
    await body(registry, client.repository(parseReference(`${registry.host}/app`), { credentials, action: 'pull' }));
  } finally {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }
}

/** A registry with a token service at /token that hands out `t1`, `t2`…; only the newest is good. */
function tokenService(registry: FakeRegistry, accepts: (request: http.IncomingMessage) => boolean) {
  const state = { issued: 0, valid: '' };
  registry.intercept = (request, response) => {
    if (request.url?.startsWith('/token')) {
      if (!accepts(request)) {
        sendError(response, 401, 'UNAUTHORIZED', 'incorrect username or password');
        return true;
      }
      state.valid = `t${++state.issued}`;
      sendJson(response, 200, { token: state.valid, expires_in: 60 });
      return true;
    }
    if (request.url === '/v2/' || (state.valid !== '' && request.headers.authorization === `Bearer ${state.valid}`))
      return false;
    const realm = `http://${registry.host}/token`;
    response.setHeader('www-authenticate', `Bearer realm="${realm}",service="reg, istry",scope="repository:app:pull"`);
    sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
    return true;
  };
  return state;
}

test('challenges are parsed, several and with commas inside quotes', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a/t?x=1,2",service=reg,scope="repository:a/b:pull,push"'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t?x=1,2', service: 'reg', scope: 'repository:a/b:pull,push' } },
  ]);
  assert.deepEqual(
    parseChallenges('Negotiate, Basic realm="a \\"b\\"", Bearer realm="r"').map(({ scheme }) => scheme),
    ['negotiate', 'basic', 'bearer'],
  );
  assert.deepEqual(parseChallenges(''), []);
});

test('an anonymous token is fetched once for many requests', () =>
  withRegistry(noCredentials, async (registry, repository) => {
    const state = tokenService(registry, (request) => request.headers.authorization === undefined);
    await repository.manifest('v1', signal);
    await repository.manifest('v1', signal);
    assert.equal(state.issued, 1);
    const asked = new URL(registry.requests.find(({ url }) => url.startsWith('/token'))?.url ?? '', 'http://x')
      .searchParams;
    assert.equal(asked.get('service'), 'reg, istry');
    assert.deepEqual(asked.getAll('scope'), ['repository:app:pull']);
  }));

test('a token that expires is renewed, once for requests at the same time', () =>
  withRegistry(user, async (registry, repository) => {
    const state = tokenService(registry, (request) => request.headers.authorization === basicOfUser);
    await repository.manifest('v1', signal);
    state.valid = 'expired';
    await Promise.all([1, 2, 3].map(() => repository.manifest('v1', signal)));
    assert.equal(state.issued, 2);
  }));

test('a wrong password is one sentence, without the password in it', () =>
  withRegistry(user, async (registry, repository) => {
    tokenService(registry, () => false);
    await assert.rejects(repository.manifest('v1', signal), (error: Error & { code: string; kind: string }) => {
      assert.equal(error.code, 'registry.denied');
      assert.match(error.message, /^pull access denied for .*, repository does not exist or may require 'hoist login'/);
      assert.ok(!JSON.stringify([error, error.message, error.cause ?? '']).includes('pass:word'));
      return true;
    });
  }));

test('basic authorization is sent only when asked for, and a refusal ends it', () =>
  withRegistry(user, async (registry, repository) => {
    let good = true;
    registry.intercept = (request, response) => {
      if (request.url === '/v2/' || (good && request.headers.authorization === basicOfUser)) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      return true;
    };
    await repository.manifest('v1', signal);
    assert.equal(registry.requests[1]?.headers.authorization, undefined);
    good = false;
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.denied', kind: 'denied' });
  }));

test('an identity token is exchanged by POST', () =>
  withRegistry({ get: async () => ({ kind: 'identity', token: 'refresh-me' }) }, async (registry, repository) => {
    const state = tokenService(
      registry,
      (request) => request.method === 'POST' && request.headers.authorization === undefined,
    );
    await repository.manifest('v1', signal);
    assert.equal(state.issued, 1);
  }));

test('attack: a token with line breaks in it is refused', () =>
  withRegistry(noCredentials, async (registry, repository) => {
    registry.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      if (request.url?.startsWith('/token')) sendJson(response, 200, { token: 'a\r\nX-Evil: 1' });
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${registry.host}/token"` }).end();
      return true;
    };
    await assert.rejects(repository.manifest('v1', signal), { code: 'registry.token' });
  }));

test('credentials: auths, URL keys, Docker Hub, helpers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-auth-'));
  const helper = join(directory, 'docker-credential-fake');
  await mkdir(join(directory, 'docker'));
  const write = (config: unknown) =>
    writeFile(join(directory, 'docker', 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  const env = { DOCKER_CONFIG: join(directory, 'docker'), PATH: `${directory}:${process.env['PATH'] ?? ''}` };
  const source = dockerCredentials(env);
  const auth = Buffer.from('bob:s:e').toString('base64');
  const bob = { kind: 'password', username: 'bob', password: 's:e' };

  assert.equal(await dockerCredentials({}).get('docker.io'), undefined);
  assert.equal(await source.get('docker.io'), undefined, 'no file');
  await write({
    auths: {
      'https://index.docker.io/v1/': { auth },
      'https://r.example/v1/': { auth },
      'localhost:5000': { auth, identitytoken: 'tok' },
    },
  });
  assert.deepEqual(await source.get('docker.io'), bob);
  assert.deepEqual(await source.get('r.example'), bob);
  assert.deepEqual(await source.get('localhost:5000'), { kind: 'identity', token: 'tok' });
  assert.equal(await source.get('localhost:5001'), undefined);

  const script =
    '#!/bin/sh\nread server\ncase $server in\nr.example) echo \'{"Username":"carol","Secret":"x"}\';;\nt.example) echo \'{"Username":"<token>","Secret":"y"}\';;\nbad.example) echo oops; exit 2;;\n*) echo "credentials not found in native keychain"; exit 1;;\nesac\n';
  await writeFile(helper, script);
  await chmod(helper, 0o755);
  await write({
    auths: { 'a.example': { auth } },
    credHelpers: { 'r.example': 'fake', 'a.example': '' },
    credsStore: 'fake',
  });
  assert.deepEqual(await source.get('r.example'), { kind: 'password', username: 'carol', password: 'x' });
  assert.deepEqual(await source.get('t.example'), { kind: 'identity', token: 'y' });
  assert.equal(await source.get('nothing.example'), undefined);
  await assert.rejects(source.get('bad.example'), { code: 'credentials.helper', message: /exit code 2/ });

  await write({ credsStore: '../../evil' });
  await assert.rejects(source.get('r.example'), {
    code: 'credentials.helper',
    message: /no name of a credential helper/,
  });
  await write({ credsStore: 'missing' });
  await assert.rejects(source.get('r.example'), { code: 'credentials.helper', message: /cannot run .*ENOENT/ });
  await write('{');
  await assert.rejects(source.get('r.example'), { code: 'credentials.config' });
  await rm(directory, { recursive: true });
});
