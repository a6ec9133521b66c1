// What is known of a container's health, from one probe to the next: Docker's rules. Pure.

import type { Health, HealthResult } from '../../spec/docker/container.ts';
import type { HealthConfig } from '../../spec/oci/image.ts';
import type { RunState } from './record.ts';

/** Results that are kept. */
const kept = 5;

export const second = 1_000_000_000;

/** A health check with Docker's defaults filled in; times in milliseconds. */
export interface Probing {
  readonly test: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** undefined: there is none, or it was switched off with NONE. */
export function probingOf(config: HealthConfig | undefined): Probing | undefined {
  const test = config?.Test ?? [];
  if (!config || test.length === 0 || test[0] === 'NONE') return undefined;
  const milliseconds = (nanoseconds: number | undefined, otherwise: number): number =>
    (nanoseconds || otherwise * second) / 1e6;
  return {
    test,
    interval: milliseconds(config.Interval, 30),
    timeout: milliseconds(config.Timeout, 30),
    startPeriod: milliseconds(config.StartPeriod, 0),
    startInterval: milliseconds(config.StartInterval, 5),
    retries: config.Retries && config.Retries > 0 ? config.Retries : 3,
  };
}

/** The health of a container that starts. */
export function startingHealth(config: HealthConfig | undefined, before: Health | undefined): Pick<RunState, 'health'> {
  return probingOf(config) ? { health: { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] } } : {};
}

/** Who is not probed any more (it ended, or is paused) does not pass for healthy. */
export function unhealthyWhileAway(health: Health | undefined): Pick<RunState, 'health'> {
  return health ? { health: { ...health, Status: 'unhealthy' } } : {};
}

/** `sinceStart`: milliseconds from the start of the container to that of the probe. */
export function afterProbe(health: Health, result: HealthResult, probing: Probing, sinceStart: number): Health {
  const Log = [...(health.Log ?? []), result].slice(-kept);
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  if (health.Status === 'starting' && sinceStart < probing.startPeriod) return { ...health, Log };
  const FailingStreak = health.FailingStreak + 1;
  return { Status: FailingStreak >= probing.retries ? 'unhealthy' : health.Status, FailingStreak, Log };
}

/** Milliseconds to the next probe. */
export function nextProbeIn(health: Health, probing: Probing, sinceStart: number): number {
  return health.Status === 'starting' && sinceStart < probing.startPeriod ? probing.startInterval : probing.interval;
}
