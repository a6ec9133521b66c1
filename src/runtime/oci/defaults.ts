// What every container has besides what its configuration asks for (runtime-spec, config-linux.md, "Default Devices"),
// and where a bundle's relative names lead.

import path from 'node:path';
import type { OciConfig, OciDevice, OciDeviceRule } from '../../spec/oci/runtime.ts';

const device = (name: string, major: number, minor: number): OciDevice => ({
  path: `/dev/${name}`,
  type: 'c',
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

const devices = [
  device('null', 1, 3),
  device('zero', 1, 5),
  device('full', 1, 7),
  device('random', 1, 8),
  device('urandom', 1, 9),
  device('tty', 5, 0),
];

const rule = (type: 'b' | 'c', access: string, major?: number, minor?: number): OciDeviceRule => ({
  allow: true,
  type,
  access,
  ...(major === undefined ? {} : { major }),
  ...(minor === undefined ? {} : { minor }),
});

/** Nodes of any kind may be made; these may be used, with terminals (136) and what makes them. */
const rules: readonly OciDeviceRule[] = [
  rule('c', 'm'),
  rule('b', 'm'),
  ...devices.map(({ major, minor }) => rule('c', 'rwm', major, minor)),
  rule('c', 'rwm', 5, 1),
  rule('c', 'rwm', 5, 2),
  rule('c', 'rwm', 136),
];

export function completeConfig(config: OciConfig, bundle: string, cgroupsPath: string): OciConfig {
  const { linux, mounts } = config;
  const has = new Set(linux.devices.map((one) => one.path));
  const bound = ({ type, options }: (typeof mounts)[number]): boolean =>
    type === 'bind' || options.includes('bind') || options.includes('rbind');
  return {
    ...config,
    mounts: mounts.map((mount) => (bound(mount) ? { ...mount, source: path.resolve(bundle, mount.source) } : mount)),
    linux: {
      ...linux,
      cgroupsPath,
      devices: [...devices.filter((one) => !has.has(one.path)), ...linux.devices],
      resources: {
        ...linux.resources,
        devices: linux.resources.devices.length === 0 ? [] : [...linux.resources.devices, ...rules],
      },
    },
  };
}
