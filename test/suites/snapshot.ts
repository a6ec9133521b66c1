// What every snapshotter must do with the same archives: one suite, run by a short test beside each. A `view` shows an
// unpacked layer as a directory (a mount, or the tree itself), so what is compared is what the kernel says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import type { TarFixtureEntry } from '../../src/base/tar.fixture.ts';
import { openStore, type StoreOptions } from '../../src/store/open.ts';
import { unpackEntries } from '../../src/store/store.fixture.ts';
import type { LayerInfo } from '../../src/store/store.ts';

export const run = promisify(execFile);

export interface SnapshotSuite {
  readonly options: Omit<StoreOptions, 'root'>;
  /** Shows the layer at the directory that it returns; `mountPoint` exists and is empty. */
  readonly view: (layer: LayerInfo, mountPoint: string) => Promise<string>;
  /** Why this cannot run here; false where it can. */
  readonly skip: string | false;
}

/** Runs the suite for one snapshotter; `name` starts each test's name. */
export function snapshotSuite(name: string, suite: SnapshotSuite): void {
  async function withView<T>(
    entries: readonly TarFixtureEntry[][],
    look: (views: string[], layers: LayerInfo[], scratch: string) => Promise<T>,
  ) {
    const scratch = await mkdtemp(join(tmpdir(), 'hoist-snapshot-'));
    const views: string[] = [];
    try {
      const store = await openStore({ ...suite.options, root: join(scratch, 'root') });
      const layers: LayerInfo[] = [];
      for (const [i, list] of entries.entries()) {
        const layer = await unpackEntries(store, list);
        const mountPoint = join(scratch, `view${i}`);
        await mkdir(mountPoint);
        layers.push(layer);
        views.push(await suite.view(layer, mountPoint));
      }
      await look(views, layers, scratch);
    } finally {
      for (const view of views) await run('umount', [view]).catch(() => {});
      await rm(scratch, { recursive: true, force: true });
    }
  }
  const check = (title: string, work: () => Promise<void>) => test(`${name}: ${title}`, { skip: suite.skip }, work);

  check('contents, modes, owners, times and link counts', () =>
    withView(
      [
        [
          { path: './', type: '5', mode: 0o711, mtime: 50 },
          { path: './bin/', type: '5', mode: 0o755, uid: 1, gid: 2, mtime: 100 },
          {
            path: './bin/su',
            mode: 0o4755,
            uid: 0,
            data: 'x'.repeat(5000),
            mtime: 200,
            pax: { mtime: '200.123456789' },
          },
          { path: './bin/ls', type: '1', link: './bin/su' },
          { path: './empty', mode: 0o600, uid: 1000, gid: 70_000 },
          { path: './tmp', type: '5', mode: 0o1777 },
          { path: './lib', type: '2', link: '../../usr/lib', uid: 5 },
          { path: './pipe', type: '6', mode: 0o640 },
          { path: './dev/null', type: '3', mode: 0o666, major: 1, minor: 3 },
          { path: './dev/sda', type: '4', mode: 0o660, major: 259, minor: 70_000 },
        ],
      ],
      async ([view = ''], [layer]) => {
        const at = (path: string) => lstat(join(view, path), { bigint: true });
        const su = await at('bin/su');
        assert.equal(su.mode & 0o7777n, 0o4755n);
        assert.equal(su.size, 5000n);
        assert.equal(su.nlink, 2n);
        assert.equal(su.ino, (await at('bin/ls')).ino);
        // Node sets times as doubles, so the directory form keeps microseconds.
        assert.equal(su.mtimeNs / 1000n, 200_123_456n);
        assert.equal(await readFile(join(view, 'bin/ls'), 'utf8'), 'x'.repeat(5000));
        const root = await at('');
        assert.deepEqual([root.mode & 0o7777n, root.mtimeNs], [0o711n, 50_000_000_000n]);
        const bin = await at('bin');
        assert.deepEqual([bin.uid, bin.gid, bin.mtimeNs], [1n, 2n, 100_000_000_000n]);
        const empty = await at('empty');
        assert.deepEqual([empty.size, empty.uid, empty.gid], [0n, 1000n, 70_000n]);
        assert.equal((await at('tmp')).mode & 0o7777n, 0o1777n);
        assert.equal(await readlink(join(view, 'lib')), '../../usr/lib');
        assert.equal((await at('lib')).uid, 5n);
        assert.ok((await at('pipe')).isFIFO());
        const device = await at('dev/null');
        assert.ok(device.isCharacterDevice());
        assert.equal(device.rdev, 0x103n);
        const disk = await at('dev/sda');
        assert.ok(disk.isBlockDevice());
        assert.equal(disk.rdev, BigInt((70_000 & 0xff) | (259 << 8) | ((70_000 & ~0xff) << 12)));
        assert.deepEqual((await readdir(view)).sort(), ['bin', 'dev', 'empty', 'lib', 'pipe', 'tmp']);
        assert.equal((await at('dev')).mode & 0o7777n, 0o755n, 'a directory that the archive does not name is 0755');
        assert.equal(layer?.size, 5000);
      },
    ),
  );

  check('directories of thousands of names, names of every byte', () => {
    const names = Array.from({ length: 3000 }, (_, i) => `name-${'x'.repeat(i % 40)}-${i}`);
    const odd = ['!', '-', '...', 'é', '\u{1f600}', ' ', '"quoted"', 'new\nline', 'x'.repeat(255)];
    return withView(
      [[...names, ...odd].map((file, i) => ({ path: `d/${file}`, data: String(i) }))],
      async ([view = '']) => {
        assert.deepEqual((await readdir(join(view, 'd'))).sort(), [...names, ...odd].sort());
        for (const i of [0, 1, 1499, 2999]) {
          assert.equal(await readFile(join(view, 'd', names[i] ?? ''), 'utf8'), String(i));
        }
        for (const [i, file] of odd.entries())
          assert.equal(await readFile(join(view, 'd', file), 'utf8'), String(3000 + i));
        await assert.rejects(lstat(join(view, 'd/absent')), { code: 'ENOENT' });
      },
    );
  });

  check('contents of every size around a block', () => {
    const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 8192, 100_000, 3_000_000];
    return withView(
      [sizes.map((size) => ({ path: `f${size}`, data: Buffer.alloc(size, `${size} `) }))],
      async ([view = '']) => {
        for (const size of sizes) {
          assert.ok((await readFile(join(view, `f${size}`))).equals(Buffer.alloc(size, `${size} `)), String(size));
        }
      },
    );
  });

  check('symlinks of every length', () => {
    const targets = [1, 100, 3000, 3900, 4000, 4031, 4032, 4095].map((length) => 't'.repeat(length));
    return withView([targets.map((link) => ({ path: `l${link.length}`, type: '2', link }))], async ([view = '']) => {
      for (const target of targets) assert.equal(await readlink(join(view, `l${target.length}`)), target);
    });
  });

  check('a later entry of the same name takes the place of an earlier one', () =>
    withView(
      [
        [
          { path: 'a', data: 'old' },
          { path: 'hard', type: '1', link: 'a' },
          { path: 'a', data: 'new' },
          { path: 'd/x', data: '1' },
          { path: 'd', type: '5', mode: 0o700 },
          { path: 'e/x', data: '1' },
          { path: 'e', data: 'a file now' },
          { path: 'l', type: '2', link: 'd' },
          { path: 'l', type: '5' },
          { path: 'l/y', data: '2' },
        ],
      ],
      async ([view = ''], [layer]) => {
        assert.equal(await readFile(join(view, 'a'), 'utf8'), 'new');
        assert.equal(await readFile(join(view, 'hard'), 'utf8'), 'old');
        assert.equal((await lstat(join(view, 'a'))).nlink, 1);
        assert.equal(await readFile(join(view, 'd/x'), 'utf8'), '1', 'a directory keeps its children');
        assert.equal((await lstat(join(view, 'd'))).mode & 0o777, 0o700);
        assert.equal(await readFile(join(view, 'e'), 'utf8'), 'a file now');
        assert.equal(await readFile(join(view, 'l/y'), 'utf8'), '2');
        await assert.rejects(lstat(join(view, 'd/y')), { code: 'ENOENT' });
        assert.equal(layer?.size, 'new'.length + 'old'.length + 1 + 'a file now'.length + 1);
      },
    ),
  );

  check('extended attributes that an image may bring, and none that steer overlayfs or this host', () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const pax = {
      'SCHILY.xattr.security.capability': capability,
      'SCHILY.xattr.user.note': 'hello',
      'SCHILY.xattr.user.long': 'v'.repeat(3000),
      'SCHILY.xattr.user.overlay.redirect': '/etc',
      'SCHILY.xattr.trusted.overlay.redirect': '/etc',
      'SCHILY.xattr.trusted.overlay.metacopy': '',
      'SCHILY.xattr.security.selinux': 'label',
    };
    return withView(
      [
        [
          { path: 'ping', data: 'x', pax },
          { path: 'd', type: '5', pax },
        ],
      ],
      async ([view = ''], [layer]) => {
        for (const path of ['ping', 'd']) {
          const { stdout } = await run('getfattr', [
            '-d',
            '-m',
            '-',
            '-e',
            'hex',
            '--absolute-names',
            join(view, path),
          ]);
          const found = stdout.split('\n').filter((line) => line.includes('=') && !line.startsWith('#'));
          assert.deepEqual(found.sort(), [
            `security.capability=0x${capability.toString('hex')}`,
            `user.long=0x${Buffer.from('v'.repeat(3000)).toString('hex')}`,
            'user.note=0x68656c6c6f',
          ]);
        }
        assert.equal(layer?.pending.length, 0);
      },
    );
  });

  check('whiteouts and opaque directories hide what is below them in an overlay', () =>
    withView(
      [
        [
          { path: 'gone', data: '1' },
          { path: 'kept', data: '1' },
          { path: 'dir/gone', data: '1' },
          { path: 'dir/kept', data: '1' },
          { path: 'opaque/lower', data: '1' },
          { path: 'replaced/lower', data: '1' },
          { path: 'tree/deep/file', data: '1' },
        ],
        [
          { path: '.wh.gone' },
          { path: 'dir/.wh.gone' },
          { path: 'dir/new', data: '2' },
          { path: 'opaque/.wh.lower' },
          { path: 'opaque/.wh..wh..opq' },
          { path: 'opaque/upper', data: '2' },
          { path: '.wh.replaced' },
          { path: 'replaced/upper', data: '2' },
          { path: '.wh.tree' },
          { path: '.wh..wh.plnk' },
        ],
      ],
      async ([lower = '', upper = ''], _layers, scratch) => {
        const merged = join(scratch, 'merged');
        await mkdir(merged);
        await run('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=${upper}:${lower}`, merged]);
        try {
          assert.deepEqual((await readdir(merged)).sort(), ['dir', 'kept', 'opaque', 'replaced']);
          assert.deepEqual((await readdir(join(merged, 'dir'))).sort(), ['kept', 'new']);
          assert.deepEqual(await readdir(join(merged, 'opaque')), ['upper']);
          assert.deepEqual(await readdir(join(merged, 'replaced')), ['upper']);
        } finally {
          await run('umount', [merged]);
        }
      },
    ),
  );
}
