import { join } from 'node:path';
import type { PendingOp } from '../../src/store/store.ts';
import { whyNoMounts } from '../machine.ts';
import { run, snapshotSuite } from './snapshot.ts';

snapshotSuite('dir', {
  options: { driver: 'dir', allowDevices: true, applyPending },
  skip: whyNoMounts() ?? false, // nor trusted attributes
  async view(layer) {
    if (layer.source.kind !== 'dir') throw new Error('not a directory layer');
    return layer.source.path;
  },
});

/** The pending operations by means of the system's programs; the engine does them by a plan. */
async function applyPending(tree: string, pending: readonly PendingOp[]): Promise<void> {
  for (const op of pending) {
    const path = join(tree, op.path);
    if (op.op === 'mknod') {
      const type =
        (op.mode & 0o170000) === 0o010000
          ? ['p']
          : [(op.mode & 0o170000) === 0o060000 ? 'b' : 'c', String(op.major), String(op.minor)];
      await run('mknod', ['-m', (op.mode & 0o7777).toString(8), path, ...type]);
      await run('chown', [`${op.uid}:${op.gid}`, path]);
    } else if (op.op === 'link') await run('ln', [join(tree, op.to), path]);
    else if (op.op === 'opaque') await run('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', path]);
    else if (op.op === 'utimes')
      await run('touch', ['-h', '-d', `@${op.mtime}.${String(op.mtimeNsec).padStart(9, '0')}`, path]);
    else if (op.op === 'setxattr') await run('setfattr', ['-h', '-n', op.name, '-v', `0s${op.value}`, path]);
  }
}
