// -v and --mount type=bind as mount points. Pure.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import type { HostConfig, MountPoint } from '../../spec/docker/container.ts';

/** Fails with `mount.duplicate` where two have one destination. */
export function mountPoints(host: HostConfig): MountPoint[] {
  const binds = (host.Binds ?? []).map((bind): MountPoint => {
    const [source = '', destination = '', options = ''] = bind.split(':');
    const words = options.split(',').filter((word) => word !== '');
    const propagation = words.find((word) => /^r?(private|shared|slave)$/.test(word)) ?? 'rprivate';
    return {
      Type: 'bind',
      Source: path.normalize(source),
      Destination: path.normalize(destination),
      Mode: options,
      RW: !words.includes('ro'),
      Propagation: propagation,
    };
  });
  const mounts = (host.Mounts ?? [])
    .filter(({ Type }) => Type === 'bind')
    .map(
      (mount): MountPoint => ({
        Type: 'bind',
        Source: path.normalize(mount.Source ?? ''),
        Destination: path.normalize(mount.Target),
        Mode: mount.BindOptions?.NonRecursive ? 'nonrecursive' : '',
        RW: !mount.ReadOnly,
        Propagation: mount.BindOptions?.Propagation || 'rprivate',
      }),
    );
  const all = [...binds, ...mounts];
  const seen = new Set<string>();
  for (const { Destination } of [...all, ...Object.keys(host.Tmpfs ?? {}).map((Destination) => ({ Destination }))]) {
    if (seen.has(Destination)) fail('invalid', 'mount.duplicate', `Duplicate mount point: ${Destination}`);
    seen.add(Destination);
  }
  return all;
}
