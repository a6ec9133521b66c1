// The values of flags: sizes, durations, numbers.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseBytes, parseCpus, parseDuration, parseInt64 } from './values.ts';

test('sizes are binary, with or without a unit', () => {
  const sizes = {
    0: 0,
    100: 100,
    '512m': 536870912,
    '1.5g': 1610612736,
    '64KiB': 65536,
    '1kb': 1024,
    '2 T': 2 * 1024 ** 4,
    '.5k': 512,
    '7b': 7,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseBytes(text), bytes, text);
  for (const text of ['', 'x', '-1', '1kk', '1.g', 'g', '1e3'])
    assert.throws(() => parseBytes(text), { code: 'cli.value' }, text);
});

test('durations add up their parts', () => {
  const durations = {
    0: 0,
    '1s': 1e9,
    '1h2m3s': 3723e9,
    '1.5h': 5400e9,
    '-2m': -120e9,
    '10ms': 1e7,
    '1us': 1000,
    '.5s': 5e8,
  };
  for (const [text, ns] of Object.entries(durations)) assert.equal(parseDuration(text), ns, text);
  for (const text of ['', '5', 'x', '5x', '1s1', 's', '.s', '1h-2m'])
    assert.throws(() => parseDuration(text), { code: 'cli.value' }, text);
});

test('whole numbers may be hexadecimal, octal, grouped and signed', () => {
  const numbers = { '0x10': 16, '010': 8, '0o17': 15, '1_000': 1000, '-5': -5, '+7': 7, '0b11': 3 };
  for (const [text, value] of Object.entries(numbers)) assert.equal(parseInt64(text), value, text);
  for (const text of ['', '1.5', '1__0', '_1', '1_', '08', 'x', '9223372036854775808']) {
    assert.throws(() => parseInt64(text), { code: 'cli.value' }, text);
  }
});

test('--cpus is exact to the billionth', () => {
  assert.equal(parseCpus('0.5'), 500_000_000);
  assert.equal(parseCpus('1.2345'), 1_234_500_000);
  assert.equal(parseCpus('1/2'), 500_000_000);
  assert.throws(() => parseCpus('1/3'), { message: 'value is too precise' });
  assert.throws(() => parseCpus('1/0'), { code: 'cli.value' });
});
