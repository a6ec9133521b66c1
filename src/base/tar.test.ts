import assert from 'node:assert/strict';
import test from 'node:test';
import { HoistError } from './errors.ts';
import { paxRecords, type TarFixtureEntry, tarOf } from './tar.fixture.ts';
import { readTar } from './tar.ts';
import type { TarEntry } from './tar-entry.ts';

interface Read {
  readonly entry: TarEntry;
  readonly data: string;
}

function read(archive: Uint8Array, chunkSize = archive.length): { entries: Read[]; trailer: boolean } {
  const entries: Read[] = [];
  let current: TarEntry | undefined;
  let data = '';
  const reader = readTar({
    entry(entry) {
      assert.equal(current, undefined, 'entries do not overlap');
      current = entry;
      data = '';
    },
    data: (piece) => {
      data += Buffer.from(piece).toString('latin1');
    },
    endEntry() {
      assert.ok(current);
      assert.equal(data.length, current.size);
      entries.push({ entry: current, data });
      current = undefined;
    },
  });
  for (let at = 0; at < archive.length; at += chunkSize) reader.write(archive.subarray(at, at + chunkSize));
  return { entries, ...reader.end() };
}

function one(entry: TarFixtureEntry): TarEntry {
  const { entries } = read(tarOf([entry]));
  assert.equal(entries.length, 1);
  return (entries[0] as Read).entry;
}

function refuses(archive: Uint8Array, code: string, sentence: RegExp): void {
  assert.throws(
    () => read(archive),
    (error) => error instanceof HoistError && error.code === code && sentence.test(error.message),
  );
}

test('an archive reads the same however it is cut into chunks', () => {
  const archive = tarOf([
    { path: 'usr/', type: '5' },
    { path: `long/${'n'.repeat(150)}`, data: 'x'.repeat(1000), pax: { mtime: '12.5', 'SCHILY.xattr.user.a': 'b' } },
    { path: 'empty' },
    { path: 'full', data: 'y'.repeat(1024) },
    { path: 'link', type: '2', link: 'full' },
  ]);
  const whole = read(archive);
  assert.deepEqual(
    whole.entries.map(({ entry }) => entry.kind),
    ['directory', 'file', 'file', 'file', 'symlink'],
  );
  for (const size of [1, 7, 511, 512, 513, 1025]) assert.deepEqual(read(archive, size), whole);
});

test('ustar names have a prefix, GNU ones do not', () => {
  const prefix = (block: Buffer) => block.write('some/where', 345, 'latin1');
  assert.equal(one({ path: 'name', forge: prefix }).path, 'some/where/name');
  const gnu = (block: Buffer) => {
    prefix(block);
    block.write('ustar  \0', 257, 'latin1');
  };
  assert.equal(one({ path: 'name', forge: gnu }).path, 'name');
});

test('a name of exactly 100 bytes needs no terminator', () => {
  assert.equal(one({ path: 'n'.repeat(100) }).path, 'n'.repeat(100));
});

test('names are bytes, not text', () => {
  const forge = (block: Buffer) => block.set([0xff, 0xfe, 0x41], 0);
  assert.equal(one({ path: 'abc', forge }).path, '\xff\xfeA');
  assert.equal(one({ path: 'x', pax: { path: 'é' } }).path, '\xc3\xa9');
});

test('pax records override, and only for the next entry', () => {
  const pax = { path: 'b', uid: '3000000', gid: '7', mtime: '-1.5', comment: 'nothing' };
  const { entries } = read(tarOf([{ path: 'a', pax }, { path: 'c' }]));
  const [first, second] = entries.map(({ entry }) => entry);
  assert.deepEqual(
    { path: first?.path, uid: first?.uid, gid: first?.gid, mtime: first?.mtime, nsec: first?.mtimeNsec },
    { path: 'b', uid: 3000000, gid: 7, mtime: -2, nsec: 500_000_000 },
  );
  assert.equal(second?.path, 'c');
  assert.equal(second?.uid, 0);
});

test('global pax headers hold until the next one, an empty value takes a record away', () => {
  const global = (records: Record<string, string>) => ({ path: 'g', type: 'g', data: paxRecords(records) });
  const { entries } = read(
    tarOf([
      global({ uid: '5' }),
      { path: 'a' },
      { path: 'b', pax: { uid: '6' } },
      { path: 'c' },
      global({ uid: '' }),
      { path: 'd' },
    ]),
  );
  assert.deepEqual(
    entries.map(({ entry }) => entry.uid),
    [5, 6, 5, 0],
  );
});

test('GNU long names and long links', () => {
  const name = 'n'.repeat(300);
  const { entries } = read(
    tarOf([
      { path: '././@LongLink', type: 'L', data: `${name}\0` },
      { path: '././@LongLink', type: 'K', data: `${name}2\0` },
      { path: 'short', type: '2', link: 'short' },
      { path: 'after' },
    ]),
  );
  assert.equal(entries[0]?.entry.path, name);
  assert.equal(entries[0]?.entry.link, `${name}2`);
  assert.equal(entries[1]?.entry.path, 'after');
});

test('base-256 numbers', () => {
  const forge = (block: Buffer) => {
    block.fill(0, 108, 116);
    block[108] = 0x80;
    block.writeUInt32BE(4_000_000_000, 112);
    block.fill(0xff, 136, 148);
    block[147] = 0xfe;
  };
  const entry = one({ path: 'a', forge });
  assert.equal(entry.uid, 4_000_000_000);
  assert.equal(entry.mtime, -2);
});

