// The device nodes of a container (OCI linux.devices), and the links that programs expect beside them.

import type { OciConfig, OciDevice } from '../spec/oci/runtime.ts';
import { placeOps } from './mounts.ts';
import { k, type Op, op, rootSlot as root } from './ops.ts';

/** `user`: in a user namespace nobody may make nodes, so the host's are mounted, and their owners stay. */
export function deviceOps(devices: OciConfig['linux']['devices'], user: boolean): Op[] {
  return [
    ...deviceDirectories(devices),
    ...devices.flatMap((device, index) => {
      const from = `OCI linux.devices[${index}] ${device.path}`;
      return user && device.type !== 'p' ? hostNode(device, from) : ownNode(device, from);
    }),
  ];
}

function hostNode({ path, source = path }: OciDevice, from: string): Op[] {
  return [
    op(
      'openTree',
      { dir: undefined, path: source, flags: k.OPEN_TREE_CLONE, out: 'node' },
      `${from}: the host's ${source}`,
    ),
    ...placeOps('node', root, path, 'file', from),
  ];
}

function ownNode(device: OciDevice, from: string): Op[] {
  const path = device.path.slice(1);
  return [
    op(
      'mknod',
      {
        root,
        path,
        mode: { c: 0o020000, b: 0o060000, p: 0o010000 }[device.type] | device.fileMode,
        major: device.major,
        minor: device.minor,
      },
      from,
      k.EEXIST,
    ),
    ...(device.uid || device.gid
      ? [
          op(
            'open',
            { dir: root, path, flags: k.O_PATH, mode: 0, resolve: k.RESOLVE_IN_ROOT, out: 'device' },
            `the owner of ${device.path}`,
          ),
          op('chown', { slot: 'device', uid: device.uid, gid: device.gid }, `the owner of ${device.path}`),
        ]
      : []),
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
export function deviceLinks(): Op[] {
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
