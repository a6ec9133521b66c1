import assert from 'node:assert/strict';
import test from 'node:test';
import { matcher, readTarget } from './path.ts';
import { isTrue, readFilters, readQuery } from './query.ts';
import { refusals } from './refusals.ts';
import { routes } from './routes.ts';

test('versions: none is the newest; outside is refused in Docker’s words', () => {
  assert.deepEqual([readTarget('/info').minor, readTarget('/info').path], [51, '/info']);
  assert.deepEqual([readTarget('/v1.24/info?a=b').minor, readTarget('/v1.24/info?a=b').path], [24, '/info']);
  assert.throws(() => readTarget('/v1.99/info'), {
    message: 'client version 1.99 is too new. Maximum supported API version is 1.51',
  });
  assert.throws(() => readTarget('/v2/info'), { message: /too new/ });
  assert.throws(() => readTarget('/v1.23/info'), { message: /client version 1\.23 is too old\. Minimum supported/ });
  assert.equal(readTarget('/v1.x/info').path, '/v1.x/info');
  assert.equal(readTarget('http://host:2375/v1.40/_ping').path, '/_ping');
});

test('tricks with paths are refused', () => {
  for (const path of [
    '/containers/../info',
    '/a/%2e%2e/b',
    '/images/a%2f..%2fb/json',
    '/a%00b',
    '/%',
    '/%zz',
    'x',
    '*',
  ])
    assert.throws(() => readTarget(path), { kind: 'invalid' }, path);
  assert.equal(readTarget('//containers//x/json').path, '/containers/x/json');
});

test('every endpoint is found by its own path, and by no other', () => {
  const find = matcher(routes);
  for (const [name, { method, path }] of Object.entries(routes)) {
    const example = path.replace(/\{\w+\*\}/g, 'host:5000/a/b').replace(/\{\w+\}/g, 'x1');
    assert.equal(find(method, example)?.name, name, `${method} ${example}`);
  }
  assert.deepEqual(find('GET', '/images/localhost:5000/a/b:c/json')?.params, { name: 'localhost:5000/a/b:c' });
  assert.equal(find('GET', '/images/json')?.name, 'ImageList');
  assert.equal(find('GET', '/networks/')?.name, 'NetworkList');
  assert.equal(find('GET', '/containers/a/b/json'), undefined);
  assert.equal(find('POST', '/info'), undefined);
});

test('what is refused does not hide an endpoint', () => {
  const find = matcher(routes);
  for (const { method, path } of Object.values(refusals))
    assert.equal(find(method, path.replace(/\{\w+\*?\}/g, 'x')), undefined, path);
});

test('true and false as Docker reads them', () => {
  for (const no of ['', '0', 'no', 'false', 'none', 'False', ' 0 ']) assert.equal(isTrue(no), false, no);
  for (const yes of ['1', 'true', 'yes', 'x', '-1']) assert.equal(isTrue(yes), true, yes);
});

test('parameters by kind', () => {
  const read = (text: string) =>
    readQuery(new URLSearchParams(text), {
      all: 'bool',
      limit: 'int',
      name: 'string',
      names: 'strings',
      since: 'time',
    });
  assert.deepEqual(read(''), { all: false, limit: undefined, name: '', names: [], since: undefined });
  assert.deepEqual(read('all=1&limit=-1&name=a+b&names=x&names=y&since=12.5'), {
    all: true,
    limit: -1,
    name: 'a b',
    names: ['x', 'y'],
    since: 12.5,
  });
  assert.throws(() => read('limit=x'), { kind: 'invalid', message: /limit/ });
  assert.throws(() => read('since=soon'), { kind: 'invalid', message: /since/ });
  assert.equal(read('since=2024-01-02T03:04:05.5Z')['since'], Date.UTC(2024, 0, 2, 3, 4, 5) / 1000 + 0.5);
  assert.ok(Math.abs(Number(read('since=10m')['since']) - (Date.now() / 1000 - 600)) < 2);
});

test('filters in both forms', () => {
  assert.deepEqual(readFilters('{"label":["a=b","c"]}'), { label: ['a=b', 'c'] });
  assert.deepEqual(readFilters('{"status":{"running":true,"dead":false}}'), { status: ['running'] });
  assert.deepEqual(readFilters(''), {});
  for (const bad of ['x', '[]', '{"a":"b"}', '{"a":{"b":1}}', '{"a":[1]}', '5'])
    assert.throws(() => readFilters(bad), { message: 'invalid filter' }, bad);
});
