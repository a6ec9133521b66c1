import assert from 'node:assert/strict';
import test from 'node:test';
import { sendError } from '../../registry/client/registry.fixture.ts';
import { addImage, layerTar, openWorld } from './testing.fixture.ts';

const { signal } = new AbortController();
const onProgress = (): void => {};
const auth = { username: 'ann', password: 'word' };

test('credentials of one request: pull and distribution use them; nobody else does', async () => {
  await using world = await openWorld({
    credentials: { get: async () => ({ kind: 'password', username: 'engine', password: 'own' }) },
  });
  const { registry, images } = world;
  const { digest } = addImage(registry, { name: 'app', tag: '1', layers: [layerTar('f', 'x')] });
  registry.intercept = ({ headers }, response) => {
    if (headers.authorization === `Basic ${Buffer.from('ann:word').toString('base64')}`) return false;
    response.setHeader('www-authenticate', 'Basic realm="r"');
    sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
    return true;
  };
  const ref = `${registry.host}/app:1`;
  const options = { platform: '', onProgress, signal };
  await assert.rejects(images.pull(ref, options), { code: 'registry.denied' });
  await assert.rejects(images.pull(ref, { ...options, auth: {} }), { code: 'registry.denied' });
  await assert.rejects(images.pull(ref, { ...options, auth: { ...auth, password: 'no' } }), {
    code: 'registry.denied',
  });
  const found = await images.distribution(ref, { auth, signal });
  assert.equal(found.Descriptor.digest, digest);
  assert.deepEqual(found.Platforms, [{ architecture: 'amd64', os: 'linux' }]);
  assert.equal((await images.pull(ref, { ...options, auth })).digest, digest);
  const sent = registry.requests.map(({ headers }) => headers.authorization);
  assert.ok(sent.includes(`Basic ${Buffer.from('engine:own').toString('base64')}`)); // the one without credentials of its own
});

test('list: shared sizes and containers, where they are asked for', async () => {
  await using world = await openWorld({ usedBy: () => [{ id: 'c', running: true }] });
  const [base, top] = [layerTar('base', '12345'), layerTar('top', '123')];
  addImage(world.registry, { name: 'one', tag: '1', layers: [base] });
  addImage(world.registry, { name: 'two', tag: '1', layers: [base, top], created: '2025-01-01T00:00:00Z' });
  for (const name of ['one', 'two']) await world.pull(`${world.registry.host}/${name}:1`);
  const rows = await world.images.list({ all: false, filters: {}, sharedSize: true, containerCount: true });
  assert.deepEqual(
    rows.map(({ Size, SharedSize, Containers }) => [Size, SharedSize, Containers]),
    [
      [8, 5, 1],
      [5, 5, 1],
    ],
  );
  const [plain] = await world.images.list({ all: false, filters: {} });
  assert.deepEqual([plain?.SharedSize, plain?.Containers], [-1, -1]);
});