test('extended attributes are bytes', () => {
  const value = new Uint8Array([0, 255, 10, 61]);
  const entry = one({ path: 'a', pax: { 'SCHILY.xattr.security.capability': value } });
  assert.deepEqual(Buffer.from(entry.xattrs.get('security.capability') ?? []), Buffer.from(value));
});

test('an old directory is known by its name', () => {
  assert.equal(one({ path: 'old/', type: '\0' }).kind, 'directory');
  assert.equal(one({ path: 'old', type: '\0' }).kind, 'file');
});

test('links and directories have no data, whatever their size field says', () => {
  const forge = (block: Buffer) => block.write('00000001000\0', 124, 'latin1');
  assert.equal(one({ path: 'l', type: '1', link: 'x', forge }).size, 0);
});

test('an archive may end without its mark, and says so', () => {
  assert.equal(read(tarOf([{ path: 'a', data: 'b' }], { trailer: false })).trailer, false);
  assert.equal(read(tarOf([{ path: 'a', data: 'b' }])).trailer, true);
  assert.deepEqual(read(Buffer.alloc(1024)), { entries: [], trailer: true });
});

test('what follows the end mark is not read', () => {
  assert.equal(read(Buffer.concat([tarOf([{ path: 'a' }]), Buffer.from('garbage')])).entries.length, 1);
});

test('truncated: in a header, in data, in padding, after a pax header', () => {
  const archive = tarOf([{ path: 'a', pax: { uid: '1' }, data: 'x'.repeat(700) }], { trailer: false });
  for (const end of [100, 512 + 5, 1024, 1200, 1536 + 600, 1536 + 700]) {
    refuses(archive.subarray(0, end), 'tar.truncated', /ends in the middle/);
  }
});

test('garbage', () => {
  refuses(Buffer.alloc(2048, 'hello '), 'tar.invalid', /number|checksum/);
});

test('wrong checksum', () => {
  const archive = tarOf([{ path: 'a' }]);
  archive[0] = 0x62;
  refuses(archive, 'tar.invalid', /checksum/);
});

test('a header after an end mark, by which two readers would see two archives', () => {
  refuses(
    Buffer.concat([tarOf([{ path: 'a' }], { trailer: false }), Buffer.alloc(512), tarOf([{ path: 'b' }])]),
    'tar.invalid',
    /end-of-archive/,
  );
});

test('negative size', () => {
  const forge = (block: Buffer) => block.fill(0xff, 124, 136);
  refuses(tarOf([{ path: 'a', forge }]), 'tar.invalid', /size is negative/);
  refuses(tarOf([{ path: 'a', pax: { size: '-1' } }]), 'tar.invalid', /size of a is not a number/);
});

test('absurd size', () => {
  const forge = (block: Buffer) => {
    block.fill(0xff, 124, 136);
    block[124] = 0x80;
  };
  refuses(tarOf([{ path: 'a', forge }]), 'tar.invalid', /size is absurd/);
  refuses(tarOf([{ path: 'a', pax: { size: '99999999999999999999' } }]), 'tar.invalid', /not a number/);
});

test('negative owner', () => {
  const forge = (block: Buffer) => block.fill(0xff, 108, 116);
  refuses(tarOf([{ path: 'a', forge }]), 'tar.invalid', /uid is negative/);
});

test('a pax header of 100 MB is refused before it is read', () => {
  const forge = (block: Buffer) => block.write('00575360400\0', 124, 'latin1');
  refuses(tarOf([{ path: 'x', type: 'x', forge }]), 'tar.invalid', /extended header of 100000000 bytes/);
  refuses(tarOf([{ path: 'x', type: 'L', forge }]), 'tar.invalid', /extended header of 100000000 bytes/);
});

test('NUL bytes in a pax name', () => {
  refuses(tarOf([{ path: 'a', pax: { path: 'etc/passwd\0.txt' } }]), 'tar.invalid', /NUL byte/);
  refuses(tarOf([{ path: 'a', type: '2', link: 'x', pax: { linkpath: 'y\0z' } }]), 'tar.invalid', /NUL byte/);
});

test('a name or link longer than a path can be', () => {
  refuses(tarOf([{ path: 'a/'.repeat(2049) }]), 'tar.invalid', /longer than 4096/);
  refuses(tarOf([{ path: 'a', type: '2', link: 'a/'.repeat(2049) }]), 'tar.invalid', /longer than 4096/);
});

test('no name at all', () => {
  refuses(tarOf([{ path: '', mode: 1 }]), 'tar.invalid', /no name/);
});

test('broken pax records', () => {
  for (const data of ['x', '5 a', '9999 a=b\n', '6 a=b\nx', '-6 a=b\n', '4 =\n', '6 ab\n\n', '0 a=b\n', '7 a=b\n']) {
    refuses(tarOf([{ path: 'x', type: 'x', data }, { path: 'a' }]), 'tar.invalid', /extended header is broken/);
  }
});

test('sparse files and unknown types are refused by name', () => {
  refuses(tarOf([{ path: 'holes', type: 'S' }]), 'tar.invalid', /holes is a sparse file/);
  refuses(tarOf([{ path: 'a', pax: { 'GNU.sparse.major': '1' } }]), 'tar.invalid', /a is a sparse file/);
  refuses(tarOf([{ path: 'a', type: 'Q' }]), 'tar.invalid', /unknown type "Q"/);
});

test('numbers that are no numbers', () => {
  refuses(
    tarOf([{ path: 'a', forge: (block) => block.write('00000009', 100, 'latin1') }]),
    'tar.invalid',
    /mode is not a number/,
  );
  refuses(tarOf([{ path: 'a', pax: { mtime: 'now' } }]), 'tar.invalid', /time of a/);
});
