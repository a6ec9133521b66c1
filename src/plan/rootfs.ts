// The container's root: overlay or bundle, OCI mounts, devices, what is hidden and what is read-only.

import type { OciConfig, OciMount } from '../spec/oci/runtime.ts';
import { cgroupMountOps } from './cgroup-mount.ts';
import { deviceLinks, deviceOps } from './device-nodes.ts';
import type { HostFacts } from './facts.ts';
import { type Known, maskOps, readonlyOps } from './hidden.ts';
import { type BundleRoot, type ContainerInput, isBundle, type OverlayRoot } from './input.ts';
import { mappedOverlayOps } from './mapped-root.ts';
import { parseMountOptions } from './mount-options.ts';
import { bindOps, isBind, isIdmapped, type MountContext, mountOps, placeOps } from './mounts.ts';
import { k, type Op, op, rootSlot as root } from './ops.ts';
import { overlayPath } from './overlay-path.ts';
import { resctrlOps } from './resctrl.ts';

/** What the ops of a root are made from. */
export type RootInput = Pick<ContainerInput, 'config' | 'facts' | 'root' | 'files' | 'sourceKind'>;

/** The writable layer, and no exit record of an earlier start. */
export function directoryOps({ root: overlay, keeper, dataDirectory }: ContainerInput): Op[] {
  if (isBundle(overlay)) return [];
  return [
    op(
      'mkdir',
      { path: dataDirectory, mode: 0o710 },
      'its directory, which only containers that last have before',
      k.EEXIST,
    ),
    op('mkdir', { path: overlay.upper, mode: 0o755 }, 'the writable layer', k.EEXIST),
    // a volatile overlay refuses a work directory that was used before
    op('removeTree', { path: overlay.work }, "overlayfs's work directory of an earlier start"),
    op('mkdir', { path: overlay.work, mode: 0o700 }, "overlayfs's work directory"),
    op('unlink', { path: keeper.exitPath }, 'the exit record of an earlier start', k.ENOENT),
  ];
}

/** The files that the child will mount: written while it mounts the rest. */
export function fileOps({ files }: Pick<ContainerInput, 'files'>): Op[] {
  return files.map(({ path, text }) =>
    op(
      'writeFile',
      { dir: undefined, path, data: Buffer.from(text), flags: k.O_WRONLY | k.O_CREAT | k.O_TRUNC, mode: 0o644 },
      `will be mounted as /etc/${path.slice(path.lastIndexOf('/') + 1)}`,
    ),
  );
}

/** new: its own; joined: by path; shared: that of who starts it, where nothing may be mounted. */
export function mountNamespace({ linux }: OciConfig): 'new' | 'joined' | 'shared' {
  const own = linux.namespaces.find(({ type }) => type === 'mount');
  return own === undefined ? 'shared' : own.path === undefined ? 'new' : 'joined';
}

const hasUser = ({ linux }: OciConfig): boolean => linux.namespaces.some(({ type }) => type === 'user');

function contextOf({ linux }: OciConfig): MountContext {
  return {
    inherit: !linux.rootfsPropagation.endsWith('private'),
    ...(linux.uidMappings ? { uidMappings: linux.uidMappings } : {}),
    ...(linux.gidMappings ? { gidMappings: linux.gidMappings } : {}),
    ...(linux.mountLabel ? { label: linux.mountLabel } : {}),
  };
}

const nameOf = (mount: OciMount, index: number): string => `OCI mounts[${index}] ${mount.destination}`;

/** A root that is shared lets mounts out, through those sources alone that were opened while they still do. */
const isShared = ({ linux }: OciConfig): boolean => linux.rootfsPropagation.endsWith('shared');

/** Where the source of a bind is opened: by the keeper, where the child lacks the powers. */
function openedBy(mount: OciMount, config: OciConfig): 'keeper' | 'child, first' | 'child' {
  if (!isBind(mount)) return 'child';
  if (hasUser(config) || isIdmapped(mount)) return 'keeper';
  const spreads = parseMountOptions(mount.options).propagation === k.MS_SHARED;
  return spreads && isShared(config) && mountNamespace(config) === 'new' ? 'child, first' : 'child';
}

function openedOps({ config }: RootInput, by: ReturnType<typeof openedBy>): Op[] {
  return config.mounts.flatMap((mount, index) =>
    openedBy(mount, config) === by && by !== 'child'
      ? bindOps(mount, nameOf(mount, index), { ...contextOf(config), outside: by === 'keeper' })
      : [],
  );
}

