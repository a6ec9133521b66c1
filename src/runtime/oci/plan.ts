// The plans of an OCI container's life: made from a bundle, carried out by the process that asked, with nobody to keep it.

import { granted } from '../../plan/capabilities.ts';
import { cgroupOps, hasServices } from '../../plan/cgroup.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { createHookOps, type HookSubject, hookOps } from '../../plan/hooks.ts';
import type { ContainerInput } from '../../plan/input.ts';
import { namespaceFlags, splitNamespaces } from '../../plan/namespaces.ts';
import { k, type Op, op, type Plan, rootSlot as root, stage } from '../../plan/ops.ts';
import { identityOps, processOps } from '../../plan/process.ts';
import { enterOps, filesystemOps, rootOps, sourceOps } from '../../plan/rootfs.ts';
import { affinityOps, labelOps, oomOps, requireLabels } from '../../plan/scheduling.ts';
import { listenerOps } from '../../plan/seccomp-listener.ts';
import { type Streams, streamOps } from '../../plan/streams.ts';
import type { OciConfig, OciMount, OciProcess } from '../../spec/oci/runtime.ts';
import type { OciPaths } from './records.ts';

export interface Terms {
  /** The terminal's master goes to this socket; '': to whoever carries the plan out. */
  readonly consoleSocket: string;
  /** Descriptors from 3 on that the process gets. */
  readonly passFds: number;
}

export interface BundleInput {
  readonly config: OciConfig;
  readonly rootfs: string;
  readonly paths: OciPaths;
  readonly facts: HostFacts;
  /** Stops before execve until `start`. */
  readonly wait: boolean;
  readonly terms: Terms;
  readonly subject: HookSubject;
  readonly sourceKind: (mount: OciMount) => 'directory' | 'file';
  readonly compileSeccomp: ContainerInput['compileSeccomp'];
}

export function bundlePlan(input: BundleInput): Plan {
  const { config, rootfs, paths, facts, wait, terms, subject, sourceKind } = input;
  requireLabels(config.process, facts.lsm);
  const cgroup = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts, hasServices(config));
  const namespaces = splitNamespaces(config.linux, true);
  const streams = inherited(config.process, root, true);
  const listener = listenerOps(config, subject);
  const planned = { config, facts, root: { directory: rootfs }, files: [], sourceKind };
  const hooks = createHookOps({ config, subject });
  return {
    setup: [
      ...(wait ? fifoOps(paths) : []),
      ...cgroup.setup,
      ...sourceOps(planned),
      ...listener.before,
      ...namespaces.open,
      op(
        'clone',
        { flags: namespaces.flags, cgroup: undefined, pidfd: 'pidfd' },
        `the new process, in namespaces of its own: ${namespaces.names}`,
      ),
      ...namespaces.after,
      ...oomOps(config.process, config),
      op('notePid', { path: paths.pid }, 'who it is, before it does much'),
      op('signal', {}, 'it may go on'),
      ...receiveOps(streams, terms),
      ...hooks.keeper,
      ...listener.after,
      wait
        ? op('await', {}, 'it is created, or says why not')
        : op('awaitExec', {}, 'it runs the program, or says why'),
      op('report', { stage: stage.running }, wait ? 'created' : 'started'),
      ...(wait ? [] : hookOps(config, 'poststart', subject)),
    ],
    child: [
      op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'until it is made it does not outlive its maker'),
      ...cgroup.join,
      ...namespaces.join,
      ...rootOps(planned),
      ...filesystemOps(planned),
      ...streams.open,
      ...labelOps(config.process).open,
      ...hooks.child,
      ...enterOps(config),
      ...identityOps(config),
      ...lastOps(granted(config.process, config, facts.capabilities), streams, input, wait),
    ],
    cleanup: cgroup.cleanup,
  };
}

function fifoOps({ dir }: OciPaths): Op[] {
  return [
    op('open', { dir: undefined, path: dir, flags: k.O_PATH, mode: 0, resolve: 0, out: 'state' }, 'its state'),
    op('mknod', { root: 'state', path: 'exec.fifo', mode: 0o010600, major: 0, minor: 0 }, 'what `start` opens'),
    op(
      'open',
      { dir: 'state', path: 'exec.fifo', flags: k.O_RDWR, mode: 0, resolve: 0, out: 'fifo' },
      'for the process, which waits there',
    ),
  ];
}

/** stdin, stdout and stderr are those of whoever asked, or a terminal whose master they get. */
function inherited(process: OciProcess, ptmxRoot: string, console: boolean): Streams {
  if (process.terminal) return streamOps(process, false, ptmxRoot, console);
  return { terminal: false, stdin: false, setup: [], forget: [], receive: [], open: [] };
}

function receiveOps(streams: Streams, { consoleSocket }: Terms): Op[] {
  if (!streams.terminal) return [];
  return [
    ...streams.receive,
    consoleSocket === ''
      ? op('relay', { slot: 'pty' }, 'served by the command in front')
      : op('giveFd', { path: consoleSocket, slot: 'pty', text: Buffer.from('/dev/ptmx') }, '--console-socket'),
  ];
}

