// -v, --mount, --volumes-from and VOLUME as mount points, and the volumes that they need. Pure, but for made-up names.

import path from 'node:path';
import { fail } from '../../base/errors.ts';
import type { ContainerConfig, HostConfig, MountPoint, MountSpec } from '../../spec/docker/container.ts';
import { anonymousName } from '../../volumes/names.ts';
import type { VolumeUse } from '../volumes/uses.ts';
import type { ContainerRecord } from './record.ts';

/** One of HostConfig.Binds, taken apart. */
export interface Bind {
  readonly type: 'bind' | 'volume';
  /** A host path, or a volume's name; '' for a volume that nobody named. */
  readonly source: string;
  readonly target: string;
  readonly mode: string;
  readonly modes: readonly string[];
}

/** `source:target[:mode]`; undefined where there are more or fewer parts. */
export function parseBind(text: string): Bind | undefined {
  const parts = text.split(':');
  const [source = '', target = '', mode = ''] = parts.length === 1 ? ['', text] : parts;
  if (parts.length > 3 || parts[0] === '' || target === '') return undefined;
  const modes = mode.split(',').filter((word) => word !== '');
  return { type: source.startsWith('/') ? 'bind' : 'volume', source, target, mode, modes };
}

export interface Composed {
  readonly mounts: readonly MountPoint[];
  readonly volumes: readonly VolumeUse[];
}

/** What the mounts of a container are made from. `from`: another container; `dataOf`: where a volume's content is. */
export interface MountSources {
  readonly from: (ref: string) => ContainerRecord;
  readonly dataOf: (volume: string) => string;
}

/** A mount point, and the volume it needs where it needs one. */
interface Made {
  readonly mount: MountPoint;
  readonly use?: VolumeUse;
}

/** Own mounts replace what other containers lend; VOLUMEs yield to everything. Fails with `mount.duplicate`, `mount.proc`. */
export function composeMounts(host: HostConfig, config: ContainerConfig, sources: MountSources): Composed {
  const { dataOf } = sources;
  const driver = host.VolumeDriver ?? '';
  const own = [
    ...(host.Binds ?? []).map((bind) => ofBind(bind, driver, dataOf)),
    ...(host.Mounts ?? []).map((mount) => ofMount(mount, driver, dataOf)),
  ];
  const tmpfs = Object.keys(host.Tmpfs ?? {}).map((target) => path.resolve('/', target));
  checkDestinations([...own.map(({ mount }) => mount.Destination), ...tmpfs]);
  const taken = new Set([...own.map(({ mount }) => mount.Destination), ...tmpfs]);
  const lent = new Map<string, Made>();
  for (const spec of host.VolumesFrom ?? [])
    for (const made of lentBy(spec, sources.from))
      if (!taken.has(made.mount.Destination)) lent.set(made.mount.Destination, made);
  for (const destination of lent.keys()) taken.add(destination);
  const implied: Made[] = [];
  for (const target of Object.keys(config.Volumes ?? {}).map((one) => path.resolve('/', one))) {
    if (taken.has(target)) continue;
    taken.add(target);
    checkDestinations([target]);
    implied.push(ofVolume({ target, source: '', mode: '', writable: true, copy: true, driver, dataOf }));
  }
  const all = [...lent.values(), ...own, ...implied];
  return {
    mounts: all.map(({ mount }) => mount),
    volumes: all.map(({ use }) => use).filter((use) => use !== undefined),
  };
}

function ofBind(text: string, driver: string, dataOf: MountSources['dataOf']): Made {
  const bind = parseBind(text) ?? fail('invalid', 'mount.spec', `invalid volume specification: '${text}'`);
  const { type, source, target, mode, modes } = bind;
  const writable = !modes.includes('ro');
  if (type === 'volume') {
    return ofVolume({ target, source, mode: mode || 'z', writable, copy: !modes.includes('nocopy'), driver, dataOf });
  }
  return {
    mount: {
      Type: 'bind',
      Source: path.normalize(source),
      Destination: path.resolve('/', target),
      Mode: mode,
      RW: writable,
      Propagation: modes.find((word) => /^r?(private|shared|slave)$/.test(word)) ?? 'rprivate',
    },
  };
}

