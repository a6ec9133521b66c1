// explain: the plan of a command, printed and not run.

import { containerPlan } from '../../plan/container.ts';
import type { Plan } from '../../plan/ops.ts';
import { planToJson, printPlan } from '../../plan/print.ts';
import { adaptPlan } from '../../plan/user-namespace.ts';
import type { ContainerCreate } from '../../spec/docker/container.ts';
import type { OciConfig } from '../../spec/oci/runtime.ts';
import type { ExplainedPlan } from '../engine.ts';
import { aroundThePlan } from './around.ts';
import { type CreateOptions, composeRecord } from './create.ts';
import type { ContainerPool } from './deps.ts';
import { prepare } from './prepare.ts';

export async function explainContainer(
  pool: ContainerPool,
  request: ContainerCreate,
  options: CreateOptions,
): Promise<ExplainedPlan> {
  const record = await composeRecord(pool, request, options);
  const network = await pool.deps.network.preview(record);
  const { input, config } = await prepare(pool, record, network, 1);
  const cables = network.connections.flatMap(({ endpoint }) => (endpoint?.veth ? [endpoint.veth] : []));
  const plan = containerPlan(input);
  const { userNamespace } = pool.deps.facts;
  const unnamed = (record.volumes ?? []).flatMap(({ name, anonymous }) => (anonymous ? [name] : []));
  const fresh = [record.id, ...cables, ...unnamed, record.id.slice(0, 12)];
  return explained(userNamespace ? adaptPlan(plan, userNamespace).plan : plan, config, {
    fresh,
    around: aroundThePlan({ ...record, name: options.name, connections: network.connections }),
  });
}

export function explained(
  plan: Plan,
  config: OciConfig,
  { fresh, around }: Pick<ExplainedPlan, 'fresh' | 'around'>,
): ExplainedPlan {
  const engine =
    around.length > 0 ? `# engine: besides the plan\n${around.map((line) => `     ${line}\n`).join('')}\n` : '';
  return {
    text: `${engine}${printPlan(plan)}`,
    json: { config, ...(around.length > 0 ? { engine: around } : {}), plan: planToJson(plan) },
    plan,
    around,
    fresh,
  };
}
