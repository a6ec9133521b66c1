// An OCI mount of type `cgroup`: what a container sees of its control groups.

import type { OciConfig } from '../spec/oci/runtime.ts';
import { cgroupOps, hasServices } from './cgroup.ts';
import type { HostFacts } from './facts.ts';
import { placeOps } from './mounts.ts';
import { k, type Op, op, rootSlot as root } from './ops.ts';

/** v1: the container's own group of each controller, bound below a tmpfs; v2: a view of the tree from its namespace. */
export function cgroupMountOps(
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
  const groups = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts, hasServices(config)).paths;
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
        {
          mount: 'group',
          path: '',
          set: controller === 'systemd' ? attrs & ~k.MOUNT_ATTR_RDONLY : attrs,
          clear: 0,
          propagation: k.MS_PRIVATE,
          recursive: 0,
        },
        `${from}: ${readonly && controller !== 'systemd' ? 'read-only' : 'writable'}`,
      ),
      ...placeOps('group', root, `${destination}/${controller}`, 'directory', from),
    ]),
  ];
}
