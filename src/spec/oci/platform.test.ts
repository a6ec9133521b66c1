import assert from 'node:assert/strict';
import test from 'node:test';
import type { Descriptor, Platform } from './image.ts';
import { bestMatch, formatPlatform, hostPlatform, parsePlatform, platformMatches } from './platform.ts';

const amd64: Platform = { os: 'linux', architecture: 'amd64' };
const entry = (text: string): Descriptor => ({
  mediaType: 'm',
  digest: text,
  size: 1,
  ...(text === '' ? {} : { platform: parsePlatform(text, amd64) }),
});
const choose = (want: string, ...have: string[]) => bestMatch(have.map(entry), parsePlatform(want, amd64))?.digest;

test('platforms are normalised', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['LINUX/aarch64', 'linux/arm64/v8'],
    ['arm64', 'linux/arm64/v8'],
    ['linux', 'linux/amd64'],
    ['armhf', 'linux/arm/v7'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['i386', 'linux/386'],
    ['windows/amd64', 'windows/amd64'],
  ];
  for (const [text, want] of cases) assert.equal(formatPlatform(parsePlatform(text, amd64)), want, text);
  assert.equal(formatPlatform(hostPlatform('x64')), 'linux/amd64');
  assert.equal(formatPlatform(hostPlatform('arm64')), 'linux/arm64/v8');
});

test('what is no platform is refused', () => {
  for (const text of ['', 'linux/', 'a/b/c/d', 'nonsense', 'linux/amd 64', '../x']) {
    assert.throws(() => parsePlatform(text, amd64), { code: 'platform.invalid' }, text);
  }
});

test('the best entry of an index is chosen', () => {
  assert.equal(choose('linux/amd64', 'linux/arm64', 'linux/amd64'), 'linux/amd64');
  assert.equal(choose('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm/v8'), 'linux/arm/v6');
  assert.equal(choose('linux/arm64', 'linux/arm/v7', 'linux/arm64/v8'), 'linux/arm64/v8');
  assert.equal(choose('linux/amd64/v3', 'linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'), 'linux/amd64/v2');
  assert.equal(choose('linux/amd64', 'linux/amd64/v3'), undefined);
  assert.equal(choose('linux/s390x', 'linux/amd64', 'windows/amd64'), undefined);
  assert.equal(choose('linux/amd64', '', 'linux/386'), 'linux/386');
  assert.equal(choose('linux/amd64', 'windows/amd64', ''), '');
});

test('an attestation entry (unknown/unknown) never matches', () => {
  assert.equal(platformMatches(amd64, { os: 'unknown', architecture: 'unknown' }), false);
});
