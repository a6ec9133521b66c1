// stop and kill.

import { fail } from '../../base/errors.ts';
import { parseSignal } from '../../plan/signals.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';

export interface StopOptions {
  readonly signal?: string;
  /** Seconds; -1: for ever. */
  readonly timeout?: number;
}

const SIGKILL = 9;
const defaultTimeout = 10;

export function stopContainer(pool: ContainerPool, live: Live, options: StopOptions): Promise<void> {
  const { config } = live.record;
  const signal = parseSignal(options.signal || config.StopSignal || 'SIGTERM');
  const seconds = options.timeout ?? config.StopTimeout ?? defaultTimeout;
  return inTurn(live, async () => {
    if (!live.link || !live.ended) return;
    live.link.kill(signal);
    if (await endsWithin(live, seconds < 0 ? undefined : seconds * 1000)) return;
    await killAndWait(pool, live);
  });
}

/** True when the process ended in time. */
async function endsWithin(live: Live, milliseconds: number | undefined): Promise<boolean> {
  const ended = (live.ended ?? Promise.resolve()).then(() => true);
  if (milliseconds === undefined) return ended;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function killAndWait(_pool: ContainerPool, live: Live): Promise<void> {
  live.link?.kill(SIGKILL);
  await live.ended;
}

export function killContainer(live: Live, signal: string): void {
  const number = parseSignal(signal || 'SIGKILL');
  if (!live.link)
    fail(
      'conflict',
      'container.not_running',
      `cannot kill container: ${live.record.name}: container ${live.record.id} is not running`,
    );
  live.link.kill(number);
}
