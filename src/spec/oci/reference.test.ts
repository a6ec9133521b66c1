import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalName, familiarName, parseReference, withDefaultTag } from './reference.ts';

const hex = 'a'.repeat(64);

test('references have one canonical and one familiar form', () => {
  const cases: readonly (readonly [text: string, canonical: string, familiar: string])[] = [
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['docker.io/busybox:1', 'docker.io/library/busybox:1', 'busybox:1'],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['me/app', 'docker.io/me/app:latest', 'me/app:latest'],
    ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest', 'localhost:5000/app:latest'],
    ['localhost:5000/a/b:v1.2', 'localhost:5000/a/b:v1.2', 'localhost:5000/a/b:v1.2'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    ['ghcr.io/x/y', 'ghcr.io/x/y:latest', 'ghcr.io/x/y:latest'],
    ['Foo/bar', 'Foo/bar:latest', 'Foo/bar:latest'],
    [`busybox@sha256:${hex}`, `docker.io/library/busybox@sha256:${hex}`, `busybox@sha256:${hex}`],
    [`busybox:1@sha256:${hex}`, `docker.io/library/busybox:1@sha256:${hex}`, `busybox:1@sha256:${hex}`],
    ['a__b/c-d--e', 'docker.io/a__b/c-d--e:latest', 'a__b/c-d--e:latest'],
    ['x:5000', 'docker.io/library/x:5000', 'x:5000'],
  ];
  for (const [text, canonical, familiar] of cases) {
    const ref = withDefaultTag(parseReference(text));
    assert.equal(canonicalName(ref), canonical, text);
    assert.equal(familiarName(ref), familiar, text);
    assert.deepEqual(parseReference(canonicalName(ref)), ref, text);
  }
});

test('what is no reference is refused in Docker’s words', () => {
  const cases: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /^invalid reference format/],
    [' busybox', /^invalid reference format/],
    ['-x', /^invalid reference format/],
    ['a//b', /^invalid reference format/],
    ['a/../b', /^invalid reference format/],
    ['../etc/passwd', /^invalid reference format/],
    ['a:b:c', /^invalid reference format/],
    ['busybox:', /^invalid reference format/],
    ['busybox@', /^invalid reference format/],
    [`busybox:${'t'.repeat(129)}`, /^invalid reference format/],
    ['a___b', /^invalid reference format/],
    ['http://example.org/x', /^invalid reference format/],
    ['BusyBox', /^invalid reference format: repository name \(library\/BusyBox\) must be lowercase$/],
    ['me/App', /must be lowercase$/],
    [hex, /cannot specify 64-byte hexadecimal strings$/],
    [`busybox@sha256:${'a'.repeat(63)}`, /invalid checksum digest length/],
    [`busybox@md5:${'a'.repeat(32)}`, /unsupported digest algorithm/],
    [`busybox@sha256:${'A'.repeat(64)}`, /^invalid reference format/],
    [`x.io/${'a'.repeat(255)}`, /not be more than 255 characters/],
    ['busybox\n', /^invalid reference format/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseReference(text), { code: 'reference.invalid', message }, JSON.stringify(text));
  }
});
