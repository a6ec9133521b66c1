// OCI linux.namespaces -> clone flags, and ops that open, make and join them, with their id maps and clock offsets.
//
// A namespace belongs to the user namespace that its maker is in. Where a user namespace is new and nothing is joined, one
// clone makes all. Where others are joined, or the user namespace is, the child joins what exists while it has the host's
// powers, the user namespace last, and makes the rest by `reclone`: a sibling of it goes on.

import type { OciIdMapping, OciLinux, OciNamespace } from '../spec/oci/runtime.ts';
import { k, type Op, op, type Slot } from './ops.ts';

export interface Namespaces {
  readonly flags: number;
  readonly names: string;
  /** In the keeper, before clone. */
  readonly open: readonly Op[];
  /** In the keeper, right after clone. */
  readonly after: readonly Op[];
  /** In the child. */
  readonly join: readonly Op[];
  /** It runs in a user namespace that is not the host's: nodes cannot be made, sources must be opened before. */
  readonly user: boolean;
}

export const namespaceFlags: Readonly<Record<OciNamespace['type'], number>> = {
  mount: k.CLONE_NEWNS,
  pid: k.CLONE_NEWPID,
  network: k.CLONE_NEWNET,
  ipc: k.CLONE_NEWIPC,
  uts: k.CLONE_NEWUTS,
  cgroup: k.CLONE_NEWCGROUP,
  user: k.CLONE_NEWUSER,
  time: k.CLONE_NEWTIME,
};

type Joined = Required<OciNamespace>;
type Given = Pick<OciLinux, 'namespaces'> & Partial<Pick<OciLinux, 'uidMappings' | 'gidMappings' | 'timeOffsets'>>;

/** `returns`: the keeper goes on making children of the host's namespaces afterwards (hooks). */
export function splitNamespaces(linux: Given, returns = false): Namespaces {
  const all = linux.namespaces;
  const fresh = all.filter((one) => one.path === undefined);
  const joined = all.filter((one): one is Joined => one.path !== undefined);
  const user = all.find((one) => one.type === 'user');
  const others = joined.filter((one) => one.type !== 'pid' && one.type !== 'user');
  // A cgroup namespace is rooted where the process is when it is made: after the cgroups were joined, so not in clone.
  const cloned = fresh.filter((one) => one.type !== 'cgroup' && one.type !== 'time');
  const twice = user !== undefined && (user.path !== undefined || others.length > 0);
  const flags = cloned.reduce((bits, one) => bits | namespaceFlags[one.type], 0) >>> 0;
  const time = fresh.some((one) => one.type === 'time');
  return {
    flags: twice ? 0 : flags,
    names: fresh.map((one) => one.type).join(', '),
    open: [...joined.flatMap((one) => openOps(one, returns)), ...(time ? clockOps(linux) : [])],
    after: [
      ...(time ? [setns('own:time', k.CLONE_NEWTIME, 'the keeper stays with the clocks of the host')] : []),
      ...(returns && joined.some((one) => one.type === 'pid')
        ? [setns('own:pid', k.CLONE_NEWPID, 'hooks are born in the pid namespace of the host')]
        : []),
      ...(twice ? [op('adopt', {}, 'the process that the first one leaves behind')] : []),
      ...(user !== undefined && user.path === undefined ? mapOps(linux) : []),
    ],
    join: [
      ...others.map((one) => setns(slotOf(one), namespaceFlags[one.type], `shares the ${one.type} namespace`)),
      ...(user?.path === undefined ? [] : [setns(slotOf(user), k.CLONE_NEWUSER, 'shares the user namespace')]),
      ...(twice
        ? [
            op('reclone', { flags }, 'the rest of its namespaces, which belong to that user namespace'),
            op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
          ]
        : []),
      ...(user === undefined ? [] : becomeRoot(user, linux)),
      ...fresh
        .filter((one) => one.type === 'cgroup')
        .map(() => op('unshare', { flags: k.CLONE_NEWCGROUP }, 'its own cgroups look like the root of all')),
    ],
    user: user !== undefined,
  };
}

const slotOf = (one: OciNamespace): Slot => `ns:${one.type}`;

const setns = (slot: Slot, flags: number, why: string): Op => op('setns', { slot, flags }, why);

const openNamespace = (path: string, out: Slot, why: string): Op =>
  op('open', { dir: undefined, path, flags: k.O_RDONLY, mode: 0, resolve: 0, out }, why);

function openOps(one: Joined, returns: boolean): Op[] {
  const open = openNamespace(one.path, slotOf(one), `the ${one.type} namespace to share`);
  if (one.type !== 'pid') return [open];
  // a pid namespace is entered by children alone
  return [
    open,
    ...(returns ? [openNamespace('/proc/self/ns/pid', 'own:pid', 'the way back')] : []),
    setns(slotOf(one), k.CLONE_NEWPID, 'children are born in that pid namespace'),
  ];
}

/** Offsets can be written until the first process is in: so it is made by the keeper, for its child. */
function clockOps({ timeOffsets = {} }: Given): Op[] {
  const lines = Object.entries(timeOffsets).map(([clock, { secs, nanosecs }]) => `${clock} ${secs} ${nanosecs}\n`);
  return [
    openNamespace('/proc/self/ns/time', 'own:time', 'the way back'),
    op('unshare', { flags: k.CLONE_NEWTIME }, 'children are born with clocks of their own'),
    ...(lines.length === 0
      ? []
      : [
          op(
            'writeFile',
            {
              dir: undefined,
              path: '/proc/self/timens_offsets',
              data: Buffer.from(lines.join('')),
              flags: k.O_WRONLY,
              mode: 0,
            },
            'OCI linux.timeOffsets',
          ),
        ]),
  ];
}

/** The text of /proc/<pid>/uid_map. */
export function idMapText(mappings: readonly OciIdMapping[]): Uint8Array {
  return Buffer.from(mappings.map((one) => `${one.containerID} ${one.hostID} ${one.size}\n`).join(''));
}

function mapOps({ uidMappings = [], gidMappings = [] }: Given): Op[] {
  return [
    op('childFile', { path: 'uid_map', data: idMapText(uidMappings) }, 'OCI linux.uidMappings: who is who in there'),
    op('childFile', { path: 'gid_map', data: idMapText(gidMappings) }, 'OCI linux.gidMappings'),
    op('signal', {}, 'it has ids now'),
  ];
}

/** In its user namespace it has every capability, but files that it makes need an owner that is mapped. */
function becomeRoot(user: OciNamespace, { uidMappings = [], gidMappings = [] }: Given): Op[] {
  const first = (mappings: readonly OciIdMapping[]): number =>
    mappings.some(({ containerID }) => containerID === 0) ? 0 : (mappings[0]?.containerID ?? 0);
  return [
    ...(user.path === undefined ? [op('await', {}, 'for its ids, which the keeper writes')] : []),
    op(
      'ids',
      { uid: first(uidMappings), gid: first(gidMappings), groups: new Uint8Array(0) },
      'root of its user namespace, while it sets itself up',
    ),
  ];
}
