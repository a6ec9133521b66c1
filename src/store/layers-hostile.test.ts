// Every kind of layer that is not honest. Each refusal must be one sentence and leave nothing behind.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { sha256Of } from '../base/digest.ts';
import { HoistError, isHoistError } from '../base/errors.ts';
import { type TarFixtureEntry, tarOf } from '../base/tar.fixture.ts';
import {
  drivers,
  generousLimits,
  nothingLeft,
  scratchStore,
  simple,
  unpackBytes,
  unpackEntries,
  zstdSimple,
} from './store.fixture.ts';
import type { LayerStore } from './store.ts';

type Options = Partial<Parameters<LayerStore['unpack']>[1]>;

/** Both snapshotters refuse these bytes with this code and a sentence like this one, and nothing is left. */
async function refuses(
  t: TestContext,
  bytes: Uint8Array,
  code: string,
  sentence: RegExp,
  options: Options = {},
): Promise<void> {
  for (const driver of drivers) {
    const store = await scratchStore(t, { driver });
    await assert.rejects(unpackBytes(store, bytes, options), (error) => {
      assert.ok(error instanceof HoistError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, sentence);
      assert.doesNotMatch(error.message, /\n|\.$/);
      return true;
    });
    await nothingLeft(store);
  }
}

const refusesEntries = (t: TestContext, entries: readonly TarFixtureEntry[], sentence: RegExp) =>
  refuses(t, tarOf(entries), 'layer.invalid', sentence);

test('attack: ../ in a name', async (t) => {
  for (const path of ['../escape', 'a/../../escape', '/../escape', 'a/..', '..']) {
    await refusesEntries(t, [{ path }], /has \.\. in its name/);
  }
});

test('attack: writing through a symlink of the same layer', async (t) => {
  await refusesEntries(
    t,
    [
      { path: 'out', type: '2', link: '/etc' },
      { path: 'out/passwd', data: 'x' },
    ],
    /out\/passwd lies below out, which is a symlink/,
  );
  await refusesEntries(
    t,
    [
      { path: 'a/out', type: '2', link: '../../..' },
      { path: 'a/out/b/c', type: '5' },
    ],
    /lies below out/,
  );
});

test('attack: an entry below a file or a whiteout', async (t) => {
  await refusesEntries(t, [{ path: 'f', data: 'x' }, { path: 'f/y' }], /which is a file/);
  await refusesEntries(t, [{ path: '.wh.x/y' }], /below a whiteout/);
});

test('attack: a symlink swapped in for a directory between two entries', async (t) => {
  const entries = [
    { path: 'd/a', data: '1' },
    { path: 'd', type: '2', link: '/' },
    { path: 'd/b', data: '2' },
  ];
  await refusesEntries(t, entries, /lies below d, which is a symlink/);
});

test('attack: hard links out of the layer', async (t) => {
  for (const link of ['/etc/passwd', 'absent', 'a/../../etc/passwd', '../x']) {
    await refusesEntries(
      t,
      [{ path: 'a/x' }, { path: 'h', type: '1', link }],
      /h is a hard link to .*, which (is not in this layer|has \.\. in its name)/,
    );
  }
  await refusesEntries(
    t,
    [
      { path: 's', type: '2', link: '/etc' },
      { path: 'h', type: '1', link: 's/passwd' },
    ],
    /not in this layer/,
  );
  await refusesEntries(t, [{ path: '.wh.x' }, { path: 'h', type: '1', link: 'x' }], /not in this layer/);
  await refusesEntries(
    t,
    [
      { path: 'd', type: '5' },
      { path: 'h', type: '1', link: 'd' },
    ],
    /which is a directory/,
  );
});

test('attack: device nodes where they are not allowed', async (t) => {
  for (const type of ['3', '4']) {
    const store = await scratchStore(t, { allowDevices: false });
    const attempt = unpackEntries(store, [{ path: 'dev/sda', type, major: 8 }]);
    await assert.rejects(
      attempt,
      (error) => isHoistError(error, 'layer.invalid') && /dev\/sda is a device/.test(error.message),
    );
    await nothingLeft(store);
  }
  const store = await scratchStore(t, { allowDevices: false });
  await unpackEntries(store, [{ path: '.wh.x' }]);
});

test('attack: device numbers and owners that Linux does not have', async (t) => {
  const base256 = (at: number) => (block: Buffer) => {
    block.fill(0xff, at + 1, at + 8);
    block[at] = 0x80;
    block.fill(0, at + 1, at + 3);
  };
  await refusesEntries(t, [{ path: 'd', type: '3', forge: base256(329) }], /device number/);
  await refusesEntries(t, [{ path: 'd', forge: base256(108) }], /owner/);
});

