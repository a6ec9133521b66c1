// System containers: those whose first process is systemd (or another init of a whole system). It wants /run of its own,
// a cgroup hierarchy that it may write to, and to know that it is in a container. Pure.

import { servicesAnnotation } from '../../plan/cgroup.ts';
import type { ContainerConfig, HostConfig } from '../../spec/docker/container.ts';
import type { OciConfig, OciMount } from '../../spec/oci/runtime.ts';
import { argumentsOf } from './merge.ts';
import type { ContainerRecord } from './record.ts';

// What --systemd says is kept as an annotation: `true` (by its command, as without the flag), `always`, `false`.

/** systemd(1), "Signals": SIGRTMIN+3 halts the machine, SIGTERM only starts it anew. */
export const haltSignal = 'SIGRTMIN+3';

const inits = new Set(['/sbin/init', '/usr/sbin/init', '/usr/local/sbin/init', 'init', 'systemd']);

export function runsServices(config: ContainerConfig, host: HostConfig): boolean {
  const asked = host.Annotations?.[servicesAnnotation] ?? 'true';
  if (asked !== 'true') return asked === 'always';
  const [program = ''] = argumentsOf(config);
  return inits.has(program) || /^(\/usr)?\/lib\/systemd\/systemd$/.test(program);
}

/** `container` and `container_uuid`: systemd's container interface; the machine id is made from the latter. */
export function servicesEnvironment(id: string): string[] {
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-');
  return ['container=hoist', `container_uuid=${uuid}`];
}

/** File systems that a system expects empty when it comes up. */
export const servicesMounts: readonly OciMount[] = (
  [
    ['/run', '755'],
    ['/run/lock', '1777'],
    ['/tmp', '1777'],
  ] as const
).map(([destination, mode]) => ({
  destination,
  type: 'tmpfs',
  source: 'tmpfs',
  options: ['nosuid', 'nodev', `mode=${mode}`],
}));

/** The configuration of a container as that of a system: what `annotations` say is what the plan goes by (v1: the hierarchy). */
export function withServices(config: OciConfig, record: ContainerRecord, cgroupVersion: 1 | 2): OciConfig {
  if (!runsServices(record.config, record.hostConfig)) return config;
  const taken = new Set(config.mounts.map(({ destination }) => destination));
  const writable = (mount: OciMount): OciMount =>
    mount.type === 'cgroup' && cgroupVersion === 2
      ? { ...mount, options: mount.options.map((option) => (option === 'ro' ? 'rw' : option)) }
      : mount;
  const first = config.mounts.findIndex(({ destination }) => destination === '/etc/resolv.conf');
  const mounts = config.mounts.map(writable);
  const at = first < 0 ? mounts.length : first;
  return {
    ...config,
    process: {
      ...config.process,
      env: [
        ...servicesEnvironment(record.id).filter((entry) => {
          const name = entry.slice(0, entry.indexOf('=') + 1);
          return !config.process.env.some((own) => own.startsWith(name));
        }),
        ...config.process.env,
      ],
    },
    mounts: [
      ...mounts.slice(0, at),
      ...servicesMounts.filter(({ destination }) => !taken.has(destination)),
      ...mounts.slice(at),
    ],
    annotations: { ...config.annotations, [servicesAnnotation]: 'always' },
  };
}
