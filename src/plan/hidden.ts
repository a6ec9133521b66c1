// What a container may not see or change: OCI linux.maskedPaths and linux.readonlyPaths.

import { inRoot } from './mounts.ts';
import { k, type Op, op, type Slot } from './ops.ts';

/** What is known of a path before the plan is carried out. */
export type Known = 'directory' | 'file' | 'unknown';

/** Hides paths: an empty read-only tmpfs over a directory, /dev/null over a file (OCI linux.maskedPaths). */
export function maskOps(root: Slot, paths: readonly string[], kindOf: (path: string) => Known): Op[] {
  return paths.flatMap((path, index) => {
    const from = `OCI linux.maskedPaths[${index}]`;
    const kind = kindOf(path);
    const empty = (out: Slot): Op =>
      op(
        'fsmount',
        {
          fstype: 'tmpfs',
          source: undefined,
          options: ['source=tmpfs', 'size=0k', 'nr_inodes=1'],
          attrs: k.MOUNT_ATTR_RDONLY,
          out,
        },
        `${from}: an empty directory`,
      );
    const nothing = openInside(root, '/dev/null', 'null', from);
    if (kind === 'unknown') {
      return [
        empty('cover'),
        nothing,
        copyOf('null', 'cover.file', 0, `${from}: /dev/null`),
        op(
          'cover',
          { root, path: inRoot(path), directory: 'cover', file: 'cover.file' },
          `${from}: one of them over ${path}, where it is there`,
        ),
        op('close', { slot: 'cover' }, 'used up'),
        op('close', { slot: 'cover.file' }, 'used up'),
      ];
    }
    const cover = kind === 'directory' ? [empty('cover')] : [nothing, copyOf('null', 'cover', 0, `${from}: /dev/null`)];
    return [openInside(root, path, 'over', from), ...cover, ...coverOps(from)];
  });
}

/** Makes paths read-only by mounting them over themselves (OCI linux.readonlyPaths). */
export function readonlyOps(root: Slot, paths: readonly string[], kindOf: (path: string) => Known): Op[] {
  return paths.flatMap((path, index) => {
    const from = `OCI linux.readonlyPaths[${index}]`;
    const ops = [
      openInside(root, path, 'over', from),
      copyOf('over', 'cover', k.AT_RECURSIVE, `${from}: a copy of ${path}`),
      op(
        'mountAttr',
        { mount: 'cover', path: '', set: k.MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, recursive: 1 },
        `${from}: read-only`,
      ),
      ...coverOps(from),
    ];
    // what is not there fills no slot, and nothing follows from an empty one
    return kindOf(path) === 'unknown'
      ? ops.map((one) => ({ ...one, allow: one.op === 'open' ? k.ENOENT : k.EBADF }))
      : ops;
  });
}

function openInside(root: Slot, path: string, out: Slot, from: string): Op {
  return op(
    'open',
    { dir: root, path: inRoot(path), flags: k.O_PATH, mode: 0, resolve: k.RESOLVE_IN_ROOT, out },
    `${from}: ${path}, resolved inside the root`,
  );
}

function copyOf(slot: Slot, out: Slot, flags: number, why: string): Op {
  return op('openTree', { dir: slot, path: '', flags: k.OPEN_TREE_CLONE | k.AT_EMPTY_PATH | flags, out }, why);
}

function coverOps(from: string): Op[] {
  return [
    op('moveMount', { from: 'cover', to: 'over' }, `${from}: mounted over it`),
    op('close', { slot: 'cover' }, 'used up'),
    op('close', { slot: 'over' }, 'used up'),
  ];
}
