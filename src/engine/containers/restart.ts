// restart: stop and start, one after the other.

import type { ContainerPool, Live } from './deps.ts';
import { isUp } from './record.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';
import { tell } from './tell.ts';

export async function restartContainer(pool: ContainerPool, live: Live, options: StopOptions): Promise<void> {
  live.comesBack = true;
  try {
    if (isUp(live.record.state)) await stopContainer(pool, live, options);
    await startContainer(pool, live);
  } finally {
    live.comesBack = false;
  }
  tell(pool, live.record, 'restart');
}
