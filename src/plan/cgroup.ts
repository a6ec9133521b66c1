// OCI linux.resources -> ops, for cgroup v1 (and hybrid machines) and v2. The keeper makes the groups and their limits
// before the process exists; the process joins them itself, writing 0: that needs no lock that others hold.

import path from 'node:path';
import type { OciResources } from '../spec/oci/resources.ts';
import type { OciConfig } from '../spec/oci/runtime.ts';
import type { HostFacts } from './facts.ts';
import { askedControllers, type GroupPaths, limitOps, put } from './limits.ts';
import { k, type Op, op, type Slot } from './ops.ts';

export interface CgroupOps {
  readonly setup: readonly Op[];
  /** In the child: joins every group. */
  readonly join: readonly Op[];
  readonly cleanup: readonly Op[];
  /** Where the kernel counts OOM kills ('' when it does not). */
  readonly oomPath: string;
  /** controller ('' on v2) -> directory of the container's group. */
  readonly paths: Readonly<Record<string, string>>;
}

/** The controllers of v1 that every container joins, besides those that it asks for (askedControllers). */
const always = ['memory', 'pids', 'cpu', 'cpuacct', 'devices', 'freezer', 'blkio'];

/** An annotation of the container's configuration. */
export const servicesAnnotation = 'run.hoist.systemd';

export function hasServices({ annotations }: Pick<OciConfig, 'annotations'>): boolean {
  return annotations[servicesAnnotation] === 'always';
}

/** `services`: its first process is a systemd, which on v1 wants a group of its own hierarchy to keep its services in. */
export function cgroupOps(group: string, resources: OciResources, facts: HostFacts, services = false): CgroupOps {
  const { version } = facts.cgroup;
  const paths = cgroupPaths(group, resources, facts, services);
  const limits = limitOps(paths, resources, facts);
  const entries = Object.entries(paths);
  const join = (name: string): Slot => `join:${name || 'cgroup'}`;
  return {
    setup: [
      ...parentOps(paths, facts),
      ...entries.map(([name, dir]) =>
        op('mkdir', { path: dir, mode: 0o755 }, `the container's ${name || 'v2'} cgroup`, k.EEXIST),
      ),
      ...limits,
      ...entries.map(([name, dir]) =>
        op(
          'open',
          {
            dir: undefined,
            path: `${dir}/${version === 2 ? 'cgroup.procs' : 'tasks'}`,
            flags: k.O_WRONLY,
            mode: 0,
            resolve: 0,
            out: join(name),
          },
          'the door of that cgroup, for the child',
        ),
      ),
    ],
    join: entries.flatMap(([name]) => [
      op('write', { slot: join(name), data: Buffer.from('0') }, `joins the ${name || 'v2'} cgroup`),
      op('close', { slot: join(name) }, 'used up: those inside may look at what an exec has open'),
    ]),
    cleanup: [
      ...entries.slice(0, 1).map(([, dir]) => op('cgroupKill', { path: dir }, 'nothing of the container outlives it')),
      ...entries.map(([, dir]) => op('rmdir', { path: dir }, 'the cgroup goes with the container')),
    ],
    oomPath: paths[''] ? `${paths['']}/memory.events` : paths['memory'] ? `${paths['memory']}/memory.oom_control` : '',
    paths,
  };
}

/** controller ('' on v2) -> directory of a container's group. */
function cgroupPaths(
  group: string,
  resources: OciResources,
  { cgroup }: HostFacts,
  services = false,
): Record<string, string> {
  const { version, mounts } = cgroup;
  if (version === 2) return mounts[''] === undefined ? {} : { '': `${mounts['']}${group}` };
  const paths: Record<string, string> = {};
  for (const name of [...always, ...askedControllers(resources), ...(services ? ['systemd'] : [])]) {
    const mount = mounts[name];
    // cpu and cpuacct are often one hierarchy under two names: one group is enough
    if (mount !== undefined && !Object.values(paths).includes(`${mount}${group}`)) paths[name] = `${mount}${group}`;
  }
  return paths;
}

/**
 * New limits for a container that runs. v1: memory alone must never be over memory and swap together, whichever of them
 * is written first, so the one that grows goes first (`grows`); a cpuset that it did not have is made, for its processes
 * to be moved to.
 */
export function updateOps(group: string, resources: OciResources, facts: HostFacts, grows: boolean): Op[] {
  const paths = cgroupPaths(group, resources, facts);
  const { cpuset } = paths;
  const ops = limitOps(paths, resources, facts);
  const isSwap = (one: Op): boolean => one.op === 'writeFile' && one.path.endsWith('memsw.limit_in_bytes');
  return [
    ...(cpuset ? [op('mkdir', { path: cpuset, mode: 0o755 }, "the container's cpuset cgroup", k.EEXIST)] : []),
    ...(grows ? [...ops.filter(isSwap), ...ops.filter((one) => !isSwap(one))] : ops),
  ];
}

