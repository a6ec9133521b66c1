// -v and --mount type=bind as mount points. Pure.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import type { HostConfig, MountPoint } from '../../spec/docker/container.ts';

/** Fails with `mount.duplicate` where two have one destination, `mount.proc` for one that would change /proc. */
export function mountPoints(host: HostConfig): MountPoint[] {
  const binds = (host.Binds ?? []).map((bind): MountPoint => {
    const [source = '', destination = '', options = ''] = bind.split(':');
    const words = options.split(',').filter((word) => word !== '');
    const propagation = words.find((word) => /^r?(private|shared|slave)$/.test(word)) ?? 'rprivate';
    return {
      Type: 'bind',
      Source: path.normalize(source),
      Destination: path.resolve('/', destination),
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
        Destination: path.resolve('/', mount.Target),
        Mode: mount.BindOptions?.NonRecursive ? 'nonrecursive' : '',
        RW: !mount.ReadOnly,
        Propagation: mount.BindOptions?.Propagation || 'rprivate',
      }),
    );
  const all = [...binds, ...mounts];
  checkDestinations([
    ...all.map(({ Destination }) => Destination),
    ...Object.keys(host.Tmpfs ?? {}),
    ...(host.Mounts ?? []).filter(({ Type }) => Type !== 'bind').map(({ Target }) => Target),
  ]);
  return all;
}

/** What lxcfs puts over files of /proc; everything else there is a wall (as in runc). */
const replaceable = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime', 'net/dev'];

function checkDestinations(destinations: readonly string[]): void {
  const seen = new Set<string>();
  for (const destination of destinations.map((one) => path.resolve('/', one))) {
    if (seen.has(destination)) fail('invalid', 'mount.duplicate', `Duplicate mount point: ${destination}`);
    seen.add(destination);
    const inside = /^\/proc(?:\/(.*))?$/.exec(destination);
    if (inside && !replaceable.includes(inside[1] ?? ''))
      fail('invalid', 'mount.proc', `${destination} cannot be mounted over: it is ${inside[1] ? 'inside ' : ''}/proc`);
  }
}
