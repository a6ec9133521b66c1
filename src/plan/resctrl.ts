// OCI linux.intelRdt: the share of a processor's cache and memory bandwidth, as a group of the resctrl file system.

import path from 'node:path';
import { fail } from '../base/errors.ts';
import type { OciConfig } from '../spec/oci/runtime.ts';
import type { HostFacts } from './facts.ts';
import { put } from './limits.ts';
import { k, type Op, op } from './ops.ts';

/** In the keeper: the group and what it gets. In the child: joins it, writing 0. */
export function resctrlOps(
  { linux }: OciConfig,
  { resctrl }: HostFacts,
): { readonly keeper: Op[]; readonly child: Op[] } {
  const { intelRdt } = linux;
  if (!intelRdt) return { keeper: [], child: [] };
  if (resctrl === undefined)
    fail('unsupported', 'resctrl.unavailable', 'linux.intelRdt: this machine has no resctrl file system mounted');
  const group = `${resctrl}/${intelRdt.closID ?? path.posix.basename(linux.cgroupsPath)}`;
  const why = 'OCI linux.intelRdt';
  const lines = [intelRdt.l3CacheSchema, intelRdt.memBwSchema].filter((line) => line !== undefined && line !== '');
  return {
    keeper: [
      op('mkdir', { path: group, mode: 0o755 }, `${why}: its group`, k.EEXIST),
      ...lines.map((line) => put(`${group}/schemata`, `${line}\n`, why)),
      op(
        'open',
        { dir: undefined, path: `${group}/tasks`, flags: k.O_WRONLY, mode: 0, resolve: 0, out: 'resctrl' },
        `${why}: the door of the group`,
      ),
    ],
    child: [
      op('write', { slot: 'resctrl', data: Buffer.from('0') }, `${why}: joins the group`),
      op('close', { slot: 'resctrl' }, 'used up'),
    ],
  };
}
