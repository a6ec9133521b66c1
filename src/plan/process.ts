// The last steps of a process before execve, common to run and exec. Their order follows what each one takes away.

import type { OciConfig, OciProcess } from '../spec/oci/runtime.ts';
import { capabilityMask } from './capabilities.ts';
import { hookOps } from './hooks.ts';
import type { ContainerInput } from './input.ts';
import { k, type Op, op } from './ops.ts';
import { parseRlimit } from './rlimits.ts';
import { labelOps, schedulingOps } from './scheduling.ts';
import { seccompOps } from './seccomp-listener.ts';
import type { Streams } from './streams.ts';

export function identityOps(config: OciConfig): Op[] {
  return [
    ...(config.hostname ? [op('hostname', { name: config.hostname }, '--hostname')] : []),
    ...(config.domainname ? [op('domainname', { name: config.domainname }, '--domainname')] : []),
  ];
}

/** The last steps of the process, common to run and exec. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of ops in the order in which they happen
export function processOps(
  process: OciProcess,
  streams: Streams,
  input: Pick<ContainerInput, 'config' | 'compileSeccomp' | 'init' | 'subject'>,
): Op[] {
  const { user, capabilities } = process;
  const profile = input.config.linux.seccomp;
  const seccomp = profile ? seccompOps(profile, input.compileSeccomp(profile)) : [];
  const path = process.env.find((entry) => entry.startsWith('PATH='))?.slice(5) ?? '';
  const command = process.args[0] ?? '';
  return [
    op(
      'session',
      { tty: streams.terminal ? 'tty' : undefined },
      streams.terminal ? 'a session with the terminal as its own' : 'a session of its own',
    ),
    streams.terminal
      ? op('stdio', { in: 'tty', out: 'tty', err: 'tty' }, 'the terminal as stdin, stdout and stderr')
      : op(
          'stdio',
          { in: streams.stdin ? 'stdin.child' : undefined, out: 'stdout.child', err: 'stderr.child' },
          'the pipes as stdin, stdout and stderr',
        ),
    ...ownershipOps(process, streams),
    ...process.rlimits.map((limit) =>
      op(
        'rlimit',
        {
          resource: parseRlimit(limit.type),
          soft: limit.soft < 0 ? 0xffffffffffffffffn : limit.soft,
          hard: limit.hard < 0 ? 0xffffffffffffffffn : limit.hard,
        },
        `--ulimit ${limit.type}`,
      ),
    ),
    ...(process.oomScoreAdj === undefined || input.config.linux.namespaces.some(({ type }) => type === 'user')
      ? []
      : [
          op(
            'writeFile',
            {
              dir: undefined,
              path: '/proc/self/oom_score_adj',
              data: Buffer.from(String(process.oomScoreAdj)),
              flags: k.O_WRONLY,
              mode: 0,
            },
            '--oom-score-adj',
          ),
        ]),
    ...schedulingOps(process, input.config),
    // Installing a filter needs CAP_SYS_ADMIN unless no-new-privileges is set: before the capabilities go, or after it.
    ...(process.noNewPrivileges ? [] : seccomp),
    op('ids', { uid: user.uid, gid: user.gid, groups: groupBytes(user.additionalGids) }, 'its user and groups'),
    op(
      'capabilities',
      {
        effective: capabilityMask(capabilities.effective),
        permitted: capabilityMask(capabilities.permitted),
        inheritable: capabilityMask(capabilities.inheritable),
        bounding: capabilityMask(capabilities.bounding),
        ambient: capabilityMask(capabilities.ambient),
      },
      'what is left of the power of root',
    ),
    ...(process.noNewPrivileges
      ? [
          op('prctl', { option: k.PR_SET_NO_NEW_PRIVS, a: 1, b: 0 }, 'no program gains privileges by being set-uid'),
          ...seccomp,
        ]
      : []),
    op('umask', { mode: user.umask ?? 0o022 }, 'the usual umask'),
    // changing the user clears it, prctl(2)
    op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
    op('chdir', { path: process.cwd }, 'the working directory, as that user may enter it'),
    ...(input.init ? [op('init', {}, '--init: a pid 1 that reaps orphans and passes signals on')] : []),
    ...hookOps(input.config, 'startContainer', input.subject),
    ...labelOps(process).write,
    op('exec', { paths: candidates(command, path), argv: process.args, env: process.env }, 'the program'),
  ];
}

/** A user that is not root can open /dev/stdout and its terminal only as their owner; the groups stay. */
function ownershipOps({ user }: OciProcess, streams: Streams): Op[] {
  if (user.uid === 0) return [];
  const pipes = streams.stdin ? ['stdin.child', 'stdout.child', 'stderr.child'] : ['stdout.child', 'stderr.child'];
  return (streams.terminal ? ['tty'] : pipes).map((slot) =>
    op('chown', { slot, uid: user.uid, gid: unchanged }, "/dev/stdin, stdout and stderr are the user's to open"),
  );
}

/** chown(2): -1 */
const unchanged = 0xffffffff;

/** Where execvp(3) would look. A relative directory in PATH is honoured as the shell does. */
export function candidates(command: string, path: string): string[] {
  if (command.includes('/')) return [command];
  return path.split(':').map((dir) => `${dir || '.'}/${command}`);
}

function groupBytes(groups: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(groups.length * 4);
  groups.forEach((gid, index) => {
    bytes.writeUInt32LE(gid, index * 4);
  });
  return bytes;
}
