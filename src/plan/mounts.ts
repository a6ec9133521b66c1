// OCI mounts -> ops. Every mount is made detached (fsmount, open_tree), its attributes are set while nobody sees it,
// and it is moved onto a place that was opened inside the root: no path is ever resolved twice.

import { fail } from '../base/errors.ts';
import type { OciMount } from '../spec/oci/runtime.ts';
import { k, type Op, op, type Slot } from './ops.ts';

interface Options {
  readonly set: number;
  readonly clear: number;
  /** 0: left as it is. */
  readonly propagation: number;
  readonly propagationRecursive: boolean;
  readonly recursive: boolean;
  readonly bind: boolean;
  /** Read-only for every mount below, too (mount_setattr AT_RECURSIVE). */
  readonly recursiveReadonly: boolean;
  /** What the file system itself is told. */
  readonly data: readonly string[];
}

const attributes: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [k.MOUNT_ATTR_RDONLY, 0],
  rro: [k.MOUNT_ATTR_RDONLY, 0],
  rw: [0, k.MOUNT_ATTR_RDONLY],
  nosuid: [k.MOUNT_ATTR_NOSUID, 0],
  suid: [0, k.MOUNT_ATTR_NOSUID],
  nodev: [k.MOUNT_ATTR_NODEV, 0],
  dev: [0, k.MOUNT_ATTR_NODEV],
  noexec: [k.MOUNT_ATTR_NOEXEC, 0],
  exec: [0, k.MOUNT_ATTR_NOEXEC],
  noatime: [k.MOUNT_ATTR_NOATIME, k.MOUNT_ATTR__ATIME],
  relatime: [k.MOUNT_ATTR_RELATIME, k.MOUNT_ATTR__ATIME],
  strictatime: [k.MOUNT_ATTR_STRICTATIME, k.MOUNT_ATTR__ATIME],
  nodiratime: [k.MOUNT_ATTR_NODIRATIME, 0],
};

const propagations: Readonly<Record<string, number>> = {
  private: k.MS_PRIVATE,
  slave: k.MS_SLAVE,
  shared: k.MS_SHARED,
  unbindable: k.MS_UNBINDABLE,
};

/** Takes the options of an OCI mount apart: attributes of the mount, propagation, and data for the file system. */
export function parseMountOptions(options: readonly string[]): Options {
  let set = 0;
  let clear = 0;
  let propagation = 0;
  let propagationRecursive = false;
  const data: string[] = [];
  for (const option of options) {
    const attribute = Object.hasOwn(attributes, option) ? attributes[option] : undefined;
    const spread = propagations[option] ?? (option.startsWith('r') ? propagations[option.slice(1)] : undefined);
    if (attribute) {
      set = (set & ~attribute[1]) | attribute[0];
      clear = (clear & ~attribute[0]) | attribute[1];
    } else if (spread !== undefined) {
      propagation = spread;
      propagationRecursive = option.startsWith('r') && !Object.hasOwn(propagations, option);
    } else if (!['bind', 'rbind', 'defaults'].includes(option)) {
      data.push(option);
    }
  }
  return {
    set,
    clear,
    propagation,
    propagationRecursive,
    recursive: options.includes('rbind'),
    bind: options.includes('bind') || options.includes('rbind'),
    recursiveReadonly: options.includes('rro'),
    data,
  };
}

/** `/a/b` -> `a/b`: a path to be resolved below a root slot. '/' itself cannot be mounted over. */
export function inRoot(path: string): string {
  const inside = path.replace(/^\/+/, '');
  if (inside === '')
    fail(
      'invalid',
      'mount.target',
      `a mount cannot replace the container's root (destination ${JSON.stringify(path)})`,
    );
  return inside;
}

/** Ops that mount one OCI mount inside `root`. `kind`: what a bind's source is, for making its target. */
export function mountOps(mount: OciMount, root: Slot, kind: 'directory' | 'file', from: string): Op[] {
  const options = parseMountOptions(mount.options);
  const slot = `mount:${mount.destination}`;
  const ops: Op[] = [];
  if (options.bind) {
    ops.push(...sourceOps(mount, slot, k.OPEN_TREE_CLONE | (options.recursive ? k.AT_RECURSIVE : 0), from));
    if (options.set | options.clear) {
      const recursive = options.recursiveReadonly && options.recursive ? 1 : 0;
      ops.push(
        op(
          'mountAttr',
          { mount: slot, path: '', set: options.set, clear: options.clear, propagation: 0, recursive },
          `${from}: ${mount.options.join(',')}`,
        ),
      );
    }
    const propagation = options.propagation || k.MS_PRIVATE;
    ops.push(
      op(
        'mountAttr',
        {
          mount: slot,
          path: '',
          set: 0,
          clear: 0,
          propagation,
          recursive: options.propagation ? Number(options.propagationRecursive) : 1,
        },
        `${from}: how mounts spread`,
      ),
    );
  } else {
    ops.push(
      op(
        'fsmount',
        {
          fstype: mount.type,
          source: undefined,
          options: [`source=${mount.source || mount.type}`, ...options.data],
          attrs: options.set,
          out: slot,
        },
        `${from}: a new ${mount.type}`,
      ),
    );
  }
  ops.push(...placeOps(slot, root, mount.destination, options.bind ? kind : 'directory', from));
  return ops;
}