/** In the keeper, before clone: what the child could not open. */
export function sourceOps(input: RootInput): Op[] {
  const { root: where, config, files, facts } = input;
  const opened = openedOps(input, 'keeper');
  const monitor = resctrlOps(config, facts).keeper;
  if (!hasUser(config)) return [...monitor, ...opened];
  const { uidMappings: uids = [], gidMappings: gids = [] } = config.linux;
  const tree = isBundle(where) ? severedTree(where) : mappedOverlayOps(where, { uids, gids });
  return [...monitor, ...fileOps({ files }), ...tree, ...opened];
}

export function rootOps(input: RootInput): Op[] {
  const { root: where, config } = input;
  const namespace = mountNamespace(config);
  const { child: joined } = resctrlOps(config, input.facts);
  if (namespace === 'shared') return isBundle(where) ? [...joined, openRoot(where.directory)] : joined;
  return [
    ...joined,
    ...openedOps(input, 'child, first'),
    ...(namespace === 'new'
      ? [
          op(
            'mountAttr',
            { mount: undefined, path: '/', set: 0, clear: 0, propagation: rootPropagation(config), recursive: 1 },
            'no mount made here reaches the host',
          ),
        ]
      : []),
    ...(isBundle(where)
      ? bundleOps(where, config)
      : hasUser(config)
        ? bundleOps({ directory: '/' }, config)
        : overlayOps(where)),
  ];
}

const openRoot = (path: string): Op =>
  op(
    'open',
    { dir: undefined, path, flags: k.O_PATH, mode: 0, resolve: 0, out: root },
    'the root of the container to be',
  );

function bundleTree({ directory }: BundleRoot): Op[] {
  return [
    op(
      'openTree',
      { dir: undefined, path: directory, flags: k.OPEN_TREE_CLONE | k.AT_RECURSIVE, out: root },
      "the bundle's root, as a mount of its own",
    ),
  ];
}

/** The same, opened among the mounts of the host. */
function severedTree(bundle: BundleRoot): Op[] {
  const spread = { set: 0, clear: 0, propagation: k.MS_SLAVE, recursive: 1 };
  return [
    ...bundleTree(bundle),
    op('mountAttr', { mount: root, path: '', ...spread }, 'no mount made here reaches the host'),
  ];
}

/** It must be mounted somewhere before it can become the root: over the old one, which nobody looks at any more. */
function bundleOps(bundle: BundleRoot, config: OciConfig): Op[] {
  const at = mountNamespace(config) === 'joined' ? bundle.directory : '/';
  return [
    ...(hasUser(config) ? [] : bundleTree(bundle)),
    op('open', { dir: undefined, path: at, flags: k.O_PATH, mode: 0, resolve: 0, out: 'at:root' }, 'where it is put'),
    op('moveMount', { from: root, to: 'at:root' }, 'the root of the container to be'),
    op('close', { slot: 'at:root' }, 'used up'),
  ];
}

function overlayOps(overlay: OverlayRoot): Op[] {
  const data = [
    `lowerdir=${overlay.layers.map(overlayPath).join(':')}`,
    `upperdir=${overlayPath(overlay.upper)}`,
    `workdir=${overlayPath(overlay.work)}`,
    ...(overlay.volatile ? ['volatile'] : []),
  ].join(',');
  return [
    op(
      'chdir',
      { path: overlay.layersDir },
      'layer names are relative to it: the options of an overlay must fit in a page',
    ),
    op(
      'mountClassic',
      { source: 'overlay', target: overlay.mountpoint, fstype: 'overlay', flags: 0, data },
      `the image's ${overlay.layers.length} layer(s), read-only, below a writable one`,
    ),
    openRoot(overlay.mountpoint),
  ];
}

function rootPropagation({ linux }: OciConfig): number {
  // a shared root would let mounts out: slave is the most that a container gets
  return linux.rootfsPropagation.endsWith('private') ? k.MS_PRIVATE : k.MS_SLAVE;
}