function ofMount(spec: MountSpec, driver: string, dataOf: MountSources['dataOf']): Made {
  const writable = !spec.ReadOnly;
  const { Target: target, Source: source = '', VolumeOptions: options } = spec;
  if (spec.Type === 'volume') {
    const copy = !options?.NoCopy && !options?.Subpath;
    const asked = { target, source, mode: 'z', writable, copy, driver, dataOf };
    return ofVolume(options ? { ...asked, options } : asked);
  }
  const image = spec.Type === 'image';
  return {
    mount: {
      Type: spec.Type,
      ...(image ? { Name: source } : {}),
      Source: spec.Type === 'bind' ? path.normalize(source) : '',
      Destination: path.resolve('/', target),
      Mode: '',
      RW: writable && !image,
      Propagation: spec.Type === 'tmpfs' ? '' : spec.BindOptions?.Propagation || 'rprivate',
    },
  };
}

interface VolumeAsked {
  readonly target: string;
  /** '': nobody named it. */
  readonly source: string;
  readonly mode: string;
  readonly writable: boolean;
  readonly copy: boolean;
  readonly driver: string;
  readonly dataOf: MountSources['dataOf'];
  readonly options?: NonNullable<MountSpec['VolumeOptions']>;
}

function ofVolume({ target, source, mode, writable, copy, driver, dataOf, options }: VolumeAsked): Made {
  const name = source || anonymousName();
  const destination = path.resolve('/', target);
  const config = options?.DriverConfig;
  return {
    mount: {
      Type: 'volume',
      Name: name,
      Source: dataOf(name),
      Destination: destination,
      Driver: 'local',
      Mode: mode,
      RW: writable,
      Propagation: '',
    },
    use: {
      name,
      destination,
      anonymous: source === '',
      copy,
      ...(options?.Subpath ? { subpath: options.Subpath } : {}),
      ...(config?.Name || driver ? { driver: config?.Name || driver } : {}),
      ...(config?.Options ? { options: config.Options } : {}),
      ...(options?.Labels ? { labels: options.Labels } : {}),
    },
  };
}

/** What another container has: its volumes and binds, as they are. */
function lentBy(spec: string, from: MountSources['from']): readonly Made[] {
  const { ref, writable } = parseVolumesFrom(spec);
  const { mounts, volumes = [] } = from(ref);
  return mounts
    .filter(({ Type }) => Type === 'bind' || Type === 'volume')
    .map((mount) => {
      const use = volumes.find(({ destination }) => destination === mount.Destination);
      return {
        mount: { ...mount, Mode: '', RW: mount.RW && writable },
        ...(use ? { use: { ...use, copy: false } } : {}),
      };
    });
}

/** `container[:mode]`; how mounts spread and what is copied is the other container's business. */
export function parseVolumesFrom(spec: string): { readonly ref: string; readonly writable: boolean } {
  if (spec === '') fail('invalid', 'mount.volumes_from', 'volumes-from specification cannot be an empty string');
  const colon = spec.indexOf(':');
  const mode = colon < 0 ? '' : spec.slice(colon + 1);
  const words = mode.split(',').filter((word) => word !== '');
  if (words.some((word) => !/^(ro|rw|z|Z)$/.test(word)) || (words.includes('ro') && words.includes('rw')))
    fail('invalid', 'mount.mode', `invalid mode: ${mode}`);
  return { ref: colon < 0 ? spec : spec.slice(0, colon), writable: !words.includes('ro') };
}

/** What lxcfs puts over files of /proc; everything else there is a wall (as in runc). */
const replaceable = ['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'slabinfo', 'stat', 'swaps', 'uptime', 'net/dev'];

function checkDestinations(destinations: readonly string[]): void {
  const seen = new Set<string>();
  for (const destination of destinations) {
    if (seen.has(destination)) fail('invalid', 'mount.duplicate', `Duplicate mount point: ${destination}`);
    seen.add(destination);
    const inside = /^\/proc(?:\/(.*))?$/.exec(destination);
    if (inside && !replaceable.includes(inside[1] ?? ''))
      fail('invalid', 'mount.proc', `${destination} cannot be mounted over: it is ${inside[1] ? 'inside ' : ''}/proc`);
  }
}
