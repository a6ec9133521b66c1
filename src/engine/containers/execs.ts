// exec: one more process in a container that runs, with a keeper of its own.

import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fail, HoistError, isHoistError } from '../../base/errors.ts';
import { capabilityMask } from '../../plan/capabilities.ts';
import { cgroupOps, groupOf } from '../../plan/cgroup.ts';
import { execPlan } from '../../plan/exec.ts';
import type { HostFacts } from '../../plan/facts.ts';
import { k, type Op, type Plan } from '../../plan/ops.ts';
import { launch } from '../../runtime/launch.ts';
import type { ContainerConfig, ExecCreate, ExecInspect } from '../../spec/docker/container.ts';
import type { OciConfig, OciProcess } from '../../spec/oci/runtime.ts';
import { groupToJoin } from '../../sys/cgroup.ts';
import { killDescendants } from '../../sys/processes.ts';
import type { Execs, StartOptions } from '../engine.ts';
import type { ContainerPool, Exec, Live } from './deps.ts';
import { explained } from './explain.ts';
import { findContainer } from './find.ts';
import { mergeEnv } from './merge.ts';
import { capabilitySets, consoleSizeOf, environment, ociConfig } from './oci.ts';
import { userOf } from './prepare.ts';
import { groupPath, pathsOf } from './record.ts';
import { requireRunning } from './stop.ts';
import { tell } from './tell.ts';
import type { ResolvedUser } from './user.ts';

/** How long the end of an exec can be asked for. */
const remembered = 1000;

export function createExecs(pool: ContainerPool): Execs {
  const find = (id: string): Exec =>
    pool.execs.get(id) ?? fail('not_found', 'exec.not_found', `No such exec instance: ${id}`);

  return {
    async create(container, request) {
      const live = findContainer(pool, container);
      requireExecutable(live);
      if (request.Cmd.length === 0) fail('invalid', 'exec.no_command', 'No exec command specified');
      if (request.WorkingDir !== '' && !request.WorkingDir.startsWith('/'))
        fail(
          'invalid',
          'workdir.relative',
          `the working directory '${request.WorkingDir}' is invalid, it needs to be an absolute path`,
        );
      if (/[^\d:]/.test(request.User)) await execUser(pool, live, request.User); // names must exist
      return newExec(pool, live, request).id;
    },
    start: (id, options) => startOnce(pool, find(id), options),
    inspect: async (id) => inspectExec(find(id)),
    async resize(id, { rows, columns }) {
      const exec = find(id);
      await exec.starting?.catch(() => {}); // a client is told that its streams are there a moment before the process is
      exec.link?.resize(rows, columns);
    },
    async wait(id) {
      const exec = find(id);
      return exec.exitCode ?? (await exec.ended) ?? fail('conflict', 'exec.not_started', `exec ${id} was not started`);
    },
    async explain(container, request) {
      const live = findContainer(pool, container);
      requireExecutable(live);
      const { plan, config } = await planOf(pool, { ...blank, id: '0'.repeat(64), live, request }, false);
      return explained(plan, config, { fresh: [], around: [] });
    },
  };
}

/** What has the exit code 127, as with Docker; all else that keeps a command from running has 126. */
const notThere = ['command.not_found', 'workdir.unusable'];

const blank = { pid: 0, exitCode: null, link: undefined, starting: undefined, ended: undefined };

function requireExecutable(live: Live): void {
  requireRunning(live);
  const { name, state } = live.record;
  if (state.status === 'paused')
    fail('conflict', 'container.paused', `Container ${name} is paused, unpause the container before exec`);
}

export function newExec(pool: ContainerPool, live: Live, request: ExecCreate): Exec {
  const exec: Exec = { ...blank, id: randomBytes(32).toString('hex'), live, request };
  pool.execs.set(exec.id, exec);
  live.execs.add(exec.id);
  forgetOld(pool.execs);
  tellExec(pool, exec, 'exec_create');
  return exec;
}

function tellExec(pool: ContainerPool, { id, live, request }: Exec, action: 'exec_create' | 'exec_start'): void {
  const [program = '', ...args] = request.Cmd;
  tell(pool, live.record, `${action}: ${program} ${args.join(' ')}`, { execID: id });
}

/** The oldest of those that have ended, or never can begin. */
function forgetOld(execs: Map<string, Exec>): void {
  if (execs.size <= remembered) return;
  for (const [id, exec] of execs) {
    if (exec.exitCode === null && exec.live.link) continue;
    execs.delete(id);
    return;
  }
}

async function startOnce(pool: ContainerPool, exec: Exec, options: StartOptions): Promise<void> {
  if (exec.starting) fail('conflict', 'exec.started', `exec ${exec.id} has already run`);
  exec.starting = startExec(pool, exec, options);
  try {
    await exec.starting;
  } catch (error) {
    if (exec.exitCode === null) exec.starting = undefined; // nothing was tried: the container was paused
    throw error;
  }
}

