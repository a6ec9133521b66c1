// A plan that asks for leave before each of its ops: `hoist explain --step`. It is a plan like any other, with more ops in
// it; a normal start has none of them and pays nothing. Keeper and child have a connection each: they run side by side.

import { k, type Op, op, type Plan } from './ops.ts';

export type SteppedSection = 'setup' | 'child';

export interface SteppedPlan {
  readonly plan: Plan;
  /** Where an op of the stepped plan stood in the plan itself; `asking`: it is one of those added here. */
  origin(section: keyof Plan, index: number): { readonly index: number; readonly asking: boolean };
}

/** Ops at which one side waits for the other: it does not come to its next op by itself. */
export const waitsForOtherSide: ReadonlySet<Op['op']> = new Set(['await', 'awaitExec', 'recvFd']);

const sectionNumbers = { setup: 0, child: 1 } as const;

/** `socket`: where somebody listens who gives leave. The cleanup is not asked about: it happens whatever anybody says. */
export function steppedPlan(plan: Plan, socket: string): SteppedPlan {
  const setup = interleave(plan.setup, 'setup', [
    op('connect', { path: socket, out: 'step.setup' }, 'where leave is given to go on'),
    op('connect', { path: socket, out: 'step.child' }, 'the same for the new process'),
  ]);
  const child = interleave(plan.child, 'child', [op('close', { slot: 'step.setup' }, "the keeper's own")]);
  const origins = { setup: setup.origins, child: child.origins, cleanup: plan.cleanup.map((_, index) => index) };
  return {
    plan: { setup: setup.ops, child: child.ops, cleanup: plan.cleanup },
    origin(section, index) {
      const found = origins[section][index] ?? -1;
      return { index: Math.max(found, 0), asking: found < 0 };
    },
  };
}

function interleave(
  ops: readonly Op[],
  section: SteppedSection,
  first: readonly Op[],
): { readonly ops: Op[]; readonly origins: number[] } {
  const all: Op[] = [...first];
  const origins: number[] = first.map(() => -1);
  const add = (one: Op, origin: number): void => {
    all.push(one);
    origins.push(origin);
  };
  ops.forEach((one, index) => {
    const fields = { slot: `step.${section}`, section: sectionNumbers[section], index };
    add(op('step', fields, `leave to go on: ${one.op}`), -1);
    // whoever stays holds no connection to somebody who has left
    if (one.op === 'keep') add(op('close', { slot: 'step.setup' }, 'nothing more is asked'), -1);
    add(one, index);
    if (one.op === 'clone') add(op('close', { slot: 'step.child' }, "the child's own", k.EBADF), -1);
  });
  return { ops: all, origins };
}
