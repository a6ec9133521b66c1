// An executor for an engine in a user namespace: every plan is changed for it (src/plan/user-namespace.ts) on its way out,
// and what comes back speaks of the plan that was given.

import type { UserNamespace } from '../plan/facts.ts';
import { adaptPlan, touchesNetwork } from '../plan/user-namespace.ts';
import type { Executor, Manner, PlanResult } from './executor.ts';

export function adaptedExecutor(executor: Executor, facts: UserNamespace): Executor {
  return {
    ...executor,
    async run(given, manner, onStage) {
      const { plan, origin } = adaptPlan(given, facts);
      // who enters a network namespace cannot come back: a fork does it
      const enters = facts.network !== undefined && [...given.setup, ...given.cleanup].some(touchesNetwork);
      const how: Manner = manner === 'here' && enters ? 'fork' : manner;
      const result = await executor.run(plan, how, onStage);
      return translated(result, origin);
    },
  };
}

function translated(result: PlanResult, origin: ReturnType<typeof adaptPlan>['origin']): PlanResult {
  if (result.ok) {
    return { ok: true, blobs: new Map([...result.blobs].map(([index, blob]) => [origin.setup[index] ?? index, blob])) };
  }
  const { failure } = result;
  if (failure.section === 'plan') return result;
  return { ok: false, failure: { ...failure, index: origin[failure.section][failure.index] ?? failure.index } };
}