export async function startExec(pool: ContainerPool, exec: Exec, options: StartOptions): Promise<void> {
  const { live, request } = exec;
  requireExecutable(live);
  const { plan, socket } = await planOf(pool, exec, options.onAttachable !== undefined);
  tellExec(pool, exec, 'exec_start');
  try {
    const launched = await launch(pool.deps.executor(), plan, {
      socket,
      onAttachable: () =>
        options.onAttachable?.({
          socket,
          tty: request.Tty,
          stdin: request.AttachStdin,
          detached: () => tell(pool, live.record, 'exec_detach', { execID: exec.id }),
        }),
      explain: (failed, errno) => explainGone(live, failed, errno),
      ...(options.onStep ? { onStep: options.onStep } : {}),
    });
    exec.pid = launched.pid;
    exec.link = launched.link;
    exec.ended = launched.link.ended.then((end) => {
      exec.exitCode = end?.exitCode ?? 137;
      exec.link = undefined;
      live.execs.delete(exec.id);
      tell(pool, live.record, 'exec_die', { execID: exec.id, exitCode: String(exec.exitCode) });
      return exec.exitCode;
    });
  } catch (error) {
    exec.exitCode = isHoistError(error) && notThere.includes(error.code) ? 127 : 126;
    live.execs.delete(exec.id);
    throw error;
  }
}

/**
 * The container may end between our look at its state and the plan's hold of its process. The plan takes the pidfd first
 * and then opens the container's cgroup, which goes a moment after the process: where that is still there, the pid can
 * not have gone around to another process.
 */
function explainGone({ record }: Live, failed: Op | undefined, errno: number): HoistError | undefined {
  const gone =
    (failed?.op === 'pidfd' && errno === k.ESRCH) ||
    (failed?.op === 'setns' && errno === k.ESRCH) ||
    (failed?.op === 'open' && errno === k.ENOENT && failed.path.includes(groupPath(record)));
  return gone
    ? new HoistError('conflict', 'container.not_running', `container ${record.id} is not running`)
    : undefined;
}

/** SIGKILL to its process and to all that this one has started. */
export function endExec({ deps }: ContainerPool, { live, link, pid }: Exec): void {
  if (!link) return;
  const group = groupOf(groupPath(live.record), 'pids', deps.facts);
  killDescendants(pid, group);
  link.kill(9);
}

async function planOf(
  pool: ContainerPool,
  exec: Exec,
  attached: boolean,
): Promise<{ plan: Plan; config: OciConfig; socket: string }> {
  const { deps } = pool;
  const { record } = exec.live;
  const user = await execUser(pool, exec.live, exec.request.User);
  const files = { hosts: '', hostname: '', resolvConf: '' };
  const config = ociConfig(record, { user, files, devices: [], deviceRules: [], joined: joinedAnyway }, deps.facts);
  const socket = path.join(pathsOf(deps.paths, record.id).run, exec.id.slice(0, 12));
  const plan = execPlan({
    process: processOf(exec.request, config, user.home, record.config, deps.facts.capabilities),
    config,
    pid: record.state.pid,
    cgroup: cgroupOps(
      groupFor(deps.facts, config.linux.cgroupsPath, record.state.pid),
      config.linux.resources,
      deps.facts,
    ),
    keeper: {
      title: `hoist-exec ${record.id.slice(0, 12)}`,
      socket,
      stdin: exec.request.AttachStdin,
      expect: attached ? 2 : 1,
    },
    compileSeccomp: deps.compileSeccomp,
  });
  return { plan, config, socket };
}

function groupFor({ cgroup }: HostFacts, path: string, pid: number): string {
  return cgroup.version === 2 ? groupToJoin(cgroup.mounts[''] ?? '', path, pid) : path;
}

/** Fails with `user.unknown`, `group.unknown`. */
async function execUser({ deps }: ContainerPool, { record }: Live, user: string): Promise<ResolvedUser> {
  const layers = await Promise.all(record.image.layers.map((diffId) => deps.store.layers.info(diffId)));
  return userOf(deps, record, layers, user || record.config.User);
}

/** The namespaces are taken from the container's process: how it came by them does not matter. */
const joinedAnyway = { pid: '-', network: '-', ipc: '-', uts: '-' };

function processOf(
  request: ExecCreate,
  config: OciConfig,
  home: string,
  { Env, Hostname, WorkingDir }: ContainerConfig,
  all: bigint,
): OciProcess {
  const { consoleSize: _, ...process } = config.process;
  return {
    ...process,
    terminal: request.Tty,
    ...consoleSizeOf(request.ConsoleSize),
    args: request.Cmd,
    env: environment(mergeEnv(Env, request.Env), { hostname: Hostname, tty: request.Tty, home }),
    cwd: request.WorkingDir || WorkingDir || '/',
    // --privileged gives an exec capabilities alone: filter and masks are its container's, as with Docker
    capabilities: capabilitySets(
      request.Privileged ? all : capabilityMask(process.capabilities.bounding),
      process.user.uid,
    ),
  };
}

function inspectExec(exec: Exec): ExecInspect {
  const [entrypoint = '', ...args] = exec.request.Cmd;
  return {
    ID: exec.id,
    CanRemove: false,
    DetachKeys: exec.request.DetachKeys ?? '',
    ContainerID: exec.live.record.id,
    Running: exec.link !== undefined,
    ExitCode: exec.exitCode,
    Pid: exec.pid,
    OpenStdin: exec.request.AttachStdin,
    OpenStdout: exec.request.AttachStdout,
    OpenStderr: exec.request.AttachStderr,
    ProcessConfig: {
      tty: exec.request.Tty,
      entrypoint,
      arguments: args,
      user: exec.request.User,
      privileged: exec.request.Privileged,
    },
  };
}
