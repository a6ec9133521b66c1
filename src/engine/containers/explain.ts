// explain: the plan of a command, printed and not run.

import { containerPlan } from '../../plan/container.ts';
import type { Plan } from '../../plan/ops.ts';
import { planToJson, printPlan } from '../../plan/print.ts';
import { adaptPlan } from '../../plan/user-namespace.ts';
import type { ContainerCreate } from '../../spec/docker/container.ts';
import type { OciConfig } from '../../spec/oci/runtime.ts';
import type { ExplainedPlan } from '../engine.ts';
import { type CreateOptions, composeRecord } from './create.ts';
import type { ContainerPool } from './deps.ts';
import { prepare } from './prepare.ts';

export async function explainContainer(
  pool: ContainerPool,
  request: ContainerCreate,
  options: CreateOptions,
): Promise<ExplainedPlan> {
  const record = await composeRecord(pool, request, options);
  const { input, config } = await prepare(pool, record, await pool.deps.network.preview(record), 1);
  const plan = containerPlan(input);
  const { userNamespace } = pool.deps.facts;
  return explained(userNamespace ? adaptPlan(plan, userNamespace).plan : plan, config);
}

export function explained(plan: Plan, config: OciConfig): ExplainedPlan {
  return { text: printPlan(plan), json: { config, plan: planToJson(plan) } };
}
