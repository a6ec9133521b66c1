// update: new limits for a container that runs.

import { fail, HoistError } from '../../base/errors.ts';
import { groupOf, updateOps } from '../../plan/cgroup.ts';
import { explainFailure } from '../../plan/print.ts';
import { parseOciResources } from '../../spec/oci/config.ts';
import type { OciResources } from '../../spec/oci/resources.ts';
import { readGroupFile } from '../../sys/cgroup.ts';
import { errnoName } from '../../sys/errno.ts';
import { loadRecord, standingOf } from './records.ts';
import { act, type OciWorld } from './world.ts';

/** The flags of update: their name, and where in the resources their value goes. */
export const limitFlags: Readonly<Record<string, readonly [group: string, member: string]>> = {
  'blkio-weight': ['blockIO', 'weight'],
  'cpu-period': ['cpu', 'period'],
  'cpu-quota': ['cpu', 'quota'],
  'cpu-burst': ['cpu', 'burst'],
  'cpu-share': ['cpu', 'shares'],
  'cpu-rt-period': ['cpu', 'realtimePeriod'],
  'cpu-rt-runtime': ['cpu', 'realtimeRuntime'],
  'cpuset-cpus': ['cpu', 'cpus'],
  'cpuset-mems': ['cpu', 'mems'],
  'cpu-idle': ['cpu', 'idle'],
  'kernel-memory': ['memory', 'kernel'],
  'kernel-memory-tcp': ['memory', 'kernelTCP'],
  memory: ['memory', 'limit'],
  'memory-reservation': ['memory', 'reservation'],
  'memory-swap': ['memory', 'swap'],
  'pids-limit': ['pids', 'limit'],
};

/** `values`: what flags said, by their names. */
export function resourcesOf(values: ReadonlyMap<string, string>): OciResources {
  const document: Record<string, Record<string, string | number>> = {};
  for (const [flag, text] of values) {
    const [group, name] = limitFlags[flag] ?? fail('invalid', 'oci.flag', `there is no limit --${flag}`);
    const words = name === 'cpus' || name === 'mems';
    document[group] = { ...document[group], [name]: words ? text : amount(flag, text) };
  }
  return parseOciResources(JSON.stringify(document));
}

/** Bytes may have a unit, as runc takes them. */
function amount(flag: string, text: string): number {
  const [, number, unit = ''] = /^(-?\d+)([bkmgt]?)b?$/i.exec(text) ?? [];
  if (number === undefined) fail('invalid', 'oci.number', `invalid value for ${flag}: ${JSON.stringify(text)}`);
  return Number(number) * 1024 ** Math.max(0, 'bkmgt'.indexOf(unit.toLowerCase() || 'b'));
}

export async function updateContainer(world: OciWorld, id: string, asked: OciResources): Promise<void> {
  const record = loadRecord(world.root, id);
  if (standingOf(world.root, record).status === 'stopped')
    fail('conflict', 'container.not_running', 'container not running');
  const { facts } = world;
  const resources = given(asked);
  const limit = readGroupFile(groupOf(record.cgroupsPath, 'memory', facts), 'memory.limit_in_bytes');
  const swap = resources.memory?.swap;
  const grows = swap !== undefined && (swap < 0 || BigInt(limit?.trim() || 0) < BigInt(swap));
  const ops = updateOps(record.cgroupsPath, { ...resources, devices: [] }, facts, grows);
  const plan = { setup: ops, child: [], cleanup: [] };
  await act(
    world,
    plan,
    (failure) => new HoistError('system', 'plan.failed', explainFailure(plan, failure, errnoName)),
  );
}

/** Callers write 0 and '' for what they leave as it is. */
function given(asked: OciResources): OciResources {
  const said = <T extends object>(group: T | undefined): T | undefined =>
    group && (Object.fromEntries(Object.entries(group).filter(([, value]) => value !== 0 && value !== '')) as T);
  const { memory, cpu, pids, blockIO } = asked;
  const [m, c, b] = [said(memory), said(cpu), said(blockIO)];
  const { memory: _m, cpu: _c, pids: _p, blockIO: _b, ...rest } = asked;
  return {
    ...rest,
    ...(m ? { memory: m } : {}),
    ...(c ? { cpu: c } : {}),
    ...(pids && pids.limit !== 0 ? { pids } : {}),
    ...(b ? { blockIO: b } : {}),
  };
}
