// stats: what a container uses, once or once a second, each with the second before to compare with.

import { pause } from '../../base/pause.ts';
import type { ContainerStats } from '../../spec/docker/system.ts';
import { networksOf, noSample, sampleOf } from '../../sys/cgroup-stats.ts';
import type { ContainerPool, Live } from './deps.ts';
import { groupPath, isAlive, never, now } from './record.ts';

const periodMs = 1000;

export interface StatsOptions {
  readonly stream: boolean;
  readonly oneShot: boolean;
  readonly signal: AbortSignal;
}

/** Ends with the signal, or when the container is removed. */
export async function* containerStats(
  pool: ContainerPool,
  live: Live,
  { stream, oneShot, signal }: StatsOptions,
): AsyncGenerator<ContainerStats> {
  let before = take(pool, live, undefined);
  if (!stream && (oneShot || !isAlive(live.record.state))) {
    yield before;
    return;
  }
  if (stream) yield before;
  for (;;) {
    await pause(periodMs, signal);
    if (signal.aborted || pool.live.get(live.record.id) !== live) return;
    before = take(pool, live, before);
    yield before;
    if (!stream) return;
  }
}

function take({ deps }: ContainerPool, { record }: Live, before: ContainerStats | undefined): ContainerStats {
  const running = isAlive(record.state);
  const sample = running ? sampleOf(groupPath(record), deps.facts) : noSample;
  const networks =
    running && record.hostConfig.NetworkMode !== 'host' && record.hostConfig.NetworkMode !== 'none'
      ? networksOf(record.state.pid)
      : undefined;
  return {
    id: record.id,
    name: `/${record.name}`,
    os_type: 'linux',
    read: running ? now() : never,
    preread: before?.read ?? never,
    ...sample,
    precpu_stats: running && before ? before.cpu_stats : noSample.cpu_stats,
    ...(networks && Object.keys(networks).length > 0 ? { networks } : {}),
  };
}
