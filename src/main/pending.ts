// What unpacking a layer into a plain directory leaves for the executor: nodes, links and attributes that Node cannot make.

import { fail } from '../base/errors.ts';
import type { UserNamespace } from '../plan/facts.ts';
import { k, type Op, op } from '../plan/ops.ts';
import type { PendingOp } from '../store/store.ts';

/** Names come as binary strings (one character, one byte); plans carry UTF-8. */
const text = (binary: string): string => Buffer.from(binary, 'latin1').toString('utf8');

/** In a user namespace nobody makes device nodes: layers do without theirs, as they do with Docker there. */
export function pendingOps(tree: string, pending: readonly PendingOp[], namespace?: UserNamespace): Op[] {
  const root = 'tree';
  return [
    op('open', { dir: undefined, path: tree, flags: k.O_PATH, mode: 0, resolve: 0, out: root }, 'the layer'),
    ...pending.flatMap((one): Op[] => {
      const path = text(one.path) || '.';
      switch (one.op) {
        case 'mknod':
          if (namespace && isDevice(one)) return [];
          return [
            op(
              'mknod',
              { root, path, mode: one.mode, major: one.major, minor: one.minor },
              'a device node or whiteout of the layer',
              k.EEXIST,
            ),
            op(
              'open',
              { dir: root, path, flags: k.O_PATH | k.O_NOFOLLOW, mode: 0, resolve: k.RESOLVE_IN_ROOT, out: 'node' },
              'the node',
            ),
            ...(namespace?.uids === 1 ? [] : [op('chown', { slot: 'node', uid: one.uid, gid: one.gid }, 'its owner')]),
          ];
        case 'opaque':
          return [
            op(
              'setxattr',
              { root, path, name: 'trusted.overlay.opaque', value: Buffer.from('y') },
              'hides what lower layers have there',
            ),
          ];
        case 'setxattr':
          return [
            op(
              'setxattr',
              { root, path, name: one.name, value: Buffer.from(one.value, 'latin1') },
              'an extended attribute of the layer',
            ),
          ];
        case 'link':
          return fail(
            'unsupported',
            'layer.node_link',
            `the layer has a hard link to a device node (${path}), which a plain directory cannot be given`,
          );
        default: // owners and times of directories: root's unpacking has set the owners, times are for show
          return [];
      }
    }),
  ];
}

/** Of the special files: neither a FIFO nor a whiteout (a character device 0:0, which everybody may make). */
function isDevice({ mode, major, minor }: { readonly mode: number; readonly major: number; readonly minor: number }) {
  return (mode & 0o170000) !== 0o010000 && (major !== 0 || minor !== 0);
}
