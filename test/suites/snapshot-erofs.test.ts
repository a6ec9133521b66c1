import { readFileSync } from 'node:fs';
import { run, snapshotSuite } from './snapshot.ts';

const isRoot = process.getuid?.() === 0;
const known = /\berofs\b/.test(readFileSync('/proc/filesystems', 'utf8'));

snapshotSuite('erofs', {
  options: { driver: 'erofs', allowDevices: true },
  skip: !isRoot ? 'mounting needs root' : !known ? 'this kernel has no erofs' : false,
  async view(layer, mountPoint) {
    if (layer.source.kind !== 'erofs') throw new Error('not an erofs layer');
    await run('mount', ['-t', 'erofs', '-o', 'ro', layer.source.file, mountPoint]);
    return mountPoint;
  },
});
