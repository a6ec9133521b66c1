// What this machine allows: tests that need more say why they are skipped.

import { spawnSync } from 'node:child_process';

/** undefined: containers run here. Otherwise one clause for the list of what was skipped. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux, this is ${process.platform}`;
  if (process.geteuid?.() !== 0) return 'not root';
  const tried = spawnSync('unshare', ['--mount', '--pid', '--net', '--ipc', '--uts', '--fork', 'true'], {
    encoding: 'utf8',
  });
  if (tried.error !== undefined) return 'no unshare program (package util-linux)';
  if (tried.status !== 0) return `no namespaces here: ${tried.stderr.trim()}`;
  return undefined;
}

/** The first of these programs that is not installed, as a clause; undefined when all are. */
export function whyNot(...programs: readonly string[]): string | undefined {
  for (const program of programs) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `no ${program} here`;
  }
  return undefined;
}
