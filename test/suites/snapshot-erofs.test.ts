import { readFileSync } from 'node:fs';
import { whyNoMounts } from '../machine.ts';
import { run, snapshotSuite } from './snapshot.ts';

const known = /\berofs\b/.test(readFileSync('/proc/filesystems', 'utf8'));

snapshotSuite('erofs', {
  options: { driver: 'erofs', allowDevices: true },
  skip: whyNoMounts() ?? (known ? false : 'this kernel has no erofs'),
  async view(layer, mountPoint) {
    if (layer.source.kind !== 'erofs') throw new Error('not an erofs layer');
    await run('mount', ['-t', 'erofs', '-o', 'ro', layer.source.file, mountPoint]);
    return mountPoint;
  },
});
