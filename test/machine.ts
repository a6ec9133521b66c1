// What this machine allows: tests that need more say why they are skipped. Asked once per test file.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Tried in throw-away namespaces; each step names itself, so that the last name printed is what failed. */
const steps = `
set -e
echo 'a mount namespace'; mount --make-rprivate /
echo 'a tmpfs'; mount -t tmpfs none /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/merged
echo 'an overlay'; mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work none /mnt/merged
echo 'a /proc of its own'; mount -t proc none /proc
echo 'a loopback interface'; ip link set lo up
`;

/** Where a cgroup can be made: the unified tree, or the hierarchies of v1. */
const cgroups = `
set -e
for dir in /sys/fs/cgroup/memory /sys/fs/cgroup; do
  if [ -e $dir/cgroup.procs ]; then mkdir $dir/hoist-try-$$ && rmdir $dir/hoist-try-$$ && exit 0; exit 1; fi
done
exit 1
`;

const lastLine = (text: string): string => text.trim().split('\n').pop() ?? '';

/** undefined: containers run here. Otherwise one clause for the list of what was skipped. */
export function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return `containers need Linux, this is ${process.platform}`;
  if (process.geteuid?.() !== 0) return 'containers need root';
  if (!existsSync(fileURLToPath(new URL('../bin/hoist', import.meta.url)))) return 'bin/hoist is not built';
  if (!/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8')))
    return 'root is only the root of a user namespace here';
  const namespaces = ['--mount', '--pid', '--net', '--ipc', '--uts', '--cgroup', '--fork'];
  const tried = spawnSync('unshare', [...namespaces, 'sh', '-c', steps], { encoding: 'utf8' });
  if (tried.error !== undefined) return 'no unshare program here (package util-linux)';
  if (tried.status !== 0 && tried.stdout === '') return `this machine forbids namespaces: ${lastLine(tried.stderr)}`;
  if (tried.status !== 0) return `this machine forbids ${lastLine(tried.stdout)}: ${lastLine(tried.stderr)}`;
  const made = spawnSync('sh', ['-c', cgroups], { encoding: 'utf8' });
  if (made.status !== 0) return `no cgroup can be made here: ${lastLine(made.stderr) || 'no hierarchy is mounted'}`;
  return undefined;
}

/** undefined: file systems can be mounted and trusted attributes set, in the namespaces that tests run in. */
export function whyNoMounts(): string | undefined {
  if (process.geteuid?.() !== 0) return 'mounting needs root';
  const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? undefined : 'this machine forbids mounting';
}

/** The first of these programs that is not installed, as a clause; undefined when all are. */
export function whyNot(...programs: readonly string[]): string | undefined {
  for (const program of programs) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `no ${program} here`;
  }
  return undefined;
}
