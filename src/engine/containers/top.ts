// top: the rows of the machine's `ps` that are processes of the container.

import { fail } from '../../base/errors.ts';
import { groupOf } from '../../plan/cgroup.ts';
import type { ContainerTop } from '../../spec/docker/container.ts';
import { processesOf } from '../../sys/cgroup.ts';
import { psTable, runPs } from '../../sys/ps.ts';
import type { ContainerPool, Live } from './deps.ts';
import { groupPath } from './record.ts';
import { requireRunning } from './stop.ts';
import { tell } from './tell.ts';

export async function topContainer(pool: ContainerPool, live: Live, psArgs: string): Promise<ContainerTop> {
  const words = psArgs === '' ? '-ef' : psArgs;
  for (const [, key] of words.matchAll(/\s+(\S*)=\s*PID\S*/g))
    if (key !== 'pid') fail('invalid', 'top.title', `specifying "${key}=PID" is not allowed`);
  requireRunning(live);
  const pids = processesOf(
    groupOf(groupPath(live.record), 'pids', pool.deps.facts),
    live.record.hostConfig.PidMode === 'host' ? 0 : live.record.state.pid,
  );
  const args = words.split(' ').filter((word) => word !== '');
  const first = await runPs([...args, `-q${pids.join(',')}`]);
  if (first === undefined) {
    const { titles, rows } = psTable(pids);
    tell(pool, live.record, 'top');
    return { Titles: titles, Processes: rows };
  }
  // some options of ps cannot be had together with -q
  const output = 'text' in first ? first : await runPs(args);
  if (output === undefined || 'problem' in output)
    return fail('system', 'top.ps', output?.problem ?? 'Error running ps');
  const top = rowsOf(output.text, new Set(pids));
  tell(pool, live.record, 'top');
  return top;
}

/** Pure: the columns of ps, and the rows of these processes (with -T or -m, of their threads too). */
export function rowsOf(text: string, pids: ReadonlySet<number>): ContainerTop {
  const [head = '', ...lines] = text.split('\n');
  const cells = (line: string): string[] => line.split(/[\t\v\f\r ]+/).filter((cell) => cell !== '');
  const Titles = cells(head);
  const at = Titles.indexOf('PID');
  if (at < 0) fail('system', 'top.no_pid', "Couldn't find PID field in ps output");
  let ofThread = false;
  const Processes: string[][] = [];
  for (const line of lines) {
    const fields = cells(line);
    if (fields.length === 0) continue;
    const pid = fields[at] ?? '';
    if (pid !== '-') ofThread = pids.has(Number(pid));
    if (ofThread) Processes.push([...fields.slice(0, Titles.length - 1), fields.slice(Titles.length - 1).join(' ')]);
  }
  return { Titles, Processes };
}
