// The container's root: overlay, OCI mounts, devices, what is hidden and what is read-only.

import type { OciConfig, OciDevice, OciMount } from '../spec/oci/runtime.ts';
import { cgroupOps } from './cgroup.ts';
import type { HostFacts } from './facts.ts';
import type { ContainerInput } from './input.ts';
import { maskOps, mountOps, placeOps, readonlyOps } from './mounts.ts';
import { k, type Op, op, rootSlot as root } from './ops.ts';

/** The writable layer, and no exit record of an earlier start. */
export function directoryOps({ root: overlay, keeper, dataDirectory }: ContainerInput): Op[] {
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
export function fileOps({ files }: ContainerInput): Op[] {
  return files.map(({ path, text }) =>
    op(
      'writeFile',
      { dir: undefined, path, data: Buffer.from(text), flags: k.O_WRONLY | k.O_CREAT | k.O_TRUNC, mode: 0o644 },
      `will be mounted as /etc/${path.slice(path.lastIndexOf('/') + 1)}`,
    ),
  );
}

/** Escapes what overlayfs reads as a separator in a path. */
export function overlayPath(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&');
}

export function rootOps({ root: overlay, config }: ContainerInput): Op[] {
  const data = [
    `lowerdir=${overlay.layers.map(overlayPath).join(':')}`,
    `upperdir=${overlayPath(overlay.upper)}`,
    `workdir=${overlayPath(overlay.work)}`,
    ...(overlay.volatile ? ['volatile'] : []),
  ].join(',');
  return [
    op(
      'mountAttr',
      { mount: undefined, path: '/', set: 0, clear: 0, propagation: rootPropagation(config), recursive: 1 },
      'no mount made here reaches the host',
    ),
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
    op(
      'open',
      { dir: undefined, path: overlay.mountpoint, flags: k.O_PATH, mode: 0, resolve: 0, out: root },
      'the root of the container to be',
    ),
  ];
}

function rootPropagation(config: OciConfig): number {
  // a shared root would let mounts out: slave is the most that a container gets
  return config.linux.rootfsPropagation.endsWith('private') ? k.MS_PRIVATE : k.MS_SLAVE;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of ops in the order in which they happen
export function filesystemOps({ config, facts, files, sourceKind }: ContainerInput): Op[] {
  const { linux, mounts } = config;
  const known = (path: string): boolean => !/^\/(proc|sys)\//.test(path) || facts.pseudoFiles.has(path);
  // A cgroup file system's content depends on where the controllers are.
  const written = new Set(files.map(({ path }) => path));
  const firstFile = mounts.findIndex(({ source }) => written.has(source));
  const waitBefore = firstFile < 0 ? mounts.length - 1 : firstFile;
  const mounted = mounts.flatMap((mount, index) => {
    const from = `OCI mounts[${index}] ${mount.destination}`;
    const wait =
      index === waitBefore ? [op('await', {}, 'for the files and the network, which the keeper makes meanwhile')] : [];
    return [...wait, ...oneMount(mount, from)];
  });
  function oneMount(mount: OciMount, from: string): Op[] {
    if (mount.type === 'cgroup')
      return cgroupMountOps(mount.destination, mount.options.includes('ro'), config, facts, from);
    return mountOps(mount, root, mount.type === 'bind' ? sourceKind(mount) : 'directory', from);
  }
  return [
    ...mounted,
    ...deviceDirectories(linux.devices),
    ...linux.devices.flatMap((device, index) =>
      facts.userNamespace
        ? boundDevice(device, index)
        : [
            op(
              'mknod',
              {
                root,
                path: device.path.slice(1),
                mode: { c: 0o020000, b: 0o060000, p: 0o010000 }[device.type] | device.fileMode,
                major: device.major,
                minor: device.minor,
              },
              `OCI linux.devices[${index}] ${device.path}`,
              k.EEXIST,
            ),
            ...(device.uid || device.gid
              ? [
                  op(
                    'open',
                    {
                      dir: root,
                      path: device.path.slice(1),
                      flags: k.O_PATH,
                      mode: 0,
                      resolve: k.RESOLVE_IN_ROOT,
                      out: 'device',
                    },
                    `the owner of ${device.path}`,
                  ),
                  op('chown', { slot: 'device', uid: device.uid, gid: device.gid }, `the owner of ${device.path}`),
                ]
              : []),
          ],
    ),
    ...devLinks(mounts.some((mount) => mount.destination === '/dev' && mount.type === 'tmpfs')),
    ...Object.entries(linux.sysctl).map(([name, value]) =>
      op(
        'writeFile',
        {
          dir: undefined,
          path: `/proc/sys/${name.replaceAll('.', '/')}`,
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
    ...readonlyOps(root, linux.readonlyPaths.filter(known)),
    ...maskOps(root, linux.maskedPaths.filter(known), (path) => facts.pseudoFiles.has(`${path}/`)),
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

/** Nobody makes device nodes in a user namespace: that of the host is mounted. */
function boundDevice({ path, source = path }: OciDevice, index: number): Op[] {
  const from = `OCI linux.devices[${index}] ${path}`;
  return [
    op(
      'openTree',
      { dir: undefined, path: source, flags: k.OPEN_TREE_CLONE, out: 'node' },
      `${from}: the host's ${source}`,
    ),
    ...placeOps('node', root, path, 'file', from),
  ];
}

/** `/dev/snd` for `/dev/snd/timer`: parents before their children. */
function deviceDirectories(devices: OciConfig['linux']['devices']): Op[] {
  const parents = new Set(
    devices.map(({ path }) => path.slice(1, path.lastIndexOf('/'))).filter((dir) => dir !== 'dev'),
  );
  return [...parents].map((dir) =>
    op(
      'ensure',
      { root, path: dir, kind: 0, mode: 0o755, uid: 0, gid: 0, out: 'devices' },
      `a directory of devices: /${dir}`,
    ),
  );
}

/** Links that programs expect in /dev (runtime-spec config-linux.md, "Default Devices" and what every runtime adds). */
function devLinks(own: boolean): Op[] {
  if (!own) return [];
  const links = [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
    ['ptmx', 'pts/ptmx'],
    ['core', '/proc/kcore'],
  ] as const;
  return links.map(([name, target]) =>
    op('symlink', { root, target, path: `dev/${name}` }, 'a link that programs expect', k.EEXIST),
  );
}

/** v1: the container's own group of each controller, bound below a tmpfs; v2: a view of the tree from its namespace. */
function cgroupMountOps(
  destination: string,
  readonly: boolean,
  config: OciConfig,
  facts: HostFacts,
  from: string,
): Op[] {
  const attrs = k.MOUNT_ATTR_NOSUID | k.MOUNT_ATTR_NODEV | k.MOUNT_ATTR_NOEXEC | (readonly ? k.MOUNT_ATTR_RDONLY : 0);
  if (facts.cgroup.version === 2) {
    return [
      op(
        'fsmount',
        { fstype: 'cgroup2', source: undefined, options: ['source=cgroup'], attrs, out: 'cgroup2' },
        `${from}: seen from its own cgroup namespace`,
      ),
      ...placeOps('cgroup2', root, destination, 'directory', from),
    ];
  }
  const groups = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts).paths;
  return [
    op(
      'fsmount',
      {
        fstype: 'tmpfs',
        source: undefined,
        options: ['source=tmpfs', 'mode=755', 'size=64k'],
        attrs: attrs & ~k.MOUNT_ATTR_RDONLY,
        out: 'cgroups',
      },
      `${from}: a place for the controllers`,
    ),
    ...placeOps('cgroups', root, destination, 'directory', from),
    ...Object.entries(groups).flatMap(([controller, dir]) => [
      op(
        'openTree',
        { dir: undefined, path: dir, flags: k.OPEN_TREE_CLONE, out: 'group' },
        `${from}: its own ${controller} cgroup`,
      ),
      op(
        'mountAttr',
        { mount: 'group', path: '', set: attrs, clear: 0, propagation: k.MS_PRIVATE, recursive: 0 },
        `${from}: ${readonly ? 'read-only' : 'writable'}`,
      ),
      ...placeOps('group', root, `${destination}/${controller}`, 'directory', from),
    ]),
  ];
}
