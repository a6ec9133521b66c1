// What differs where Hoist is root of a user namespace alone: plans are made as for root, and changed here, op by op.
// Pure. Each op of the result knows which one it stands for, so that a failure and an answer find their way back.

import type { UserNamespace } from './facts.ts';
import { k, type Op, op, type Plan } from './ops.ts';

type Section = 'setup' | 'child' | 'cleanup';

export interface AdaptedPlan {
  readonly plan: Plan;
  /** By section: the index in the plan that was given, for each op of the new one. */
  readonly origin: Readonly<Record<Section, readonly number[]>>;
}

export function adaptPlan(given: Plan, facts: UserNamespace): AdaptedPlan {
  const clone = given.setup.find((one) => one.op === 'clone');
  const ownPids = [...given.setup, ...given.child].some(
    (one) =>
      (one.op === 'clone' && (Number(one.flags) & k.CLONE_NEWPID) !== 0) ||
      (one.op === 'setns' && one.flags === k.CLONE_NEWPID),
  );
  const section = (ops: readonly Op[]): { ops: Op[]; origin: number[] } => {
    const made: { ops: Op[]; origin: number[] } = { ops: [], origin: [] };
    ops.forEach((one, index) => {
      for (const changed of adaptOp(one, facts, ownPids)) {
        made.ops.push(changed);
        made.origin.push(index);
      }
    });
    return made;
  };
  const setup = section(given.setup);
  const child = section(given.child);
  const cleanup = section(given.cleanup);
  if (facts.network !== undefined) {
    // published ports are bound in the user's own network, everything after that is done in the namespace
    const at =
      clone !== undefined && Number(clone.flags) !== 0
        ? setup.ops.findIndex((one) => one.op === 'clone')
        : clone === undefined && [...setup.ops, ...cleanup.ops].some(touchesNetwork)
          ? 0
          : -1;
    if (at >= 0) {
      const from = setup.origin[at] ?? 0;
      setup.ops.splice(at, 0, ...enterOps(facts.network));
      setup.origin.splice(at, 0, from, from);
    }
  }
  return {
    plan: { setup: setup.ops, child: child.ops, cleanup: cleanup.ops },
    origin: { setup: setup.origin, child: child.origin, cleanup: cleanup.origin },
  };
}

/** Whether a plan of the executor's own must not be carried out by the executor itself, which stays where it is. */
export function touchesNetwork(one: Op): boolean {
  return one.op === 'netlink' || (one.op === 'writeFile' && one.path.startsWith('/proc/sys/net/'));
}

function enterOps(network: string): Op[] {
  return [
    op(
      'open',
      { dir: undefined, path: network, flags: k.O_RDONLY, mode: 0, resolve: 0, out: 'user-network' },
      "the network namespace of this user's containers",
    ),
    op('setns', { slot: 'user-network', flags: k.CLONE_NEWNET }, 'where bridges are, behind pasta'),
  ];
}

function adaptOp(one: Op, facts: UserNamespace, ownPids: boolean): Op[] {
  switch (one.op) {
    case 'mountClassic':
      if (one.fstype !== 'overlay' || one.data.includes('userxattr')) return [one];
      return [{ ...one, data: `${one.data},userxattr` }];
    case 'setxattr':
      return [one.name.startsWith('trusted.overlay.') ? { ...one, name: userMark(one.name) } : one];
    case 'xattrs':
      return [{ ...one, names: one.names.map(userMark) }];
    case 'ids': // setgroups(2) is denied there, and there is nobody else to become
      return facts.groups || one.uid !== 0 || one.gid !== 0 ? [one] : [];
    case 'deviceFilter': // bpf(2) is refused there; it needs none: no device can be made, the host's nodes have their modes
      return [];
    case 'fsmount':
      if (one.fstype === 'proc' && !ownPids) {
        const flags = k.OPEN_TREE_CLONE | k.AT_RECURSIVE;
        return [op('openTree', { dir: undefined, path: '/proc', flags, out: one.out }, `${one.why}: that of the host`)];
      }
      return [{ ...one, options: one.options.filter((option) => !unmapped(option, facts)) }];
    default:
      return [one];
  }
}

/** `gid=5` of devpts, where there is no such group. */
function unmapped(option: string, { uids, gids }: UserNamespace): boolean {
  const [, kind, id] = /^([ug]id)=(\d+)$/.exec(option) ?? [];
  return kind !== undefined && Number(id) >= (kind === 'uid' ? uids : gids);
}

function userMark(name: string): string {
  return name.replace(/^trusted\.overlay\./, 'user.overlay.');
}
