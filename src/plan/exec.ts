// The plan of `exec`: one more process in a container that runs. It joins the namespaces of the container's first
// process by pidfd, and gets the same walls.

import type { OciConfig, OciProcess } from '../spec/oci/runtime.ts';
import type { CgroupOps } from './cgroup.ts';
import type { HookSubject } from './hooks.ts';
import type { ContainerInput } from './input.ts';
import { namespaceFlags } from './namespaces.ts';
import { k, op, type Plan, stage } from './ops.ts';
import { processOps } from './process.ts';
import { affinityOps, labelOps, oomOps } from './scheduling.ts';
import { listenerOps } from './seccomp-listener.ts';
import { streamOps } from './streams.ts';

export interface ExecInput {
  readonly process: OciProcess;
  readonly config: OciConfig;
  /** Host pid of the container's first process. */
  readonly pid: number;
  readonly cgroup: CgroupOps;
  readonly keeper: {
    readonly title: string;
    readonly socket: string;
    readonly stdin: boolean;
    readonly expect: number;
  };
  readonly subject?: HookSubject;
  readonly compileSeccomp: ContainerInput['compileSeccomp'];
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of ops in the order in which they happen
export function execPlan({ process, config, pid, cgroup, keeper, subject, compileSeccomp }: ExecInput): Plan {
  const streams = streamOps(process, keeper.stdin, 'root', false);
  const listener = listenerOps(config, subject);
  // it must be in a user namespace to have powers there, and every other one can be entered from outside
  const own = config.linux.namespaces.filter((one) => one.type !== 'pid');
  const pidNamespace = config.linux.namespaces.some((one) => one.type === 'pid');
  return {
    setup: [
      op('title', { name: keeper.title }, 'what ps shows for the keeper of this exec'),
      op('listen', { path: keeper.socket, mode: 0o600, out: 'listen' }, 'where terminals and the engine join'),
      op('report', { stage: stage.attachable }, 'they may join from now on'),
      op('pidfd', { pid, out: 'container' }, "the container's first process"),
      ...cgroup.setup.filter((one) => one.op === 'open'),
      ...listener.before,
      ...streams.setup,
      ...(pidNamespace
        ? [
            op(
              'setns',
              { slot: 'container', flags: k.CLONE_NEWPID },
              "children are born in the container's pid namespace",
            ),
          ]
        : []),
      op('clone', { flags: 0, cgroup: undefined, pidfd: 'pidfd' }, 'the new process'),
      ...oomOps(process, config),
      ...streams.forget,
      ...streams.receive,
      ...listener.after,
      op('awaitExec', {}, 'it runs the program, or says why not'),
      op('report', { stage: stage.running }, 'started'),
      op(
        'keep',
        {
          listen: 'listen',
          in: streams.stdin && !streams.terminal ? 'stdin' : undefined,
          out: streams.terminal ? undefined : 'stdout',
          err: streams.terminal ? undefined : 'stderr',
          tty: streams.terminal ? 'pty' : undefined,
          log: '',
          logMax: 0,
          logFiles: 0,
          exitPath: '',
          oomPath: '',
          flags: 1,
          expect: keeper.expect,
        },
        'stays with the process: its streams',
      ),
    ],
    child: [
      // The container's processes can see this one from setns on: they must not be able to trace it or read its memory.
      op('prctl', { option: k.PR_SET_DUMPABLE, a: 0, b: 0 }, 'out of reach of those inside until it is one of them'),
      ...labelOps(process).open,
      ...affinityOps(process.execCPUAffinity?.initial, 'until it is in its cgroups'),
      ...cgroup.join,
      ...affinityOps(process.execCPUAffinity?.final, 'from then on'),
      op(
        'setns',
        { slot: 'container', flags: own.reduce((all, one) => all | namespaceFlags[one.type], 0) },
        `shares its ${own.map((one) => one.type).join(', ')} namespaces`,
      ),
      op(
        'open',
        { dir: undefined, path: '/', flags: k.O_PATH, mode: 0, resolve: 0, out: 'root' },
        "the container's root",
      ),
      ...streams.open,
      ...processOps(process, streams, { config, compileSeccomp, init: false }),
    ],
    cleanup: [op('unlink', { path: keeper.socket }, 'nobody can join any more', k.ENOENT)],
  };
}
