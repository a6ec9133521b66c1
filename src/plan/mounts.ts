// OCI mounts -> ops. Every mount is made detached (fsmount, open_tree), its attributes are set while nobody sees it,
// and it is moved onto a place that was opened inside the root: no path is ever resolved twice.

import { fail } from '../base/errors.ts';
import type { OciIdMapping, OciMount } from '../spec/oci/runtime.ts';
import { type Attributes, type MountOptions, parseMountOptions } from './mount-options.ts';
import { idMapText } from './namespaces.ts';
import { k, type Op, op, type Slot } from './ops.ts';

/** What the rest of the configuration says to a mount. */
export interface MountContext {
  /** A bind that says nothing about how mounts spread goes on as its source does; else it is private. */
  readonly inherit?: boolean;
  /** Opened among the mounts of the host: nothing that is mounted inside may come out. */
  readonly outside?: boolean;
  /** The maps of the container's own user namespace, for `idmap`. */
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
  /** OCI linux.mountLabel */
  readonly label?: string;
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

/** The slot of a mount that is not yet in its place. */
const detached = (mount: OciMount): Slot => `mount:${mount.destination}`;

/** Ops that mount one OCI mount inside `root`. `kind`: what a bind's source is, for making its target. */
export function mountOps(
  mount: OciMount,
  root: Slot,
  kind: 'directory' | 'file',
  from: string,
  context: MountContext = {},
): Op[] {
  const options = parseMountOptions(mount.options);
  if (options.remount && !options.bind) return remountOps(mount, options, root, from);
  return [
    ...(options.bind ? bindOps(mount, from, context) : newOps(mount, options, from, context)),
    ...(options.copyUp ? copyUpOps(mount, root, from) : []),
    ...placeOps(detached(mount), root, mount.destination, options.bind ? kind : 'directory', from),
  ];
}

/** A bind, detached: its source as it is seen where these ops run. */
export function bindOps(mount: OciMount, from: string, context: MountContext = {}): Op[] {
  const options = parseMountOptions(mount.options);
  const slot = detached(mount);
  const { propagation } = options;
  const severed = context.outside === true && propagation !== k.MS_SHARED;
  return [
    ...sourceOps(mount, slot, k.OPEN_TREE_CLONE | (options.recursive ? k.AT_RECURSIVE : 0), from),
    ...(severed ? [spreadOp(slot, k.MS_SLAVE, true, from)] : []),
    ...attributeOps(slot, options, `${from}: ${mount.options.join(',')}`),
    ...(propagation === 0 && context.inherit
      ? []
      : [spreadOp(slot, propagation || k.MS_PRIVATE, propagation === 0 || options.propagationRecursive, from)]),
    ...idmapOps(mount, options, from, context),
  ];
}

/** Whether a bind must be opened by the keeper: where the child has not the powers, or sees another tree. */
export function isIdmapped({ options, uidMappings }: OciMount): boolean {
  return (uidMappings?.length ?? 0) > 0 || parseMountOptions(options).idmap !== 'no';
}

export function isBind({ options }: OciMount): boolean {
  return options.includes('bind') || options.includes('rbind');
}

function spreadOp(slot: Slot, propagation: number, recursive: boolean, from: string): Op {
  return op(
    'mountAttr',
    { mount: slot, path: '', set: 0, clear: 0, propagation, recursive: Number(recursive) },
    `${from}: how mounts spread`,
  );
}

function attributeOps(slot: Slot, { attributes, recursiveAttributes, recursive }: MountOptions, why: string): Op[] {
  const some = ({ set, clear }: Attributes): boolean => (set | clear) !== 0;
  const within = (a: Attributes, b: Attributes): boolean => (a.set & ~b.set) === 0 && (a.clear & ~b.clear) === 0;
  const change = ({ set, clear }: Attributes, below: boolean): Op =>
    op('mountAttr', { mount: slot, path: '', set, clear, propagation: 0, recursive: Number(below && recursive) }, why);
  return [
    ...(some(attributes) && !(some(recursiveAttributes) && within(attributes, recursiveAttributes))
      ? [change(attributes, false)]
      : []),
    ...(some(recursiveAttributes) ? [change(recursiveAttributes, true)] : []),
  ];
}

function idmapOps(mount: OciMount, { idmap }: MountOptions, from: string, context: MountContext): Op[] {
  const own = (mount.uidMappings?.length ?? 0) > 0;
  if (!own && idmap === 'no') return [];
  const { uidMappings: uids = [], gidMappings: gids = [] } = own ? mount : context;
  if (uids.length === 0 || gids.length === 0)
    fail(
      'invalid',
      'mount.idmap',
      `${from}: idmap needs uidMappings and gidMappings, of the mount or of the container`,
    );
  const userns = `ids:${mount.destination}`;
  return [
    op('userns', { uids: idMapText(uids), gids: idMapText(gids), out: userns }, `${from}: its maps of ids`),
    op(
      'idmap',
      { mount: detached(mount), userns, recursive: Number(idmap === 'recursive') },
      `${from}: files have other owners there`,
    ),
    op('close', { slot: userns }, 'used up'),
  ];
}

/** A new instance of a file system. */
function newOps(mount: OciMount, options: MountOptions, from: string, { label }: MountContext): Op[] {
  const { attributes, recursiveAttributes, propagation, propagationRecursive, data } = options;
  // a disk is opened for writing unless its file system hears of it
  const disk = mount.source.startsWith('/dev/') && (attributes.set & k.MOUNT_ATTR_RDONLY) !== 0;
  const labelled = label !== undefined && label !== '' && !['proc', 'sysfs', 'mqueue', 'cgroup2'].includes(mount.type);
  return [
    op(
      'fsmount',
      {
        fstype: mount.type,
        source: undefined,
        options: [
          `source=${mount.source || mount.type}`,
          ...(disk ? ['ro'] : []),
          ...data,
          ...(labelled ? [`context=${label}`] : []),
        ],
        attrs: attributes.set | recursiveAttributes.set,
        out: detached(mount),
      },
      `${from}: a new ${mount.type}`,
    ),
    ...(propagation === 0 ? [] : [spreadOp(detached(mount), propagation, propagationRecursive, from)]),
  ];
}

/** tmpcopyup: what the new file system hides is in it. */
function copyUpOps(mount: OciMount, root: Slot, from: string): Op[] {
  const why = `${from}: tmpcopyup: what is there already`;
  return [
    op('ensure', { root, path: inRoot(mount.destination), kind: 0, mode: 0o755, uid: 0, gid: 0, out: 'below' }, why),
    op('open', { dir: 'below', path: '.', flags: k.O_RDONLY | k.O_DIRECTORY, mode: 0, resolve: 0, out: 'copied' }, why),
    op('copyTree', { from: 'copied', to: detached(mount) }, why),
    op('close', { slot: 'copied' }, 'used up'),
    op('close', { slot: 'below' }, 'used up'),
  ];
}

/** A mount that is there already gets other attributes. */
function remountOps(mount: OciMount, options: MountOptions, root: Slot, from: string): Op[] {
  const slot = detached(mount);
  return [
    openInside(root, mount.destination, slot, from),
    ...attributeOps(slot, { ...options, recursive: true }, `${from}: ${mount.options.join(',')}`),
    ...(options.propagation === 0 ? [] : [spreadOp(slot, options.propagation, options.propagationRecursive, from)]),
    op('close', { slot }, 'used up'),
  ];
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

function openInside(root: Slot, path: string, out: Slot, from: string): Op {
  return op(
    'open',
    { dir: root, path: inRoot(path), flags: k.O_PATH, mode: 0, resolve: k.RESOLVE_IN_ROOT, out },
    `${from}: ${path}, resolved inside the root`,
  );
}
