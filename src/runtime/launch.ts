// Carries out the plan of a container or an exec and follows it until the process runs: the sentence for every way
// in which that can fail is made here.

import { fail, HoistError } from '../base/errors.ts';
import { k, type Op, type Plan, stage } from '../plan/ops.ts';
import { explainFailure, type OpFailure } from '../plan/print.ts';
import { steppedPlan } from '../plan/step.ts';
import { errnoName } from '../sys/errno.ts';
import type { Executor } from '../sys/executor.ts';
import { joinKeeper, type KeeperLink } from './keeper.ts';
import { type OnStep, openStepGate } from './step.ts';

export interface Launched {
  readonly pid: number;
  readonly link: KeeperLink;
}

export interface LaunchOptions {
  /** The keeper's. */
  readonly socket: string;
  /** Terminals can be joined from now on. */
  readonly onAttachable: () => void;
  /** Better words than the general ones for a failed op, from whoever made it. */
  readonly explain?: (failed: Op | undefined, errno: number) => HoistError | undefined;
  /** Asked before each op; terminals can be joined when it has let the plan go on by itself. */
  readonly onStep?: OnStep;
}

/** Starts a plan's process; resolves when it runs. */
export async function launch(executor: Executor, plan: Plan, options: LaunchOptions): Promise<Launched> {
  if (options.onStep) return await launchInSteps(executor, plan, { ...options, onStep: options.onStep });
  const { socket, onAttachable, explain } = options;
  let pid = 0;
  let link: Promise<KeeperLink> | undefined;
  const result = await executor.run(plan, 'launch', (reached, childPid) => {
    if (reached === stage.attachable) {
      link = joinKeeper(socket);
      link.catch(() => {}); // told below, where the plan did not fail
      onAttachable();
    } else if (reached === stage.running) pid = childPid;
  });
  if (!result.ok)
    throw explain?.(failedOp(plan, result.failure), result.failure.errno) ?? launchError(plan, result.failure);
  if (!link) fail('system', 'keeper.lost', `the keeper did not open ${socket}`);
  return { pid, link: await link };
}

/** The same with a stop before each op. The terminal that answers there is also the one that the container gets at the end. */
async function launchInSteps(
  executor: Executor,
  plan: Plan,
  { onStep, ...options }: LaunchOptions & { readonly onStep: OnStep },
): Promise<Launched> {
  await using gate = await openStepGate(plan, options.socket, onStep);
  // free may come first, before the keeper listens
  let attachable = (): void => {};
  const listening = new Promise<void>((resolve) => {
    attachable = resolve;
  });
  void Promise.all([gate.free, listening]).then(options.onAttachable);
  const stepped = steppedPlan(plan, gate.socket);
  const inPlan: Executor = {
    ...executor,
    async run(_, manner, onStage) {
      const result = await executor.run(stepped.plan, manner, onStage);
      if (result.ok || result.failure.section === 'plan') return result;
      if (stepped.origin(result.failure.section, result.failure.index).asking) quit();
      const { section, index } = result.failure;
      return { ok: false, failure: { ...result.failure, index: stepped.origin(section, index).index } };
    },
  };
  const launched = await launch(inPlan, plan, { ...options, onAttachable: attachable });
  if ((await gate.ended) === 'quit') {
    await launched.link.ended;
    quit();
  }
  return launched;
}

function quit(): never {
  return fail('cancelled', 'step.quit', 'stopped on the way, as you asked');
}

/** A failed launch as the user's error: what execve says of the command has kinds (and exit codes) of its own. */
export function launchError(plan: Plan, failure: OpFailure): HoistError {
  const failed = failedOp(plan, failure);
  const sentence = explainFailure(plan, failure, errnoName);
  if (failed?.op === 'exec') return execError(failed.argv[0] ?? '', failed.paths, failure.errno, sentence);
  if (failed?.op === 'chdir' && failure.section === 'child') {
    return new HoistError(
      'invalid',
      'workdir.unusable',
      `cannot enter the working directory ${failed.path}: ${errnoName(failure.errno)}`,
    );
  }
  return new HoistError(
    'system',
    'plan.failed',
    sentence,
    failure.errno === k.EPERM
      ? { hint: 'hoist explain shows every step; this one needs a right that the machine does not give' }
      : {},
  );
}

function failedOp(plan: Plan, { section, index }: OpFailure): Op | undefined {
  return section === 'plan' ? undefined : plan[section][index];
}

export function execError(command: string, paths: readonly string[], errno: number, sentence: string): HoistError {
  const named = JSON.stringify(command);
  if (errno === k.ENOENT || errno === k.ENOTDIR) {
    const searched = paths.length !== 1 || paths[0] !== command;
    return new HoistError(
      'command_not_found',
      'command.not_found',
      `exec: ${named}: ${searched ? 'executable file not found in $PATH' : `stat ${command}: no such file or directory`}`,
    );
  }
  if (errno === k.EACCES || errno === 21)
    return new HoistError('not_executable', 'command.not_executable', `exec: ${named}: permission denied`);
  if (errno === 8) {
    return new HoistError('not_executable', 'command.bad_format', `exec ${command}: exec format error`, {
      hint: 'the file is for another architecture, or a script without a #! line',
    });
  }
  return new HoistError('not_executable', 'command.failed', sentence);
}
