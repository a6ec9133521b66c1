// The control groups of a container that runs: frozen and thawed, its processes, and their files read (cgroups(7),
// Documentation/admin-guide/cgroup-v1 and -v2). Where a group is says src/plan/cgroup.ts.

import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { errnoOf, fail } from '../base/errors.ts';

/** The text of a group's file; undefined where the kernel has no such file or the group is gone. */
export function readGroupFile(directory: string, file: string): string | undefined {
  if (directory === '') return undefined;
  try {
    return readFileSync(`${directory}/${file}`, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENODEV' || errno === 'EOPNOTSUPP') return undefined;
    throw error;
  }
}

/**
 * Pids on the host, of all threads' leaders; also of the groups below, which a container may make that runs systemd.
 * `init`: first process of a pid namespace, asked where there is no group.
 */
export function processesOf(directory: string, init = 0): readonly number[] {
  if (directory === '') return init > 0 ? inPidNamespaceOf(init) : [];
  const text = readGroupFile(directory, 'cgroup.procs') ?? '';
  const own = text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
  return [...own, ...groupsBelow(directory).flatMap((below) => processesOf(below))];
}

/** The kernel counts them as links: most have none, and are not read. */
function groupsBelow(directory: string): readonly string[] {
  try {
    if (statSync(directory).nlink < 3) return [];
    const entries = readdirSync(directory, { withFileTypes: true });
    return entries.filter((one) => one.isDirectory()).map(({ name }) => `${directory}/${name}`);
  } catch {
    return []; // it goes
  }
}

/**
 * Where one more process of a container can be put. v2 takes none into a group that hands controllers down (cgroups(7),
 * "no internal processes"), as systemd makes it of its container's group: then the first process's group is it.
 * Both are paths below the hierarchy at `mount`.
 */
export function groupToJoin(mount: string, path: string, pid: number): string {
  if ((readGroupFile(`${mount}${path}`, 'cgroup.subtree_control') ?? '').trim() === '') return path;
  const own = /^0::(.*)$/m.exec(readGroupFile(`/proc/${pid}`, 'cgroup') ?? '')?.[1] ?? '';
  return own.startsWith(`${path}/`) ? own : path;
}

function inPidNamespaceOf(init: number): readonly number[] {
  const namespaceOf = (pid: string | number): string | undefined => {
    try {
      return readlinkSync(`/proc/${pid}/ns/pid`);
    } catch {
      return undefined; // it ended, or is somebody else's
    }
  };
  const wanted = namespaceOf(init);
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return wanted === undefined ? [] : all.filter((pid) => namespaceOf(pid) === wanted).map(Number);
}

/** Every process of one group to another one, of another hierarchy; with what they start meanwhile. */
export function moveProcesses(from: string, to: string): void {
  for (let moved = -1; moved !== 0; ) {
    moved = 0;
    const there = new Set(processesOf(to));
    for (const pid of processesOf(from)) {
      if (there.has(pid)) continue;
      try {
        writeFileSync(`${to}/cgroup.procs`, String(pid));
        moved++;
      } catch (error) {
        if (errnoOf(error) !== 'ESRCH') throw error;
      }
    }
  }
}

export function isFrozen(directory: string, version: 1 | 2): boolean {
  if (version === 2) return /^frozen 1$/m.test(readGroupFile(directory, 'cgroup.events') ?? '');
  return (readGroupFile(directory, 'freezer.state') ?? '').trim() === 'FROZEN';
}

const freezeLimitMs = 10_000;

/** Resolves when no process of the group runs any more. Fails with `cgroup.freeze`, and leaves it thawed then. */
export async function freeze(directory: string, version: 1 | 2): Promise<void> {
  const deadline = Date.now() + freezeLimitMs;
  for (let pause = 0; ; pause = Math.min(pause + 1, 20)) {
    write(directory, version, true); // v1: written again, it takes what was forked meanwhile
    if (isFrozen(directory, version)) return;
    if (Date.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  thaw(directory, version);
  fail('system', 'cgroup.freeze', `the processes of ${directory} did not freeze within 10 seconds`);
}

export function thaw(directory: string, version: 1 | 2): void {
  write(directory, version, false);
}

function write(directory: string, version: 1 | 2, frozen: boolean): void {
  if (directory === '')
    fail('unavailable', 'cgroup.no_freezer', 'this machine has no freezer cgroup controller mounted');
  if (version === 2) writeFileSync(`${directory}/cgroup.freeze`, frozen ? '1' : '0');
  else writeFileSync(`${directory}/freezer.state`, frozen ? 'FROZEN' : 'THAWED');
}