/** processOps for one that keeps what it inherits and outlives who made it; `wait`: what is last happens at `start`. */
function lastOps(
  process: OciProcess,
  streams: Streams,
  { config, compileSeccomp, terms, subject }: Pick<BundleInput, 'config' | 'compileSeccomp' | 'terms' | 'subject'>,
  wait: boolean,
): Op[] {
  const all = processOps(process, streams, { config, compileSeccomp, init: false, subject }).filter(
    (one) => streams.terminal || (one.op !== 'stdio' && one.op !== 'chown'),
  );
  const last = all.findIndex((one) => one.op === 'hook' || one.op === 'exec');
  return [
    ...all.slice(0, last),
    ...all.flatMap((one) => (one.op === 'exec' ? [op('runnable', { paths: one.paths }, 'the program is there')] : [])),
    ...(terms.passFds > 0 ? [op('passFds', { count: terms.passFds }, '--preserve-fds')] : []),
    op('prctl', { option: k.PR_SET_PDEATHSIG, a: 0, b: 0 }, 'from here on it lives without its maker'),
    ...(wait ? [op('signal', {}, 'it is created'), op('awaitByte', { slot: 'fifo' }, 'until `start` says so')] : []),
    ...all.slice(last),
  ];
}

export interface ExecPlanInput {
  readonly process: OciProcess;
  readonly config: OciConfig;
  /** The container's first process. */
  readonly pid: number;
  readonly facts: HostFacts;
  readonly terms: Terms;
  readonly subject: HookSubject;
  readonly compileSeccomp: ContainerInput['compileSeccomp'];
}

/** One more process in a container, behind the same walls. */
export function ociExecPlan(input: ExecPlanInput): Plan {
  const { process, config, pid, facts, terms, subject } = input;
  const { namespaces, cgroupsPath, resources } = config.linux;
  const cgroup = cgroupOps(cgroupsPath, resources, facts, hasServices(config));
  const streams = inherited(process, root, false);
  const listener = listenerOps(config, subject);
  const shared = namespaces.filter(({ type }) => type !== 'pid');
  const flags = shared.reduce((all, { type }) => all | namespaceFlags[type], 0);
  const pidNamespace = namespaces.some(({ type }) => type === 'pid');
  return {
    setup: [
      op('pidfd', { pid, out: 'container' }, "the container's first process"),
      ...cgroup.setup.filter((one) => one.op === 'open' && one.out.startsWith('join:')),
      ...listener.before,
      ...(pidNamespace ? [op('setns', { slot: 'container', flags: k.CLONE_NEWPID }, 'born in its pid namespace')] : []),
      op('clone', { flags: 0, cgroup: undefined, pidfd: 'pidfd' }, 'the new process'),
      ...oomOps(process, config),
      ...receiveOps(streams, terms),
      ...listener.after,
      op('awaitExec', {}, 'it runs the program, or says why not'),
      op('report', { stage: stage.running }, 'started'),
    ],
    child: [
      op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'until it is made it does not outlive its maker'),
      op('prctl', { option: k.PR_SET_DUMPABLE, a: 0, b: 0 }, 'out of reach of those inside until it is one of them'),
      ...labelOps(process).open,
      ...affinityOps(process.execCPUAffinity?.initial, 'until it is in its cgroups'),
      ...cgroup.join,
      ...affinityOps(process.execCPUAffinity?.final, 'from then on'),
      ...(flags === 0 ? [] : [op('setns', { slot: 'container', flags }, "the container's other namespaces")]),
      op(
        'open',
        { dir: undefined, path: '/', flags: k.O_PATH, mode: 0, resolve: 0, out: root },
        "the container's root",
      ),
      ...streams.open,
      ...lastOps(granted(process, config, facts.capabilities), streams, input, false).filter(
        (one) => one.op !== 'hook',
      ),
    ],
    cleanup: [],
  };
}

/** Releases what `create` left waiting. */
export function startPlan(fifo: string, poststart: readonly Op[]): Plan {
  const release = op('release', { path: fifo }, 'the process that waits there goes on');
  return { setup: [release, op('unlink', { path: fifo }, 'started', k.ENOENT), ...poststart], child: [], cleanup: [] };
}

export function signalPlan(pid: number, started: bigint, signal: number): Plan {
  return { setup: [op('signalPid', { pid, started, signal }, 'the signal')], child: [], cleanup: [] };
}

/** `groups`: all of them, those inside others first. */
export function deletePlan(dir: string, groups: readonly string[], poststop: readonly Op[]): Plan {
  return {
    setup: [
      ...groups.map((path) => op('cgroupKill', { path }, 'nothing of the container outlives it')),
      ...groups.map((path) => op('rmdir', { path }, 'the cgroup goes with the container', k.ENOENT)),
      op('removeTree', { path: dir }, 'its state', k.ENOENT),
      ...poststop,
    ],
    child: [],
    cleanup: [],
  };
}
