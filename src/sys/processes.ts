// Processes of the host, as /proc has them (proc_pid_stat(5)).

import { readFileSync } from 'node:fs';
import { processesOf } from './cgroup.ts';

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]); // the name may have any character
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {} // gone already
}

/**
 * SIGKILL to `root` and all that it has started, of the processes in a cgroup: pids that somebody else has got meanwhile
 * are not in it. They are stopped first, until none is new: who is stopped starts no more.
 */
export function killDescendants(root: number, cgroup: string): void {
  const found = new Set<number>();
  if (processesOf(cgroup).includes(root)) found.add(root);
  for (let before = -1; found.size > 0 && before !== found.size; ) {
    before = found.size;
    for (const pid of found) signal(pid, 'SIGSTOP');
    for (const pid of processesOf(cgroup)) if (found.has(parentOf(pid) ?? 0)) found.add(pid);
  }
  for (const pid of found) signal(pid, 'SIGKILL');
}
