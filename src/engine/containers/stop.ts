// stop and kill: signals, and what they mean for restart policies and for paused containers.

import { fail, HoistError } from '../../base/errors.ts';
import { parseSignal } from '../../plan/signals.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { findContainer } from './find.ts';
import { thawFor } from './pause.ts';
import { isAlive, saveQuietly } from './record.ts';
import { tell } from './tell.ts';

export interface StopOptions {
  readonly signal?: string;
  /** Seconds; -1: for ever. */
  readonly timeout?: number;
}

const SIGKILL = 9;
const defaultTimeout = 10;
/** Who does not go within that time after SIGKILL hangs in the kernel. */
const killLimitMs = 30_000;

export async function stopContainer(pool: ContainerPool, live: Live, options: StopOptions): Promise<void> {
  const { config } = live.record;
  const signal = asked(`cannot stop container: ${live.record.name}`, options.signal || config.StopSignal || 'SIGTERM');
  const seconds = options.timeout ?? config.StopTimeout ?? defaultTimeout;
  await inTurn(live, async () => {}); // a start under way comes first; the wait below holds nobody up
  if (live.record.state.status === 'restarting') {
    cancelRestart(pool, live);
    tell(pool, live.record, 'stop');
  } else {
    const { ended } = live;
    if (!live.link || !ended) return;
    live.stopWanted = true;
    sendSignal(pool, live, signal);
    if (!(await endsWithin(ended, seconds < 0 ? undefined : seconds * 1000))) await killAndWait(pool, live, ended);
  }
}

const asked = (what: string, signal: string): number => prefixed(what, () => parseSignal(signal));

function prefixed<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof HoistError)) throw error;
    throw new HoistError(error.kind, error.code, `${what}: ${error.message}`, error.hint ? { hint: error.hint } : {});
  }
}

/** True when the process ended in time. */
async function endsWithin(end: Promise<void>, milliseconds: number | undefined): Promise<boolean> {
  const ended = end.then(() => true);
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

/** Ends the run whose end `ended` is; nothing, where that has come. */
export async function killAndWait(
  pool: ContainerPool,
  live: Live,
  ended: Promise<void> | undefined = live.ended,
): Promise<void> {
  if (!ended) return;
  if (live.ended === ended) sendSignal(pool, live, SIGKILL);
  if (!(await endsWithin(ended, killLimitMs)))
    fail('system', 'container.unkillable', 'tried to kill container, but did not receive an exit event');
}

/** SIGKILL is waited for, as Docker does. */
export async function killContainer(pool: ContainerPool, ref: string, signal: string): Promise<void> {
  const what = `cannot kill container: ${ref}`;
  if (Number(signal) > 64)
    fail('invalid', 'signal.invalid', `${what}: the linux daemon does not support signal ${signal}`);
  const number = asked(what, signal || 'SIGKILL');
  const live = prefixed(what, () => findContainer(pool, ref));
  if (live.record.state.status === 'restarting') return cancelRestart(pool, live);
  if (!live.link) fail('conflict', 'container.not_running', `${what}: container ${live.record.id} is not running`);
  if (number === SIGKILL) return killAndWait(pool, live);
  sendSignal(pool, live, number);
}

function sendSignal(pool: ContainerPool, live: Live, signal: number): void {
  const { config, hostConfig } = live.record;
  const ends = !config.StopSignal || signal === SIGKILL || parseSignal(config.StopSignal) === signal;
  if (ends) live.endWanted = true;
  live.record = { ...live.record, manuallyStopped: true };
  // for an engine that has to judge the end without having asked for it
  if (!['', 'no'].includes(hostConfig.RestartPolicy.Name)) saveQuietly(pool, live.record);
  live.link?.kill(signal);
  tell(pool, live.record, 'kill', { signal: String(signal) });
  if (ends) thawFor(pool, live, signal === SIGKILL); // a frozen process takes no signal
}

/** Its policy's restart is due; it stays as it ended. */
export function cancelRestart(pool: ContainerPool, live: Live): void {
  const { record } = live;
  live.endWanted = true;
  live.backoff = 0;
  live.record = { ...record, manuallyStopped: true, state: { ...record.state, status: 'exited' } };
  saveQuietly(pool, live.record);
  for (const listener of live.exited) listener(live.record.state);
  live.exited.clear();
}

/** For who needs a process to act on, in Docker's words. */
export function requireRunning({ record }: Live): void {
  const { state, id } = record;
  if (state.status === 'restarting')
    fail('conflict', 'container.restarting', `Container ${id} is restarting, wait until the container is running`);
  if (!isAlive(state)) fail('conflict', 'container.not_running', `container ${id} is not running`);
}