/** Where a container's group of a controller is; '' where it has none (v2: always its one group). */
export function groupOf(group: string, controller: string, { cgroup }: HostFacts): string {
  const mount = cgroup.mounts[cgroup.version === 2 ? '' : controller];
  return mount === undefined ? '' : `${mount}${group}`;
}

/**
 * The path of a container's groups below every hierarchy. `parent`: --cgroup-parent, from the top of the hierarchy (a `..`
 * does not lead out of it); a systemd slice by its name alone is where systemd has it: `a-b.slice` in `a.slice`.
 */
export function containerGroup(id: string, parent = ''): string {
  if (parent === '') return `/hoist/${id}`;
  const slice = /^[^/]+\.slice$/.test(parent) && parent !== '-.slice' ? parent.slice(0, -'.slice'.length) : undefined;
  const parts = slice?.split('-') ?? [];
  const place = slice ? parts.map((_, depth) => `${parts.slice(0, depth + 1).join('-')}.slice`).join('/') : parent;
  const clean = path.posix.resolve('/', place === '-.slice' ? '' : place);
  return clean === '/' ? `/${id}` : `${clean}/${id}`;
}

/** The groups above a container's, made where they are missing; they stay. The engine's own is there (cgroupRootOps). */
function parentOps(groups: GroupPaths, { cgroup, cpus }: HostFacts): Op[] {
  return Object.entries(groups).flatMap(([name, dir]) => {
    const mount = cgroup.mounts[name] ?? '';
    const parts = path.posix.dirname(dir.slice(mount.length)).split('/').slice(1);
    if (parts[0] === 'hoist') return [];
    // where no engine has been: systemd hands down from the top what its own units ask for, often no cpuset
    const top = cgroup.version === 2 ? enableOps(mount, cgroup.controllers) : [];
    if (parts[0] === '') return top;
    const parents = parts.flatMap((_, depth) => {
      const above = `${mount}/${parts.slice(0, depth + 1).join('/')}`;
      const made = op('mkdir', { path: above, mode: 0o755 }, '--cgroup-parent', k.EEXIST);
      if (name === 'cpuset') return [made, ...cpusetOps(above, cpus)];
      return cgroup.version === 2 ? [made, ...enableOps(above, cgroup.controllers)] : [made];
    });
    return [...top, ...parents];
  });
}

function cpusetOps(dir: string, cpus: number): Op[] {
  return [
    put(`${dir}/cpuset.cpus`, `0-${cpus - 1}`, 'an empty cpuset takes no process', k.EACCES),
    put(`${dir}/cpuset.mems`, '0', 'an empty cpuset takes no process', k.EACCES),
  ];
}

/** One by one: a controller that cannot be had must not take the others with it. */
function enableOps(dir: string, controllers: readonly string[]): Op[] {
  return ['cpu', 'cpuset', 'hugetlb', 'io', 'memory', 'pids', 'rdma']
    .filter((name) => controllers.includes(name))
    .map((name) =>
      put(`${dir}/cgroup.subtree_control`, `+${name}`, 'containers may have limits of this kind', k.EBUSY),
    );
}

/**
 * The parent of all containers' groups, made once per engine, with what v1's cpuset and v2's controllers need. On v2 the
 * executor, whose children the keepers are, and `others` (the engine, who holds a user's namespaces) leave the group of who
 * started them: with a unit or a session systemd ends what is in its group (systemd.kill(5)), which would be every container
 * of the machine. They leave first: a group with processes hands no controllers down (cgroups(7)), and a delegated one has some.
 */
export function cgroupRootOps(facts: HostFacts, others: readonly number[], parent = '/hoist'): Op[] {
  const { version, mounts, controllers } = facts.cgroup;
  if (version === 2 && mounts[''] === undefined) return [];
  if (version === 2) {
    const top = mounts[''];
    const place = `${top}${parent}/engine`;
    return [
      op('mkdir', { path: `${top}${parent}`, mode: 0o755 }, 'the parent of all containers', k.EEXIST),
      op('mkdir', { path: place, mode: 0o755 }, 'for what containers depend on', k.EEXIST),
      ...[0, ...others].map((pid) =>
        put(`${place}/cgroup.procs`, pid, 'not ended with the unit or session that started it', k.ESRCH),
      ),
      ...enableOps(`${top}`, controllers),
      ...enableOps(`${top}${parent}`, controllers),
    ];
  }
  return Object.values(mounts)
    .map(
      (mount) =>
        op('mkdir', { path: `${mount}${parent}`, mode: 0o755 }, 'the parent of all containers', k.EEXIST) as Op,
    )
    .concat(mounts['cpuset'] === undefined ? [] : cpusetOps(`${mounts['cpuset']}${parent}`, facts.cpus));
}
