// update: other limits and another restart policy, in the record and, where it runs, in its cgroup.

import { fail, HoistError } from '../../base/errors.ts';
import { groupOf, updateOps } from '../../plan/cgroup.ts';
import { explainFailure } from '../../plan/print.ts';
import type { ContainerUpdate, HostConfig, Resources } from '../../spec/docker/container.ts';
import { moveProcesses } from '../../sys/cgroup.ts';
import { errnoName } from '../../sys/errno.ts';
import { requireLimits } from '../../sys/limit-files.ts';
import { blockIoOf } from './block-io.ts';
import { type ContainerPool, inTurn, type Live } from './deps.ts';
import { type ContainerRecord, groupPath, isAlive, saveRecord } from './record.ts';
import { resourcesOf } from './resources.ts';
import { tell } from './tell.ts';
import { requireControllers, validateLimits, validateRestartPolicy } from './validate.ts';

export function updateContainer(
  pool: ContainerPool,
  live: Live,
  update: ContainerUpdate,
): Promise<{ readonly Warnings: readonly string[] }> {
  return inTurn(live, async () => {
    const { record } = live;
    const asked = givenLimits(update);
    validateUpdate(pool, record, asked, update);
    const { RestartPolicy } = update;
    const hostConfig: HostConfig = {
      ...record.hostConfig,
      ...asked,
      ...(RestartPolicy?.Name
        ? { RestartPolicy: { Name: RestartPolicy.Name, MaximumRetryCount: RestartPolicy.MaximumRetryCount ?? 0 } }
        : {}),
    };
    if (isAlive(record.state) && Object.keys(asked).length > 0) await applyLimits(pool, record, hostConfig);
    live.record = { ...live.record, hostConfig }; // it may have ended meanwhile
    saveRecord(pool.deps.paths, live.record);
    tell(pool, live.record, 'update');
    return { Warnings: [] };
  });
}

const numbers = [
  'CpuShares',
  'Memory',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'MemoryReservation',
  'MemorySwap',
  'BlkioWeight',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
] as const;

const lists = [
  'BlkioWeightDevice',
  'BlkioDeviceReadBps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteIOps',
] as const;

/** What is absent, zero or empty stays. */
function givenLimits(update: ContainerUpdate): Partial<Resources> {
  const given: { -readonly [K in keyof Resources]?: Resources[K] } = {};
  for (const key of numbers) if (update[key]) given[key] = update[key];
  for (const key of lists) if (update[key]?.length) Object.assign(given, { [key]: update[key] });
  if (update.CpusetCpus) given.CpusetCpus = update.CpusetCpus;
  if (update.CpusetMems) given.CpusetMems = update.CpusetMems;
  if (update.PidsLimit !== undefined && update.PidsLimit !== null) given.PidsLimit = update.PidsLimit;
  return given;
}

const noLimits: Resources = {
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpusetCpus: '',
  CpusetMems: '',
  MemoryReservation: 0,
  MemorySwap: 0,
  PidsLimit: null,
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
};

function validateUpdate(
  { deps }: ContainerPool,
  { id, hostConfig }: ContainerRecord,
  asked: Partial<Resources>,
  { RestartPolicy }: ContainerUpdate,
): void {
  const invalid = (code: string, message: string): never => fail('invalid', code, message);
  const alone = { ...hostConfig, ...noLimits, ...asked };
  validateLimits(alone, deps.facts, invalid, true);
  requireControllers(alone, deps.facts, invalid);
  requireLimits(resourcesOf(alone, [], deps.facts, blockIoOf(asked).blockIO), deps.facts);
  if (RestartPolicy?.Name) {
    const { Name, MaximumRetryCount = 0 } = RestartPolicy;
    validateRestartPolicy({ Name, MaximumRetryCount }, false, invalid);
    if (hostConfig.AutoRemove && Name !== 'no')
      refuse(id, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const taken = (what: string, by: string): never =>
    refuse(id, `Conflicting options: ${what} cannot be updated as ${by} has already been set`);
  if (asked.NanoCpus && hostConfig.CpuPeriod > 0) taken('Nano CPUs', 'CPU Period');
  if (asked.NanoCpus && hostConfig.CpuQuota > 0) taken('Nano CPUs', 'CPU Quota');
  if (asked.CpuPeriod && hostConfig.NanoCpus > 0) taken('CPU Period', 'NanoCPUs');
  if (asked.CpuQuota && hostConfig.NanoCpus > 0) taken('CPU Quota', 'NanoCPUs');
  if (asked.Memory && !asked.MemorySwap && hostConfig.MemorySwap !== -1 && asked.Memory > hostConfig.MemorySwap) {
    const words = 'Memory limit should be smaller than already set memoryswap limit';
    refuse(id, `${words}, update the memoryswap at the same time`);
  }
}

function refuse(id: string, why: string): never {
  return fail('conflict', 'container.update', `Cannot update container ${id}: ${why}`);
}

/** The limit of memory and swap together, in bytes: Docker's default is twice the memory. */
function withSwap({ Memory, MemorySwap }: Resources): number {
  if (MemorySwap > 0) return MemorySwap;
  return MemorySwap === 0 && Memory > 0 ? 2 * Memory : Number.POSITIVE_INFINITY;
}

async function applyLimits({ deps }: ContainerPool, record: ContainerRecord, after: HostConfig): Promise<void> {
  const group = groupPath(record);
  const resources = { ...resourcesOf(after, [], deps.facts, blockIoOf(after).blockIO), devices: [] };
  const grows = withSwap(after) > withSwap(record.hostConfig);
  const plan = { setup: updateOps(group, resources, deps.facts, grows), child: [], cleanup: [] };
  const result = await deps.executor().run(plan, 'here');
  if (!result.ok)
    throw new HoistError(
      'system',
      'container.update_failed',
      `Cannot update container ${record.id}: ${explainFailure(plan, result.failure, errnoName)}`,
    );
  if (deps.facts.cgroup.version === 1 && resources.cpu && (resources.cpu.cpus || resources.cpu.mems))
    moveProcesses(groupOf(group, 'pids', deps.facts), groupOf(group, 'cpuset', deps.facts));
}
