// (OCI configuration, host facts) -> the plan of a container: pure, so it can be printed, compared and tested without root.
// Read top to bottom it is the life of a container; the order of the child's last steps follows what each one takes away
// from the process (see the comments at the lines).

import { cgroupOps, hasServices } from './cgroup.ts';
import { createHookOps, hasCreateHooks, hookOps } from './hooks.ts';
import type { ContainerInput } from './input.ts';
import { splitNamespaces } from './namespaces.ts';
import { k, op, type Plan, rootSlot as root, stage } from './ops.ts';
import { identityOps, processOps } from './process.ts';
import { directoryOps, enterOps, fileOps, filesystemOps, rootOps, sourceOps } from './rootfs.ts';
import { labelOps, oomOps, requireLabels } from './scheduling.ts';
import { listenerOps } from './seccomp-listener.ts';
import { keepOp, streamOps } from './streams.ts';

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a list of ops in the order in which they happen
export function containerPlan(input: ContainerInput): Plan {
  const { config, facts, keeper, network } = input;
  requireLabels(config.process, facts.lsm);
  const hooks = hasCreateHooks(config);
  const labels = labelOps(config.process);
  const listener = listenerOps(config, input.subject);
  const cgroup = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts, hasServices(config));
  const namespaces = splitNamespaces(config.linux, hooks);
  const streams = streamOps(config.process, keeper.stdin, root);
  return {
    setup: [
      op('title', { name: keeper.title }, 'what ps shows for the keeper'),
      op(
        'mkdir',
        { path: input.runDirectory, mode: 0o700 },
        'its place in the run root, which a reboot empties',
        k.EEXIST,
      ),
      op('listen', { path: keeper.socket, mode: 0o600, out: 'listen' }, 'where terminals and the engine join'),
      op('report', { stage: stage.attachable }, 'they may join from now on'),
      ...directoryOps(input),
      ...cgroup.setup,
      ...network.before,
      ...streams.setup,
      ...sourceOps(input),
      ...listener.before,
      ...namespaces.open,
      op(
        'clone',
        { flags: namespaces.flags, cgroup: undefined, pidfd: 'pidfd' },
        `the new process, in namespaces of its own: ${namespaces.names}`,
      ),
      ...namespaces.after,
      ...oomOps(config.process, config),
      ...streams.forget,
      ...(namespaces.user ? [] : fileOps(input)),
      ...network.setup,
      op('signal', {}, 'its files and its network are there'),
      ...streams.receive,
      ...createHookOps(input).keeper,
      ...listener.after,
      op('awaitExec', {}, 'it runs the program, or says why not'),
      op('report', { stage: stage.running }, 'started'),
      ...hookOps(config, 'poststart', input.subject),
      keepOp(keeper, streams, cgroup.oomPath),
    ],
    child: [
      op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
      ...cgroup.join,
      ...namespaces.join,
      ...rootOps(input),
      ...filesystemOps(input),
      ...streams.open,
      ...labels.open,
      ...createHookOps(input).child,
      ...enterOps(config),
      ...network.child,
      ...identityOps(config),
      ...processOps(config.process, streams, input),
    ],
    cleanup: [
      ...network.cleanup,
      ...cgroup.cleanup,
      op('unlink', { path: keeper.socket }, 'nobody can join any more', k.ENOENT),
      ...hookOps(config, 'poststop', input.subject),
    ],
  };
}
