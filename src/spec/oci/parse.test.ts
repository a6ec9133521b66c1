import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../../base/errors.ts';
import { mediaTypes } from './image.ts';
import { documentLimits, parseImageConfig, parseIndex, parseManifest, parseManifestOrIndex } from './parse.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const blob = { mediaType: 'x/y', digest, size: 3 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [blob] };
const index = {
  schemaVersion: 2,
  manifests: [{ ...blob, platform: { os: 'linux', architecture: 'amd64', variant: '' } }],
};
const config = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest] } };

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function refuses(work: () => unknown, code: string, sentence: RegExp): void {
  assert.throws(work, (error) => {
    assert.ok(isHoistError(error, code), String(error));
    assert.match(error.message, sentence);
    assert.ok(!error.message.includes('\n'));
    return true;
  });
}

test('a manifest, with null for absent and unknown members dropped', () => {
  assert.deepEqual(parseManifest(bytes({ ...manifest, annotations: null, extra: 1 })), manifest);
});

test('a document without a media type takes the one that the server said, or its shape', () => {
  const { mediaType: _, ...bare } = manifest;
  assert.equal(
    parseManifest(bytes(bare), `${mediaTypes.dockerManifest}; charset=utf-8`).mediaType,
    mediaTypes.dockerManifest,
  );
  assert.equal(parseManifest(bytes(bare), 'text/plain').mediaType, mediaTypes.ociManifest);
  assert.equal(parseIndex(bytes(index), mediaTypes.dockerIndex).mediaType, mediaTypes.dockerIndex);
});

test('an index, with empty variants as absent', () => {
  assert.deepEqual(parseIndex(bytes(index)).manifests[0]?.platform, { os: 'linux', architecture: 'amd64' });
  assert.ok('manifests' in parseManifestOrIndex(bytes(index)));
  refuses(() => parseManifest(bytes(index)), 'manifest.invalid', /index/);
  refuses(() => parseIndex(bytes(manifest)), 'manifest.invalid', /manifest of one image/);
});

test('a document that is image and index at once (GHSA-77vh-xpmg-72qh)', () => {
  refuses(() => parseManifestOrIndex(bytes({ ...manifest, ...index })), 'manifest.invalid', /at once/);
  refuses(
    () => parseManifest(bytes({ ...manifest, mediaType: mediaTypes.ociIndex })),
    'manifest.invalid',
    /calls itself/,
  );
});

test('manifests that are broken in one place', () => {
  const cases: [unknown, RegExp][] = [
    ['', /not JSON/],
    ['<html>', /not JSON/],
    ['[]', /not a JSON object/],
    ['null', /not a JSON object/],
    [{ ...manifest, schemaVersion: '2' }, /schemaVersion/],
    [{ schemaVersion: 1, fsLayers: [] }, /schema version 1/],
    [{ ...manifest, layers: undefined }, /layers is missing/],
    [{ ...manifest, layers: {} }, /layers is not a list/],
    [{ ...manifest, config: [] }, /config is not an object/],
    [{ ...manifest, layers: [blob, { ...blob, size: -1 }] }, /layers\[1\]\.size/],
    [{ ...manifest, layers: [{ ...blob, size: 1.5 }] }, /layers\[0\]\.size/],
    [{ ...manifest, layers: [{ ...blob, size: '3' }] }, /layers\[0\]\.size/],
    [{ ...manifest, layers: [{ ...blob, digest: 'sha256:../../x' }] }, /layers\[0\]\.digest/],
    [{ ...manifest, layers: [{ ...blob, mediaType: 1 }] }, /layers\[0\]\.mediaType/],
    [{ ...manifest, annotations: { a: 1 } }, /annotations\["a"\]/],
  ];
  for (const [value, sentence] of cases) refuses(() => parseManifest(bytes(value)), 'manifest.invalid', sentence);
  refuses(() => parseManifest(Buffer.from([0x7b, 0xff, 0x7d])), 'manifest.invalid', /not JSON/);
});

test('a manifest of 100 MB is refused by its size alone', () => {
  refuses(
    () => parseManifest(Buffer.alloc(100 << 20)),
    'manifest.invalid',
    new RegExp(String(documentLimits.manifest)),
  );
});

test('a configuration as Go programs write it', () => {
  const run = {
    Env: ['A=b'],
    Cmd: null,
    Entrypoint: ['/x'],
    ExposedPorts: { '80/tcp': {} },
    Labels: { a: 'b' },
    Healthcheck: { Test: ['NONE'], Retries: 3 },
  };
  const parsed = parseImageConfig(
    bytes({ ...config, config: run, history: [{ created_by: 'x', empty_layer: true }], Unknown: {} }),
  );
  assert.deepEqual(parsed, {
    ...config,
    config: {
      Env: ['A=b'],
      Entrypoint: ['/x'],
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
      Healthcheck: { Test: ['NONE'], Retries: 3 },
    },
    history: [{ created_by: 'x', empty_layer: true }],
  });
});

test('configurations that are broken in one place', () => {
  const cases: [unknown, RegExp][] = [
    [{ ...config, rootfs: undefined }, /rootfs is missing/],
    [{ ...config, rootfs: { type: 'disk' } }, /rootfs\.type/],
    [{ ...config, rootfs: { type: 'layers', diff_ids: ['abc'] } }, /diff_ids\[0\]/],
    [{ ...config, config: { Env: 'A=b' } }, /config\.Env/],
    [{ ...config, config: { Env: [1] } }, /config\.Env\[0\]/],
    [{ ...config, config: { Volumes: ['/data'] } }, /config\.Volumes/],
    [{ ...config, config: { Healthcheck: { Interval: -1 } } }, /Healthcheck\.Interval/],
    [{ ...config, history: [{ empty_layer: 'yes' }] }, /history\[0\]\.empty_layer/],
    [{ ...config, os: 3 }, /os is not a string/],
  ];
  for (const [value, sentence] of cases) refuses(() => parseImageConfig(bytes(value)), 'config.invalid', sentence);
});

test('a key named __proto__ is only a key', () => {
  const text = JSON.stringify({ ...config, config: {} }).replace(
    '"config":{}',
    '"config":{"Labels":{"__proto__":"x"}}',
  );
  const labels = parseImageConfig(bytes(text)).config?.Labels ?? {};
  assert.deepEqual(Object.keys(labels), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});
