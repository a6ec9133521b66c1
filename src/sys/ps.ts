// The `ps` of this machine, whose columns users know; a few of our own where there is none.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';

export type PsOutput = { readonly text: string } | { readonly problem: string };

/** Runs `ps` with these words; undefined: this machine has none. */
export function runPs(args: readonly string[]): Promise<PsOutput | undefined> {
  return new Promise((resolve) => {
    execFile('ps', args, { maxBuffer: 64 << 20, env: { PATH: process.env['PATH'] ?? '' } }, (error, stdout, stderr) => {
      if (!error) resolve({ text: stdout });
      else if (errnoOf(error) === 'ENOENT') resolve(undefined);
      else resolve({ problem: stderr.split('\n')[0] || `Error running ps: ${error.message.split('\n')[0]}` });
    });
  });
}

/** What /proc says of some processes, as `ps -o uid,pid,ppid,tty,time,cmd` would. */
export function psTable(pids: readonly number[]): { titles: readonly string[]; rows: readonly (readonly string[])[] } {
  const rows = pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = Number(fields[11]) + Number(fields[12]);
      const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '?';
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      return [[uid, String(pid), fields[1] ?? '?', '?', clock(ticks / 100), words || `[${name}]`]];
    } catch {
      return []; // it ended
    }
  });
  return { titles: ['UID', 'PID', 'PPID', 'TTY', 'TIME', 'CMD'], rows };
}

function clock(seconds: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
