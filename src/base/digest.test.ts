import assert from 'node:assert/strict';
import test from 'node:test';
import { isDigest, parseDigest, sha256Of } from './digest.ts';
import { isHoistError } from './errors.ts';

const abc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('digests of known bytes', () => {
  assert.equal(sha256Of('abc'), abc);
  assert.deepEqual(parseDigest(abc), { algorithm: 'sha256', hex: abc.slice(7) });
});

test('a digest that would be a path is no digest', () => {
  const bad = [
    'sha256:../../../../etc/passwd',
    'sha256:',
    abc.toUpperCase(),
    `${abc}0`,
    `${abc}\n`,
    `sha512:${abc.slice(7)}`,
    '..',
    '',
  ];
  for (const text of bad) {
    assert.ok(!isDigest(text), text);
    assert.throws(
      () => parseDigest(text),
      (error) => isHoistError(error, 'digest.invalid'),
    );
  }
});