/** A copy of a bind's source, or of a part of it: containers write there, so that path is resolved inside the source. */
function sourceOps({ source, subpath }: OciMount, out: Slot, flags: number, from: string): Op[] {
  if (subpath === undefined)
    return [op('openTree', { dir: undefined, path: source, flags, out }, `${from}: a copy of ${source}`)];
  const open = { flags: k.O_PATH, mode: 0 };
  return [
    op('open', { ...open, dir: undefined, path: source, resolve: 0, out: 'whole' }, `${from}: the volume`),
    op(
      'open',
      { ...open, dir: 'whole', path: subpath, resolve: k.RESOLVE_IN_ROOT, out: 'part' },
      `${from}: ${subpath} in it`,
    ),
    op('openTree', { dir: 'part', path: '', flags: flags | k.AT_EMPTY_PATH, out }, `${from}: a copy of that part`),
    op('close', { slot: 'part' }, 'used up'),
    op('close', { slot: 'whole' }, 'used up'),
  ];
}

/** Opens (and makes, where missing) the destination inside the root and moves a detached mount there. */
export function placeOps(slot: Slot, root: Slot, destination: string, kind: 'directory' | 'file', from: string): Op[] {
  const target = `at:${destination}`;
  return [
    op(
      'ensure',
      { root, path: inRoot(destination), kind: kind === 'directory' ? 0 : 1, mode: 0o755, uid: 0, gid: 0, out: target },
      `${from}: its place, resolved inside the root`,
    ),
    op('moveMount', { from: slot, to: target }, `${from}: mounted at ${destination}`),
    op('close', { slot: target }, 'used up'),
    op('close', { slot }, 'used up'),
  ];
}

/** Hides paths: an empty read-only tmpfs over a directory, /dev/null over a file (OCI linux.maskedPaths). */
export function maskOps(root: Slot, paths: readonly string[], isDirectory: (path: string) => boolean): Op[] {
  return paths.flatMap((path, index) => {
    const from = `OCI linux.maskedPaths[${index}]`;
    const cover: Op[] = isDirectory(path)
      ? [
          op(
            'fsmount',
            {
              fstype: 'tmpfs',
              source: undefined,
              options: ['source=tmpfs', 'size=0k', 'nr_inodes=1'],
              attrs: k.MOUNT_ATTR_RDONLY,
              out: 'cover',
            },
            `${from}: an empty directory`,
          ),
        ]
      : [openInside(root, '/dev/null', 'null', from), copyOf('null', 0, `${from}: /dev/null`)];
    return [openInside(root, path, 'over', from), ...cover, ...coverOps(from)];
  });
}

/** Makes paths read-only by mounting them over themselves (OCI linux.readonlyPaths). */
export function readonlyOps(root: Slot, paths: readonly string[]): Op[] {
  return paths.flatMap((path, index) => {
    const from = `OCI linux.readonlyPaths[${index}]`;
    return [
      openInside(root, path, 'over', from),
      copyOf('over', k.AT_RECURSIVE, `${from}: a copy of ${path}`),
      op(
        'mountAttr',
        { mount: 'cover', path: '', set: k.MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, recursive: 1 },
        `${from}: read-only`,
      ),
      ...coverOps(from),
    ];
  });
}

function openInside(root: Slot, path: string, out: Slot, from: string): Op {
  return op(
    'open',
    { dir: root, path: inRoot(path), flags: k.O_PATH, mode: 0, resolve: k.RESOLVE_IN_ROOT, out },
    `${from}: ${path}, resolved inside the root`,
  );
}

function copyOf(slot: Slot, flags: number, why: string): Op {
  return op('openTree', { dir: slot, path: '', flags: k.OPEN_TREE_CLONE | k.AT_EMPTY_PATH | flags, out: 'cover' }, why);
}

function coverOps(from: string): Op[] {
  return [
    op('moveMount', { from: 'cover', to: 'over' }, `${from}: mounted over it`),
    op('close', { slot: 'cover' }, 'used up'),
    op('close', { slot: 'over' }, 'used up'),
  ];
}
