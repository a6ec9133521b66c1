import assert from 'node:assert/strict';
import test from 'node:test';
import { absolute, destinationOf, rebased, splitEnd, splitPath } from './copy-paths.ts';

test('which side is a container', () => {
  assert.deepEqual(splitEnd('web:/etc'), { container: 'web', path: '/etc' });
  assert.deepEqual(splitEnd('web:etc:x'), { container: 'web', path: 'etc:x' });
  for (const local of ['/a:b', './a:b', '../a:b', 'file', '-'])
    assert.deepEqual(splitEnd(local), { container: '', path: local });
});

test('a path and its last name; a dot at the end stays', () => {
  const cases: [path: string, dir: string, base: string][] = [
    ['/a/b', '/a', 'b'],
    ['/a/b/', '/a', 'b'],
    ['/a/b/.', '/a/b', '.'],
    ['/a', '/', 'a'],
    ['/', '/', '/'],
    ['/.', '/', '.'],
    ['a', '.', 'a'],
    ['.', '.', '.'],
    ['/a/../b', '/', 'b'],
  ];
  for (const [path, dir, base] of cases) assert.deepEqual(splitPath(path), { dir, base }, path);
});

test('a local path keeps the slash or dot at its end', () => {
  assert.equal(absolute('/home', 'a/'), '/home/a/');
  assert.equal(absolute('/home', 'a/.'), '/home/a/.');
  assert.equal(absolute('/home', '.'), '/home/.');
  assert.equal(absolute('/home', '/'), '/');
  assert.deepEqual(rebased('/l/', '/target'), { path: '/target/', base: 'l' });
  assert.deepEqual(rebased('/l/.', '/target'), { path: '/target/.', base: '.' });
});

test('where a copy goes and what it is called there', () => {
  const file = { path: '/s/f', base: 'f', exists: true, directory: false };
  const directory = { path: '/s/d', base: 'd', exists: true, directory: true };
  const there = (path: string, isDirectory: boolean) => ({ path, exists: true, directory: isDirectory });
  const missing = (path: string) => ({ path, exists: false, directory: false });
  assert.deepEqual(destinationOf(file, there('/t', true)), { directory: '/t', name: undefined });
  assert.deepEqual(destinationOf(file, there('/t/x', false)), { directory: '/t', name: 'x' });
  assert.deepEqual(destinationOf(file, missing('/t/new')), { directory: '/t', name: 'new' });
  assert.deepEqual(destinationOf(directory, missing('/t/new/')), { directory: '/t', name: 'new' });
  assert.throws(() => destinationOf(file, missing('/t/new/')), /no such directory/);
  assert.throws(() => destinationOf(directory, there('/t/x', false)), /cannot copy directory/);
});
