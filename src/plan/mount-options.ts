// The options of an OCI mount taken apart: attributes of the mount, of all mounts below it, how mounts spread, what its
// file system is told (runtime-spec, config.md#linux-mount-options).

import { k } from './ops.ts';

export interface Attributes {
  readonly set: number;
  readonly clear: number;
}

export interface MountOptions {
  readonly attributes: Attributes;
  /** For the mounts below as well (mount_setattr AT_RECURSIVE). */
  readonly recursiveAttributes: Attributes;
  /** 0: left as it is. */
  readonly propagation: number;
  readonly propagationRecursive: boolean;
  readonly bind: boolean;
  /** rbind: with the mounts below. */
  readonly recursive: boolean;
  /** Changes a mount that is there already. */
  readonly remount: boolean;
  /** A tmpfs that begins with what it hides. */
  readonly copyUp: boolean;
  /** Ids as the container's user namespace maps them. */
  readonly idmap: 'no' | 'mount' | 'recursive';
  /** What the file system itself is told. */
  readonly data: readonly string[];
}

type Change = readonly [set: number, clear: number];

const atime = k.MOUNT_ATTR__ATIME;
const attributes: Readonly<Record<string, Change>> = {
  ro: [k.MOUNT_ATTR_RDONLY, 0],
  rw: [0, k.MOUNT_ATTR_RDONLY],
  nosuid: [k.MOUNT_ATTR_NOSUID, 0],
  suid: [0, k.MOUNT_ATTR_NOSUID],
  nodev: [k.MOUNT_ATTR_NODEV, 0],
  dev: [0, k.MOUNT_ATTR_NODEV],
  noexec: [k.MOUNT_ATTR_NOEXEC, 0],
  exec: [0, k.MOUNT_ATTR_NOEXEC],
  noatime: [k.MOUNT_ATTR_NOATIME, atime],
  atime: [k.MOUNT_ATTR_RELATIME, atime],
  relatime: [k.MOUNT_ATTR_RELATIME, atime],
  norelatime: [k.MOUNT_ATTR_RELATIME, atime],
  strictatime: [k.MOUNT_ATTR_STRICTATIME, atime],
  nostrictatime: [k.MOUNT_ATTR_RELATIME, atime],
  nodiratime: [k.MOUNT_ATTR_NODIRATIME, 0],
  diratime: [0, k.MOUNT_ATTR_NODIRATIME],
  nosymfollow: [k.MOUNT_ATTR_NOSYMFOLLOW, 0],
  symfollow: [0, k.MOUNT_ATTR_NOSYMFOLLOW],
};

const propagations: Readonly<Record<string, number>> = {
  private: k.MS_PRIVATE,
  slave: k.MS_SLAVE,
  shared: k.MS_SHARED,
  unbindable: k.MS_UNBINDABLE,
};

/** Of mount(2) or of programs, not of the file system; or what holds anyway. */
const silent = new Set(['bind', 'rbind', 'defaults', 'remount', 'tmpcopyup', 'idmap', 'ridmap', 'silent', 'loud']);

function of<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const changed = ({ set, clear }: Attributes, [more, less]: Change): Attributes => ({
  set: (set & ~less) | more,
  clear: (clear & ~more) | less,
});

export function parseMountOptions(options: readonly string[]): MountOptions {
  let plain: Attributes = { set: 0, clear: 0 };
  let recursive: Attributes = { set: 0, clear: 0 };
  let propagation = 0;
  let propagationRecursive = false;
  const data: string[] = [];
  for (const option of options) {
    const below = option.startsWith('r') ? option.slice(1) : '';
    const change = of(attributes, option);
    const changeBelow = of(attributes, below);
    const spread = of(propagations, option) ?? of(propagations, below);
    if (change) plain = changed(plain, change);
    else if (changeBelow) recursive = changed(recursive, changeBelow);
    else if (spread !== undefined) {
      propagation = spread;
      propagationRecursive = of(propagations, option) === undefined;
    } else if (!silent.has(option)) data.push(option);
  }
  return {
    attributes: plain,
    recursiveAttributes: recursive,
    propagation,
    propagationRecursive,
    bind: options.includes('bind') || options.includes('rbind'),
    recursive: options.includes('rbind'),
    remount: options.includes('remount'),
    copyUp: options.includes('tmpcopyup'),
    idmap: options.includes('ridmap') ? 'recursive' : options.includes('idmap') ? 'mount' : 'no',
    data,
  };
}
