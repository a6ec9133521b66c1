import assert from 'node:assert/strict';
import test from 'node:test';
import { HoistError } from '../base/errors.ts';
import { tarOf } from '../base/tar.fixture.ts';
import { readTar } from '../base/tar.ts';
import type { Inode } from './layer-inode.ts';
import { type FinishedTree, layerTree } from './layer-tree.ts';
import { generousLimits } from './store.fixture.ts';

/** Reads an archive into a tree and checks what a snapshot writer relies on. */
function treeOf(archive: Uint8Array): FinishedTree {
  let open: Inode | undefined;
  let bytes = 0;
  const writer = {
    begin(inode: Inode) {
      assert.equal(open, undefined);
      open = inode;
      bytes = 0;
    },
    data: (piece: Uint8Array) => {
      bytes += piece.byteLength;
    },
    end() {
      assert.equal(bytes, open?.size);
      open = undefined;
    },
  };
  const tree = layerTree(writer, { limits: generousLimits, allowDevices: true });
  const reader = readTar(tree.sink);
  reader.write(archive);
  reader.end();
  return tree.finish();
}

function everyName(inode: Inode, names: string[] = []): string[] {
  for (const [name, child] of inode.children) {
    names.push(name);
    everyName(child, names);
  }
  return names;
}

test('an archive with any bytes changed is read or refused, and yields no name that is a path', () => {
  const honest = tarOf([
    { path: 'usr/', type: '5' },
    { path: 'usr/bin/tool', data: 'x'.repeat(700), pax: { mtime: '1.5', 'SCHILY.xattr.user.a': 'b' } },
    { path: 'usr/bin/link', type: '2', link: 'tool' },
    { path: 'usr/bin/hard', type: '1', link: 'usr/bin/tool' },
    { path: 'etc/.wh.passwd' },
    { path: '././@LongLink', type: 'L', data: `${'long/'.repeat(50)}\0` },
    { path: 'short', type: '5' },
  ]);
  // A generator with a fixed seed: a failure can be run again.
  let seed = 12345;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const archive = Buffer.from(honest);
    const header = random(honest.length / 512) * 512;
    for (let i = 0; i <= random(4); i++)
      archive[header + random(300)] = [0, 0x2e, 0x2f, 0x37, 0xff, random(256)][random(6)] as number;
    // Half of the time with a right checksum, so that what lies behind it is reached.
    if (random(2) === 0) sign(archive, header);
    try {
      const names = everyName(treeOf(archive).root);
      for (const name of names) assert.doesNotMatch(name, /^\.{0,2}$|\/|\0|^\.wh\./);
    } catch (error) {
      assert.ok(error instanceof HoistError, `round ${round}: ${error}`);
      refused++;
    }
  }
  assert.ok(refused > 500 && refused < 2900, `${refused} of 3000 were refused`);
});

function sign(archive: Buffer, at: number): void {
  archive.fill(0x20, at + 148, at + 156);
  const sum = archive.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  archive.write(`${sum.toString(8).padStart(6, '0')}\0`, at + 148, 'latin1');
}

test('whiteouts in a directory that is opaque anyway are dropped: a listing would show them', () => {
  const { root } = treeOf(
    tarOf([{ path: 'd/.wh..wh..opq' }, { path: 'd/.wh.x' }, { path: 'd/e/.wh.y' }, { path: 'f/.wh.z' }]),
  );
  assert.deepEqual(everyName(root), ['d', 'e', 'f', 'z']);
});
