// OCI linux.namespaces -> clone flags, and ops that open and join those that exist already.

import type { OciNamespace } from '../spec/oci/runtime.ts';
import { k, type Op, op, type Slot } from './ops.ts';

export interface Namespaces {
  readonly flags: number;
  readonly names: string;
  readonly open: readonly Op[];
  readonly join: readonly Op[];
}

const cloneFlags: Readonly<Record<OciNamespace['type'], number>> = {
  mount: k.CLONE_NEWNS,
  pid: k.CLONE_NEWPID,
  network: k.CLONE_NEWNET,
  ipc: k.CLONE_NEWIPC,
  uts: k.CLONE_NEWUTS,
  cgroup: k.CLONE_NEWCGROUP,
  user: k.CLONE_NEWUSER,
  time: k.CLONE_NEWTIME,
};

export function splitNamespaces(all: readonly OciNamespace[]): Namespaces {
  const fresh = all.filter((one) => one.path === undefined);
  const joined = all.filter((one): one is Required<OciNamespace> => one.path !== undefined);
  // A cgroup namespace is rooted where the process is when it is made: after the cgroups were joined, so not in clone.
  const cloned = fresh.filter((one) => one.type !== 'cgroup');
  const slot = (one: OciNamespace): Slot => `ns:${one.type}`;
  return {
    flags: cloned.reduce((flags, one) => flags | cloneFlags[one.type], 0) >>> 0,
    names: fresh.map((one) => one.type).join(', '),
    open: joined.flatMap((one) => [
      op(
        'open',
        { dir: undefined, path: one.path, flags: k.O_RDONLY, mode: 0, resolve: 0, out: slot(one) },
        `the ${one.type} namespace to share`,
      ),
      // a pid namespace is entered by children alone
      ...(one.type === 'pid'
        ? [op('setns', { slot: slot(one), flags: k.CLONE_NEWPID }, 'children are born in that pid namespace')]
        : []),
    ]),
    join: [
      ...joined
        .filter((one) => one.type !== 'pid')
        .map((one) =>
          op('setns', { slot: slot(one), flags: cloneFlags[one.type] }, `shares the ${one.type} namespace`),
        ),
      ...fresh
        .filter((one) => one.type === 'cgroup')
        .map(() => op('unshare', { flags: k.CLONE_NEWCGROUP }, 'its own cgroups look like the root of all')),
    ],
  };
}
