// Taking files away in a fork of the executor: nothing depends on it, so what goes wrong is for the engine's log alone.

import type { Op } from '../plan/ops.ts';
import { explainFailure } from '../plan/print.ts';
import { errnoName } from '../sys/errno.ts';
import type { ContainerPool } from './containers/deps.ts';

/** `what`: as it stands in `cannot remove …`. Never rejects. */
export async function carryOutRemoval({ deps }: ContainerPool, setup: readonly Op[], what: string): Promise<void> {
  const plan = { setup, child: [], cleanup: [] };
  const result = await deps
    .executor()
    .run(plan, 'fork')
    .catch(() => undefined);
  if (result && !result.ok) deps.warn(`cannot remove ${what}: ${explainFailure(plan, result.failure, errnoName)}`);
}
