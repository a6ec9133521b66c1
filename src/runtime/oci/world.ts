// What the OCI commands need of whoever runs them: facts of the machine, and a process that carries plans out.

import { fail, HoistError } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { ContainerInput } from '../../plan/input.ts';
import type { Plan } from '../../plan/ops.ts';
import type { OpFailure } from '../../plan/print.ts';
import type { PlanResult } from '../../sys/executor.ts';
import type { StreamEnd } from '../keeper-stream.ts';
import { execError, launchError } from '../launch.ts';

export interface CarriedOut {
  readonly result: PlanResult;
  /** What the plan reported last; 0: nothing. */
  readonly pid: number;
  /** Where it was followed: how its process ended. */
  readonly ended: Promise<StreamEnd>;
}

export interface OciWorld {
  /** Where containers' states are. */
  readonly root: string;
  readonly facts: HostFacts;
  readonly compileSeccomp: ContainerInput['compileSeccomp'];
  carryOut(plan: Plan, follow: boolean): Promise<CarriedOut>;
}

/** Carries a plan out; a failure becomes the sentence that callers of a runtime look for. */
export async function perform(
  world: OciWorld,
  plan: Plan,
  follow: boolean,
  command: readonly string[],
): Promise<CarriedOut> {
  const carried = await world.carryOut(plan, follow);
  if (carried.result.ok) return carried;
  throw startError(plan, carried.result.failure, command);
}

function startError(plan: Plan, failure: OpFailure, command: readonly string[]): HoistError {
  const failed = failure.section === 'plan' ? undefined : plan[failure.section][failure.index];
  const error =
    failed?.op === 'runnable'
      ? execError(command[0] ?? '', failed.paths, failure.errno, 'cannot be run')
      : launchError(plan, failure);
  return new HoistError(error.kind, error.code, `unable to start container process: ${error.message}`);
}

/** Carries out a plan that makes no process. */
export async function act(world: OciWorld, plan: Plan, refused: (failure: OpFailure) => HoistError): Promise<void> {
  const { result } = await world.carryOut(plan, false);
  if (!result.ok) throw refused(result.failure);
}

/** `10 bytes, no number` and the like: what a user wrote for a number. */
export function wholeNumber(text: string, what: string): number {
  if (!/^-?\d+$/.test(text))
    fail('invalid', 'oci.number', `${what} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}
