import assert from 'node:assert/strict';
import test from 'node:test';
import { openRegistryClient, type RegistryClient } from './client.ts';
import { noCredentials } from './credentials.ts';
import { type FakeRegistry, sendError, sendJson, startFakeRegistry } from './registry.fixture.ts';

const { signal } = new AbortController();
const ann = { kind: 'password', username: 'ann', password: 'pass:word' } as const;
const basicOfAnn = `Basic ${Buffer.from('ann:pass:word').toString('base64')}`;

async function withRegistry(body: (registry: FakeRegistry, client: RegistryClient) => Promise<void>): Promise<void> {
  const registry = await startFakeRegistry();
  const client = openRegistryClient({ env: {}, userAgent: 'test', retry: { attempts: 2, backoffMs: 5 } });
  try {
    await body(registry, client);
  } finally {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  }
}

test('login: a registry that asks for nothing lets everybody in', () =>
  withRegistry(async (registry, client) => {
    assert.equal(await client.login(registry.host, ann, signal), '');
    assert.ok(registry.requests.every(({ headers }) => headers.authorization === undefined));
  }));

test('login: basic authorization, right and wrong; the password is in no sentence', () =>
  withRegistry(async (registry, client) => {
    registry.intercept = ({ headers }, response) => {
      if (headers.authorization === basicOfAnn) return false;
      response.setHeader('www-authenticate', 'Basic realm="r"');
      sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
      return true;
    };
    assert.equal(await client.login(registry.host, ann, signal), '');
    await assert.rejects(client.login(registry.host, { ...ann, password: 'secret' }, signal), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'registry.login');
      assert.match(error.message, /incorrect username or password/);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  }));

test('login: a token service is asked for a token that stands for the password', () =>
  withRegistry(async (registry, client) => {
    registry.intercept = ({ url = '', headers }, response) => {
      if (url.startsWith('/token')) {
        const asked = new URL(url, 'http://x').searchParams;
        assert.deepEqual([asked.get('offline_token'), asked.get('scope')], ['true', null]);
        if (headers.authorization !== basicOfAnn) sendError(response, 401, 'UNAUTHORIZED', 'wrong');
        else sendJson(response, 200, { token: 't', refresh_token: 'kept' });
        return true;
      }
      if (headers.authorization === 'Bearer t') return false;
      if (headers.authorization === undefined && registry.requests.length === 1) return false; // http or https?
      response.setHeader('www-authenticate', `Bearer realm="http://${registry.host}/token",service="s"`);
      sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
      return true;
    };
    assert.equal(await client.login(registry.host, ann, signal), 'kept');
    await assert.rejects(client.login(registry.host, { ...ann, username: 'eve' }, signal), { code: 'registry.login' });
  }));

test('search: results as they are; a registry without it, an answer that is none, nobody there', () =>
  withRegistry(async (registry, client) => {
    const question = { query: 'a b', limit: 7 };
    const options = { credentials: noCredentials, signal };
    const rows = [
      { name: 'x', description: 'a\u001b[31mb', star_count: 3, is_official: true, is_automated: false },
      { description: 'no name' },
    ];
    registry.intercept = ({ url = '' }, response) => {
      if (!url.startsWith('/v1/search')) return false;
      assert.equal(url, '/v1/search?q=a+b&n=7');
      sendJson(response, 200, { results: rows });
      return true;
    };
    assert.deepEqual(await client.search(registry.host, question, options), [
      { name: 'x', description: 'a [31mb', star_count: 3, is_official: true, is_automated: false },
    ]);
    registry.intercept = ({ url = '' }, response) => {
      if (url.startsWith('/v1/')) sendError(response, 404, 'NOT_FOUND', 'none');
      return url.startsWith('/v1/');
    };
    await assert.rejects(client.search(registry.host, question, options), { code: 'registry.no_search' });
    registry.intercept = ({ url = '' }, response) => {
      if (url.startsWith('/v1/')) response.end('<html>');
      return url.startsWith('/v1/');
    };
    await assert.rejects(client.search(registry.host, question, options), { code: 'registry.search' });
    await assert.rejects(client.search('127.0.0.1:1', question, options), { code: 'registry.refused' });
  }));
