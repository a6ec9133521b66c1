import assert from 'node:assert/strict';
import test from 'node:test';
import type { ImageUser } from './deps.ts';
import { addImage, contentsOf, layerTar, openWorld, type World } from './testing.fixture.ts';

async function inWorld(body: (world: World, users: ImageUser[], held: Set<string>) => Promise<void>): Promise<void> {
  const users: ImageUser[] = [];
  const held = new Set<string>();
  const world = await openWorld({
    usedBy: () => users,
    heldManifests: () => held,
    now: () => new Date('2024-06-01T00:00:00Z'),
  });
  try {
    await body(world, users, held);
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

/** An image here, under local names. */
async function have(
  world: World,
  name: string,
  options: { created?: string; labels?: Record<string, string>; content?: string } = {},
) {
  const { registry, store } = world;
  const added = addImage(registry, {
    name: 'x',
    tag: 'x',
    layers: [layerTar('file', options.content ?? name)],
    created: options.created ?? '2024-01-01T00:00:00Z',
    config: { config: { Labels: options.labels ?? {} } },
  });
  await world.pull(`${registry.host}/x:x`);
  await alias(world, `${registry.host}/x:x`, name);
  await store.images.untag(`${registry.host}/x:x`, { keepDangling: false });
  return added.id;
}

async function alias(world: World, from: string, to: string): Promise<void> {
  const row = world.store.images.list().find(({ name }) => name === from);
  assert.ok(row);
  await world.store.images.tag({ ...row, name: to });
}

const names = (world: World, filters: Record<string, string[]> = {}) =>
  world.images.list({ all: false, filters }).then((rows) => rows.map(({ RepoTags }) => RepoTags.join(' ')));

test('an image is found by name, by digest, by id and by the beginning of its id', () =>
  inWorld(async (world) => {
    const id = await have(world, 'docker.io/library/app:latest');
    const [row] = world.store.images.list();
    for (const ref of [
      'app',
      'app:latest',
      'docker.io/library/app',
      id,
      id.slice(7),
      id.slice(7, 19),
      id.slice(0, 15),
      `app@${row?.repoDigest}`,
    ]) {
      assert.equal((await world.images.inspect(ref)).Id, id, ref);
    }
    const notFound = (ref: string, shown: string) =>
      assert.rejects(world.images.inspect(ref), { code: 'image.not_found', message: `No such image: ${shown}` });
    await notFound('nonesuch', 'nonesuch:latest');
    await notFound('app:v2', 'app:v2');
    await notFound('f'.repeat(64), 'f'.repeat(64));
    await notFound(`app@sha256:${'0'.repeat(64)}`, `app@sha256:${'0'.repeat(64)}`);
    await assert.rejects(world.images.inspect('UPPER'), { code: 'reference.invalid' });
    await assert.rejects(world.images.inspect('app', { platform: 'linux/s390x' }), {
      code: 'image.platform',
      kind: 'not_found',
    });
  }));

test('an ambiguous beginning of an id is refused', () =>
  inWorld(async (world) => {
    const seen = new Map<string, string>();
    for (let i = 0; ; i++) {
      const id = await have(world, `docker.io/library/app:${i}`);
      const clash = seen.get(id.slice(7, 8));
      seen.set(id.slice(7, 8), id);
      if (clash === undefined) continue;
      await assert.rejects(world.images.inspect(id.slice(7, 8)), { code: 'image.ambiguous' });
      return;
    }
  }));

test('a name that looks like an id wins over the id', () =>
  inWorld(async (world) => {
    const id = await have(world, 'docker.io/library/app:latest', { content: 'one' });
    const other = await have(world, `docker.io/library/${id.slice(7, 13)}:latest`, { content: 'two' });
    assert.equal((await world.images.inspect(id.slice(7, 13))).Id, other);
    const items = await world.images.remove(id.slice(7, 13), { force: false, prune: true });
    assert.deepEqual(items[0], { Untagged: `${id.slice(7, 13)}:latest` });
    assert.equal((await world.images.inspect('app')).Id, id);
  }));

test('list: newest first, one row per image with all its names', () =>
  inWorld(async (world) => {
    await have(world, 'docker.io/library/old:1', { created: '2020-01-01T00:00:00Z' });
    await have(world, 'docker.io/library/new:1', { created: '2024-01-01T00:00:00Z' });
    await alias(world, 'docker.io/library/old:1', 'docker.io/library/old:2');
    assert.deepEqual(await names(world), ['new:1', 'old:1 old:2']);
    const [row] = await world.images.list({ all: false, filters: {} });
    assert.equal(row?.Created, Date.parse('2024-01-01T00:00:00Z') / 1000);
    assert.equal(row?.Size, 'docker.io/library/new:1'.length);
    assert.match(row?.RepoDigests[0] ?? '', /^new@sha256:[0-9a-f]{64}$/);
  }));

test('list: filters', () =>
  inWorld(async (world) => {
    await have(world, 'docker.io/library/a:1', { created: '2024-05-01T00:00:00Z', labels: { team: 'x', solo: '' } });
    await have(world, 'docker.io/me/b:2', { created: '2024-05-31T12:00:00Z', labels: { team: 'y' } });
    await have(world, 'ghcr.io/you/c:3', { created: '2024-05-31T23:30:00Z' });
    const cases: readonly (readonly [filters: Record<string, string[]>, expected: string[]])[] = [
      [{ label: ['team'] }, ['me/b:2', 'a:1']],
      [{ label: ['team=x'] }, ['a:1']],
      [{ label: ['team', 'solo'] }, ['a:1']],
      [{ 'label!': ['team'] }, ['ghcr.io/you/c:3']],
      [{ before: ['me/b:2'] }, ['a:1']],
      [{ since: ['a:1'] }, ['ghcr.io/you/c:3', 'me/b:2']],
      [{ until: ['1h'] }, ['me/b:2', 'a:1']],
      [{ until: ['2024-05-15'] }, ['a:1']],
      [{ reference: ['a'] }, ['a:1']],
      [{ reference: ['*/b'] }, ['me/b:2']],
      [{ reference: ['*'] }, ['a:1']],
      [{ reference: ['*:[12]', 'me/?:2'] }, ['me/b:2', 'a:1']],
      [{ reference: ['ghcr.io/*/c:3'] }, ['ghcr.io/you/c:3']],
      [{ dangling: ['true'] }, []],
      [{ dangling: ['0'], reference: ['a'] }, ['a:1']],
    ];
    for (const [filters, expected] of cases)
      assert.deepEqual(await names(world, filters), expected, JSON.stringify(filters));
    await assert.rejects(names(world, { foo: ['x'] }), { message: "invalid filter 'foo'" });
    await assert.rejects(names(world, { dangling: ['maybe'] }), { message: "invalid filter 'dangling=[maybe]'" });
    await assert.rejects(names(world, { until: ['tea time'] }), { code: 'filter.invalid' });
    await assert.rejects(names(world, { reference: ['[a'] }), { code: 'filter.invalid' });
    await assert.rejects(names(world, { before: ['nonesuch'] }), { code: 'image.not_found' });
  }));

test('remove: a name, then the image with the last one', () =>
  inWorld(async (world) => {
    const id = await have(world, 'docker.io/library/app:1');
    await alias(world, 'docker.io/library/app:1', 'docker.io/library/app:2');
    assert.deepEqual(await world.images.remove('app:1', { force: false, prune: true }), [{ Untagged: 'app:1' }]);
    assert.deepEqual(await contentsOf(world.store), { blobs: 3, layers: 1 });
    const [layer] = (await world.images.inspect('app:2')).RootFS.Layers;
    const items = await world.images.remove('app:2', { force: false, prune: true });
    assert.deepEqual(items.slice(-2), [{ Deleted: id }, { Deleted: layer }]);
    assert.deepEqual(await contentsOf(world.store), { blobs: 0, layers: 0 });
    await assert.rejects(world.images.remove('app:2', { force: false, prune: true }), { code: 'image.not_found' });
  }));

test('remove: a layer that another image has stays', () =>
  inWorld(async (world) => {
    await have(world, 'docker.io/library/a:1', { content: 'shared', labels: { n: 'a' } });
    await have(world, 'docker.io/library/b:1', { content: 'shared', labels: { n: 'b' } });
    const items = await world.images.remove('a:1', { force: false, prune: true });
    assert.equal(items.filter((item) => 'Deleted' in item).length, 1);
    assert.deepEqual(await contentsOf(world.store), { blobs: 3, layers: 1 });
  }));

test('remove: by id with names in several repositories must be forced', () =>
  inWorld(async (world) => {
    const id = await have(world, 'docker.io/library/a:1');
    await alias(world, 'docker.io/library/a:1', 'docker.io/library/b:1');
    const message = `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is referenced in multiple repositories`;
    await assert.rejects(world.images.remove(id, { force: false, prune: true }), { kind: 'conflict', message });
    const items = await world.images.remove(id.slice(7, 15), { force: true, prune: true });
    assert.ok(items.some((item) => 'Deleted' in item && item.Deleted === id));
    assert.deepEqual(world.store.images.list(), []);
  }));

test('remove: what a running container uses', () =>
  inWorld(async (world, users, held) => {
    const id = await have(world, 'docker.io/library/app:1');
    const container = 'c0ffee'.padEnd(64, '0');
    users.push({ id: container, running: true });
    held.add(world.store.images.list()[0]?.manifest.digest ?? '');
    const [image, user] = [id.slice(7, 19), container.slice(0, 12)];
    const byName = `conflict: unable to remove repository reference "app:1" (must force) - container ${user} is using its referenced image ${image}`;
    await assert.rejects(world.images.remove('app:1', { force: false, prune: true }), {
      kind: 'conflict',
      message: byName,
    });
    const byId = `conflict: unable to delete ${image} (cannot be forced) - image is being used by running container ${user}`;
    await assert.rejects(world.images.remove(id, { force: true, prune: true }), { kind: 'conflict', message: byId });
    const items = await world.images.remove('app:1', { force: true, prune: true });
    assert.ok(items.every((item) => 'Untagged' in item));
    assert.deepEqual(await names(world, { dangling: ['true'] }), ['']);
  }));

test('remove: what a stopped container uses, forced, keeps its layers for it', () =>
  inWorld(async (world, users, held) => {
    const id = await have(world, 'docker.io/library/app:1');
    users.push({ id: 'd'.repeat(64), running: false });
    held.add(world.store.images.list()[0]?.manifest.digest ?? '');
    const message = `conflict: unable to delete ${id.slice(7, 19)} (must be forced) - image is being used by stopped container dddddddddddd`;
    await assert.rejects(world.images.remove(id, { force: false, prune: true }), { kind: 'conflict', message });
    const items = await world.images.remove(id, { force: true, prune: true });
    assert.deepEqual(items.at(-1), { Deleted: id });
    assert.deepEqual(world.store.images.list(), []);
    assert.deepEqual(await contentsOf(world.store), { blobs: 3, layers: 1 });
  }));

test('inspect: Docker’s document', () =>
  inWorld(async (world) => {
    const id = await have(world, 'docker.io/library/app:1', { labels: { a: 'b' } });
    const image = await world.images.inspect('app:1');
    assert.equal(image.Id, id);
    assert.deepEqual(image.RepoTags, ['app:1']);
    assert.deepEqual(image.Config?.Labels, { a: 'b' });
    assert.deepEqual([image.Os, image.Architecture, image.Created], ['linux', 'amd64', '2024-01-01T00:00:00Z']);
    assert.deepEqual(image.GraphDriver.Name, 'erofs');
    assert.equal(image.RootFS.Layers.length, 1);
    assert.ok(Date.parse(image.Metadata.LastTagTime) > 0);
  }));