/** The root becomes /, and spreads mounts as the configuration says: a shared one could not be entered. */
export function enterOps(config: OciConfig): Op[] {
  const kind = config.linux.rootfsPropagation;
  const spread = kind.endsWith('shared') ? k.MS_SHARED : kind.endsWith('unbindable') ? k.MS_UNBINDABLE : 0;
  if (mountNamespace(config) !== 'new')
    return [op('chroot', { root }, 'from here on / is the container; its mount namespace is not its own')];
  return [
    op('pivotRoot', { root }, 'from here on / is the container; the host is out of reach'),
    ...(spread === 0
      ? []
      : [
          op(
            'mountAttr',
            {
              mount: undefined,
              path: '/',
              set: 0,
              clear: 0,
              propagation: spread,
              recursive: Number(kind.startsWith('r')),
            },
            'OCI linux.rootfsPropagation',
          ),
        ]),
  ];
}

export function filesystemOps(input: RootInput): Op[] {
  const { config, facts } = input;
  const { linux, mounts } = config;
  const kindOf = (path: string): Known | 'absent' => known(path, config, facts);
  const there = (paths: readonly string[]): readonly string[] => paths.filter((path) => kindOf(path) !== 'absent');
  const ownDev = !mounts.some((mount) => mount.destination === '/dev' && isBind(mount));
  return [
    ...mountedOps(input),
    ...(ownDev
      ? [...deviceOps(linux.devices, hasUser(config) || facts.userNamespace !== undefined), ...deviceLinks()]
      : []),
    ...Object.entries(linux.sysctl).map(([name, value]) =>
      op(
        'writeFile',
        {
          dir: undefined,
          path: `/proc/sys/${name.includes('/') ? name : name.replaceAll('.', '/')}`,
          data: Buffer.from(value),
          flags: k.O_WRONLY,
          mode: 0,
        },
        `--sysctl ${name}, while /proc/sys can be written`,
      ),
    ),
    op(
      'ensure',
      { root, path: config.process.cwd.replace(/^\/+/, '') || '.', kind: 0, mode: 0o755, uid: 0, gid: 0, out: 'cwd' },
      'the working directory, made where the image lacks it',
    ),
    ...readonlyOps(root, there(linux.readonlyPaths), (path) => knownOf(kindOf(path))),
    ...maskOps(root, there(linux.maskedPaths), (path) => knownOf(kindOf(path))),
    ...(config.root.readonly
      ? [
          op(
            'mountAttr',
            { mount: root, path: '', set: k.MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, recursive: 0 },
            '--read-only',
          ),
        ]
      : []),
  ];
}

const knownOf = (kind: Known | 'absent'): Known => (kind === 'absent' ? 'unknown' : kind);

/** The paths that src/sys/facts.ts looks at: one of these that it has not found is not there. */
const measured =
  /^\/(proc\/[^/]+|sys\/(firmware|devices\/virtual\/powercap|fs\/selinux|devices\/system\/cpu\/cpu\d+\/thermal_throttle))$/;

function known(path: string, { mounts }: OciConfig, { pseudoFiles }: HostFacts): Known | 'absent' {
  const [, top = ''] = /^(\/proc|\/sys)\//.exec(path) ?? [];
  const own = mounts.findLast(({ destination }) => destination === top);
  if (!measured.test(path) || own === undefined || !['proc', 'sysfs'].includes(own.type)) return 'unknown';
  if (!pseudoFiles.has(path)) return 'absent';
  return pseudoFiles.has(`${path}/`) ? 'directory' : 'file';
}

function mountedOps({ config, facts, files, sourceKind }: RootInput): Op[] {
  const { mounts } = config;
  const written = new Set(files.map(({ path }) => path));
  const firstFile = mounts.findIndex(({ source }) => written.has(source));
  const waitBefore = firstFile < 0 ? mounts.length - 1 : firstFile;
  const wait = op('await', {}, 'for the files and the network, which the keeper makes meanwhile');
  if (mounts.length === 0) return [wait];
  return mounts.flatMap((mount, index) => {
    const from = nameOf(mount, index);
    return [...(index === waitBefore ? [wait] : []), ...oneMount(mount, from)];
  });
  function oneMount(mount: OciMount, from: string): Op[] {
    // A cgroup file system's content depends on where the controllers are.
    if (mount.type === 'cgroup')
      return cgroupMountOps(mount.destination, mount.options.includes('ro'), config, facts, from);
    const kind = mount.type === 'bind' ? sourceKind(mount) : 'directory';
    if (openedBy(mount, config) !== 'child')
      return placeOps(`mount:${mount.destination}`, root, mount.destination, kind, from);
    return mountOps(mount, root, kind, from, contextOf(config));
  }
}