test('attack: names that are too long', async (t) => {
  await refusesEntries(t, [{ path: 'n'.repeat(256) }], /longer than 255/);
  await refusesEntries(t, [{ path: `${'n'.repeat(256)}/x` }], /longer than 255/);
  await refusesEntries(t, [{ path: 'n/'.repeat(2049) }], /longer than 4096/);
  await unpackEntries(await scratchStore(t), [{ path: 'n'.repeat(255) }, { path: 'n/'.repeat(2047) }]);
});

test('attack: NUL bytes, a whiteout of nothing, a file in place of the root', async (t) => {
  await refusesEntries(t, [{ path: 'a', pax: { path: 'a\0b' } }], /NUL byte/);
  for (const path of ['.wh.', '.wh..', '.wh...', 'd/.wh.']) await refusesEntries(t, [{ path }], /whiteout of no name/);
  for (const path of ['./', '/', '.']) await refusesEntries(t, [{ path, data: 'x' }], /takes the place of the root/);
  await refusesEntries(t, [{ path: 'l', type: '2', link: '' }], /symlink to nothing/);
});

test('attack: extended attributes of megabytes', async (t) => {
  await refusesEntries(t, [{ path: 'a', pax: { 'SCHILY.xattr.user.x': 'v'.repeat(70_000) } }], /extended attributes/);
  const many = Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'v'.repeat(60_000)]));
  await refusesEntries(t, [{ path: 'a', pax: many }], /extended attributes/);
  await refusesEntries(
    t,
    [{ path: 'a', pax: { [`SCHILY.xattr.user.${'n'.repeat(300)}`]: 'v' } }],
    /extended attributes/,
  );
});

test('attack: a pax header of 100 MB', async (t) => {
  const forge = (block: Buffer) => block.write('00575360400\0', 124, 'latin1');
  await refusesEntries(t, [{ path: 'x', type: 'x', forge }], /extended header of 100000000 bytes/);
});

test('attack: a decompression bomb', async (t) => {
  const bomb = gzipSync(tarOf([{ path: 'zeros', data: Buffer.alloc(50 << 20) }]));
  assert.ok(bomb.length < 100_000);
  const limits = { ...generousLimits, maxLayerBytes: 10 << 20 };
  await refuses(t, bomb, 'layer.too_large', /more than the 10485760 bytes/, { limits });
});

test('attack: more entries than allowed, also those that only a deep name implies', async (t) => {
  const limits = { ...generousLimits, maxLayerEntries: 100 };
  const many = tarOf(Array.from({ length: 101 }, (_, i) => ({ path: String(i) })));
  await refuses(t, many, 'layer.too_large', /more than the 100 files/, { limits });
  await refuses(t, tarOf([{ path: 'd/'.repeat(200) }]), 'layer.too_large', /more than the 100 files/, { limits });
  await refuses(t, tarOf(Array.from({ length: 101 }, (_, i) => ({ path: `.wh.${i}` }))), 'layer.too_large', /100/, {
    limits,
  });
});

test('attack: wrong checksum of the whole', async (t) => {
  await refuses(t, gzipSync(simple), 'layer.diffid_mismatch', /unpacks to other content/, {
    diffId: sha256Of('other'),
  });
});

test('truncated gzip, truncated zstd, truncated archive', async (t) => {
  const gzip = gzipSync(simple);
  for (const end of [5, 15, gzip.length >> 1, gzip.length - 1]) {
    await refuses(t, gzip.subarray(0, end), 'layer.truncated', /gzip stream ends too early/, { compression: 'gzip' });
  }
  await refuses(t, zstdSimple().subarray(0, 30_000), 'layer.truncated', /zstd stream ends too early/, {
    compression: 'zstd',
  });
  for (const end of [100, 600, 3000, 70_000])
    await refuses(t, simple.subarray(0, end), 'layer.truncated', /in the middle/);
  await refuses(t, simple.subarray(0, simple.length - 1024), 'layer.truncated', /without its end mark/);
  await refuses(t, Buffer.alloc(0), 'layer.truncated', /without its end mark/);
});

test('garbage of every kind', async (t) => {
  await refuses(t, Buffer.from('hello '.repeat(1000)), 'layer.invalid', /not a valid tar archive/);
  await refuses(t, Buffer.from('hello '.repeat(1000)), 'layer.invalid', /not a gzip stream/, { compression: 'gzip' });
  await refuses(t, Buffer.from('hello '.repeat(1000)), 'layer.invalid', /not a zstd stream/, { compression: 'zstd' });
  const broken = gzipSync(simple);
  broken.fill(0xff, 30, 60);
  await refuses(t, broken, 'layer.invalid', /not a gzip stream|not a valid tar/);
  await refuses(t, gzipSync(gzipSync(randomBytes(2000))), 'layer.invalid', /not a valid tar archive/);
  await refuses(t, Buffer.from('fd377a585a000004', 'hex'), 'layer.compression', /xz are not supported/);
});
