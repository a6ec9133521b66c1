// (OCI configuration, host facts) -> the plan of a container: pure, so it can be printed, compared and tested without root.
// Read top to bottom it is the life of a container; the order of the child's last steps follows what each one takes away
// from the process (see the comments at the lines).

import { cgroupOps } from './cgroup.ts';
import type { ContainerInput } from './input.ts';
import { splitNamespaces } from './namespaces.ts';
import { k, op, type Plan, rootSlot as root, stage } from './ops.ts';
import { identityOps, processOps } from './process.ts';
import { directoryOps, fileOps, filesystemOps, rootOps } from './rootfs.ts';
import { keepOp, streamOps } from './streams.ts';

export function containerPlan(input: ContainerInput): Plan {
  const { config, facts, keeper, network } = input;
  const cgroup = cgroupOps(config.linux.cgroupsPath, config.linux.resources, facts);
  const namespaces = splitNamespaces(config.linux.namespaces);
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
      ...namespaces.open,
      op(
        'clone',
        { flags: namespaces.flags, cgroup: undefined, pidfd: 'pidfd' },
        `the new process, in namespaces of its own: ${namespaces.names}`,
      ),
      ...streams.forget,
      ...fileOps(input),
      ...network.setup,
      op('signal', {}, 'its files and its network are there'),
      ...streams.receive,
      op('awaitExec', {}, 'it runs the program, or says why not'),
      op('report', { stage: stage.running }, 'started'),
      keepOp(keeper, streams, cgroup.oomPath),
    ],
    child: [
      op('prctl', { option: k.PR_SET_PDEATHSIG, a: k.SIGKILL, b: 0 }, 'it never outlives its keeper'),
      ...cgroup.join,
      ...namespaces.join,
      ...rootOps(input),
      ...filesystemOps(input),
      ...streams.open,
      op('pivotRoot', { root }, 'from here on / is the container; the host is out of reach'),
      ...network.child,
      ...identityOps(config),
      ...processOps(config.process, streams, input),
    ],
    cleanup: [
      ...network.cleanup,
      ...cgroup.cleanup,
      op('unlink', { path: keeper.socket }, 'nobody can join any more', k.ENOENT),
    ],
  };
}
