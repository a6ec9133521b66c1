// restart: stop and start, one after the other.

import type { ContainerPool, Live } from './deps.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';

export async function restartContainer(pool: ContainerPool, live: Live, options: StopOptions): Promise<void> {
  await stopContainer(pool, live, options);
  await startContainer(pool, live);
}
