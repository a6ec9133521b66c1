// Whether this process is root of a user namespace alone, and what it has there: ids, cgroups that are its own.

import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CgroupFacts, UserNamespace } from '../plan/facts.ts';

/** Undefined where root is root. `HOIST_NAMESPACE`: who holds the namespaces (native/user.c). */
export function userNamespaceFacts(holder = process.env['HOIST_NAMESPACE']): UserNamespace | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const uids = readFileSync('/proc/self/uid_map', 'utf8');
  if (/^\s*0\s+0\s+4294967295\s*$/.test(uids)) return undefined;
  return {
    uids: mappedFrom0(uids),
    gids: mappedFrom0(readFileSync('/proc/self/gid_map', 'utf8')),
    groups: readFileSync('/proc/self/setgroups', 'utf8').trim() === 'allow',
    network: holder === undefined ? undefined : `/proc/${holder}/ns/net`,
  };
}

/** How many ids there are from 0 on without a gap (user_namespaces(7)). */
export function mappedFrom0(text: string): number {
  const ranges = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .sort(([a = 0], [b = 0]) => a - b);
  let end = 0;
  for (const [inside = 0, , count = 0] of ranges) if (inside === end) end += count;
  return end;
}

/** Of the machine's cgroups those that are delegated to this user: on v2 the highest directory above this process. */
export function delegatedCgroups(all: CgroupFacts): CgroupFacts {
  if (all.version === 1) {
    return { ...all, mounts: Object.fromEntries(Object.entries(all.mounts).filter(([, dir]) => writable(dir))) };
  }
  const mount = all.mounts[''] ?? '';
  let at = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  let top: string | undefined;
  for (; ; at = path.dirname(at)) {
    const dir = path.join(mount, at);
    if (['', 'cgroup.procs', 'cgroup.subtree_control'].every((file) => writable(path.join(dir, file)))) top = dir;
    else if (top !== undefined) break;
    if (at === '/') break;
  }
  if (top === undefined) return { version: 2, mounts: {}, controllers: [] };
  const controllers = readFileSync(path.join(top, 'cgroup.controllers'), 'utf8').trim().split(' ');
  return { version: 2, mounts: { '': top }, controllers };
}

function writable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
