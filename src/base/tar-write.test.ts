import assert from 'node:assert/strict';
import test from 'node:test';
import { readTar } from './tar.ts';
import type { TarEntry } from './tar-entry.ts';
import { type TarOutput, tarHeader, tarPadding, tarTrailer } from './tar-write.ts';

const plain: TarOutput = { kind: 'file', path: 'a', link: '', size: 0, mode: 0o644, uid: 0, gid: 0, mtime: 1 };

function readBack(entry: TarOutput, data = ''): TarEntry {
  const seen: TarEntry[] = [];
  const reader = readTar({ entry: (one) => void seen.push(one), data: () => {}, endEntry: () => {} });
  const bytes = Buffer.from(data);
  reader.write(Buffer.concat([tarHeader(entry), bytes, tarPadding(bytes.length), tarTrailer()]));
  reader.end();
  assert.equal(seen.length, 1);
  return seen[0] as TarEntry;
}

function same(entry: TarOutput, data = ''): void {
  const read = readBack(entry, data);
  const expected = { mtimeNsec: 0, major: 0, minor: 0, xattrs: new Map(), ...entry };
  assert.deepEqual(
    { ...read, xattrs: [...read.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]) },
    { ...expected, xattrs: [...expected.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]) },
  );
}

test('every kind of entry is read as it was written', () => {
  same({ ...plain, size: 5 }, 'hello');
  same({ ...plain, kind: 'directory', path: 'd/', mode: 0o1777 });
  same({ ...plain, kind: 'symlink', link: '../x' });
  same({ ...plain, kind: 'hardlink', link: 'b' });
  same({ ...plain, kind: 'char', major: 1, minor: 3 });
  same({ ...plain, kind: 'block', major: 259, minor: 70000 });
  same({ ...plain, kind: 'fifo', mode: 0o4755 });
});

test('names that ustar can hold need no extended header', () => {
  const long = `${'d'.repeat(90)}/${'e'.repeat(60)}/${'f'.repeat(99)}`;
  assert.equal(tarHeader({ ...plain, path: long }).length, 512);
  same({ ...plain, path: long });
});

test('what ustar cannot say goes into an extended header', () => {
  same({ ...plain, path: 'n'.repeat(300) });
  same({ ...plain, path: `${'n'.repeat(200)}/`, kind: 'directory' });
  same({ ...plain, kind: 'symlink', link: 'l'.repeat(400) });
  same({ ...plain, path: Buffer.from('grüße').toString('latin1') });
  same({ ...plain, path: '\xff\xfe' });
  same({ ...plain, uid: 4_000_000_000, gid: 3_000_000 });
  same({ ...plain, mtime: -5 });
  same({ ...plain, mtime: 1_700_000_000, mtimeNsec: 123_456_789 });
  same({ ...plain, mtime: 7, mtimeNsec: 5_000 });
  same({
    ...plain,
    xattrs: new Map([
      ['user.a', Buffer.from('b\0\n=')],
      ['security.capability', Buffer.alloc(20, 7)],
    ]),
  });
});

test('a size of more than eight gigabytes', () => {
  const header = tarHeader({ ...plain, size: 2 ** 40 + 1 });
  const seen: number[] = [];
  const reader = readTar({ entry: ({ size }) => void seen.push(size), data: () => {}, endEntry: () => {} });
  reader.write(header);
  assert.deepEqual(seen, [2 ** 40 + 1]);
});
