// A container's root, mounted in the executor's namespace for as long as the engine looks at it from outside. Pure.

import type { OciMount } from '../spec/oci/runtime.ts';
import { mountOps } from './mounts.ts';
import { k, type Op, op } from './ops.ts';
import { overlayPath } from './overlay-path.ts';

export interface View {
  /** Where it is mounted: made, and removed again. */
  readonly place: string;
  readonly layersDir: string;
  /** The top one first, relative to `layersDir` or absolute. */
  readonly layers: readonly string[];
  /** Undefined: nothing can be written, and `layers` has the writable layer on top. */
  readonly writable: { readonly data: string; readonly upper: string; readonly work: string } | undefined;
  readonly mounts: readonly { readonly mount: OciMount; readonly kind: 'directory' | 'file' }[];
}

const root = 'view';

export function viewOps({ place, layersDir, layers, writable, mounts }: View): Op[] {
  const options = [
    ...(writable ? [] : ['ro']),
    `lowerdir=${layers.map(overlayPath).join(':')}`,
    ...(writable ? [`upperdir=${overlayPath(writable.upper)}`, `workdir=${overlayPath(writable.work)}`] : []),
  ].join(',');
  return [
    op('mkdir', { path: place, mode: 0o700 }, 'where it is looked at', k.EEXIST),
    ...(writable ? writableOps(writable) : []),
    op('chdir', { path: layersDir }, 'layer names are relative to it'),
    op(
      'mountClassic',
      { source: 'overlay', target: place, fstype: 'overlay', flags: 0, data: options },
      `the container's root, seen from outside${writable ? '' : ', read-only'}`,
    ),
    op('open', { dir: undefined, path: place, flags: k.O_PATH, mode: 0, resolve: 0, out: root }, 'its root'),
    ...mounts.flatMap(({ mount, kind }, index) => mountOps(mount, root, kind, `mounts[${index}] ${mount.destination}`)),
  ];
}

function writableOps({ data, upper, work }: NonNullable<View['writable']>): Op[] {
  return [
    op('mkdir', { path: data, mode: 0o710 }, 'its directory, where it never ran', k.EEXIST),
    op('mkdir', { path: upper, mode: 0o755 }, 'the writable layer', k.EEXIST),
    op('removeTree', { path: work }, "overlayfs's work directory of an earlier start"),
    op('mkdir', { path: work, mode: 0o700 }, "overlayfs's work directory"),
  ];
}

export function endViewOps(place: string): Op[] {
  return [
    op('umount', { path: place, flags: k.MNT_DETACH }, 'nobody looks at it any more', k.EINVAL),
    op('rmdir', { path: place }, 'its place', k.ENOENT),
  ];
}

/** What of extended attributes goes into archives. */
const archivedXattrs = ['security.capability', 'user.', 'system.posix_acl_access', 'system.posix_acl_default'];

/** `directory`: as a path of the executor's. `marks`: also by which overlayfs knows an opaque directory. */
export function xattrOps(directory: string, name: string, marks: boolean): Op[] {
  return [
    op('open', { dir: undefined, path: directory, flags: k.O_PATH, mode: 0, resolve: 0, out: root }, 'where to look'),
    op(
      'xattrs',
      { root, path: name, names: [...archivedXattrs, ...(marks ? ['trusted.overlay.opaque'] : [])] },
      'extended attributes, which Node cannot read',
    ),
  ];
}

export function setXattrOps(directory: string, name: string, xattrs: ReadonlyMap<string, Uint8Array>): Op[] {
  const set = [...xattrs].filter(
    ([key]) => archivedXattrs.some((known) => key.startsWith(known)) && !key.startsWith('user.overlay.'),
  );
  if (set.length === 0) return [];
  return [
    op('open', { dir: undefined, path: directory, flags: k.O_PATH, mode: 0, resolve: 0, out: root }, 'where it is'),
    ...set.map(([key, value]) =>
      op('setxattr', { root, path: name, name: key, value }, 'an extended attribute of the archive', k.EOPNOTSUPP),
    ),
  ];
}

export function nodeOps(
  directory: string,
  name: string,
  { mode, major, minor }: { readonly mode: number; readonly major: number; readonly minor: number },
): Op[] {
  return [
    op('open', { dir: undefined, path: directory, flags: k.O_PATH, mode: 0, resolve: 0, out: root }, 'where it goes'),
    op('mknod', { root, path: name, mode, major, minor }, 'a node of the archive'),
  ];
}
