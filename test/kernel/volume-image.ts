// An image as databases have it: a VOLUME with content, an owner of its own, links, devices, attributes, and traps.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { World } from './world.ts';

/** `name`, with `VOLUME /data`; and `plain-<name>`, the same without. Both are busybox's, too. */
export async function databaseImage(world: World, name: string): Promise<void> {
  const root = path.join(world.dir, 'image');
  const data = path.join(root, 'data');
  mkdirSync(path.join(data, 'sub'), { recursive: true });
  mkdirSync(path.join(root, 'bin'));
  mkdirSync(path.join(root, 'empty'));
  writeFileSync(path.join(data, 'file'), 'content\n');
  writeFileSync(path.join(data, 'secret'), '');
  const script = `
    cp "$(command -v busybox)" bin/busybox
    for each in sh cat ls stat readlink sleep true rm; do ln -s busybox bin/$each; done
    cd data
    ln file sub/hard
    ln -s /etc/nowhere link
    mkdir sub/deep
    mkfifo pipe
    mknod null c 1 3
    setfattr -n user.note -v kept file
    chmod 4755 secret && chmod 1777 sub/deep && chmod 700 .
    chown -h -R 999:998 . && chmod 4755 secret
    chown 0:5 null && chmod 600 pipe
    cd .. && chown 1234:4321 empty && chmod 1750 empty
    find . -depth -exec touch -h -d @1000000000 {} +
  `;
  symlinkSync(world.dir, path.join(root, 'evil'));
  symlinkSync(`${'../'.repeat(20)}${world.dir.slice(1)}`, path.join(root, 'evil2'));
  execFileSync('sh', ['-ec', script], { cwd: root });
  const archive = path.join(world.dir, 'image.tar');
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-cf', archive, '-C', root, '.']);
  const changes = ['--change', 'ENV PATH=/bin', '--change', 'CMD ["true"]'];
  assert.match(await world.ok(['import', ...changes, archive, `plain-${name}`]), /^sha256:/);
  await world.ok(['import', ...changes, '--change', 'VOLUME /data', archive, name]);
}
