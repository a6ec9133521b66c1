// kill and delete.

import { existsSync } from 'node:fs';
import { fail, HoistError } from '../../base/errors.ts';
import { hookOps } from '../../plan/hooks.ts';
import { k, type Op } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import { processesOf, thaw } from '../../sys/cgroup.ts';
import { errnoName } from '../../sys/errno.ts';
import { groupTree } from './groups.ts';
import { deletePlan, signalPlan } from './plan.ts';
import { loadConfig, loadRecord, type OciPaths, type OciRecord, ociPaths, processAt, standingOf } from './records.ts';
import { act, type OciWorld } from './world.ts';

/** `all`: every process of its group, whatever its first one does. */
export async function killContainer(world: OciWorld, id: string, signal: number, all: boolean): Promise<void> {
  const record = loadRecord(world.root, id);
  const { status, pid, started } = standingOf(world.root, record);
  if (all) {
    await signalAll(world, record, signal);
    return;
  }
  if (status === 'stopped' || pid === 0) fail('conflict', 'container.not_running', 'container not running');
  await sendSignal(world, pid, started, signal);
  // frozen processes die when they are thawed
  if (status === 'paused' && signal === k.SIGKILL) thaw(record.freezer, record.cgroupVersion);
}

async function sendSignal(world: OciWorld, pid: number, started: bigint, signal: number): Promise<void> {
  const plan = signalPlan(pid, started, signal);
  await act(world, plan, (failure) =>
    failure.errno === k.ESRCH
      ? new HoistError('conflict', 'process.finished', 'process already finished')
      : new HoistError('system', 'plan.failed', explainFailure(plan, failure, errnoName)),
  );
}

async function signalAll(world: OciWorld, record: OciRecord, signal: number): Promise<void> {
  for (const pid of processesOf(record.groups[0] ?? '')) {
    const seen = processAt(pid);
    if (seen !== undefined)
      await sendSignal(world, pid, seen.started, signal).catch((error: unknown) => {
        if (!(error instanceof HoistError) || error.code !== 'process.finished') throw error;
      });
  }
}

export async function deleteContainer(world: OciWorld, id: string, force: boolean): Promise<void> {
  const paths = ociPaths(world.root, id);
  if (!existsSync(paths.state)) {
    if (!force) loadRecord(world.root, id);
    return await removeContainer(world, paths, undefined); // what a crash left, or nothing
  }
  const record = loadRecord(world.root, id);
  const { status, pid, started } = standingOf(world.root, record);
  if (status !== 'stopped' && !force)
    fail('conflict', 'container.running', `cannot delete container ${id} that is not stopped: ${status}`);
  if (status === 'paused') thaw(record.freezer, record.cgroupVersion);
  if (pid !== 0) await sendSignal(world, pid, started, k.SIGKILL).catch(() => {});
  if (pid !== 0) await untilGone(pid, started);
  await removeContainer(world, paths, record);
}

/** A killed process may be a zombie for as long as its parent likes: that is enough. */
async function untilGone(pid: number, started: bigint): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const seen = processAt(pid);
    if (seen === undefined || seen.started !== started || 'ZX'.includes(seen.state)) return;
    await new Promise((resolve) => setTimeout(resolve, tries < 20 ? 1 : 10));
  }
  fail('system', 'container.unkillable', `process ${pid} does not end after SIGKILL`);
}

/** Its groups with all processes in them, its state, and then what hooks it has for its end. */
export async function removeContainer(world: OciWorld, paths: OciPaths, record: OciRecord | undefined): Promise<void> {
  const plan = deletePlan(paths.dir, record?.groups.flatMap(groupTree) ?? [], record ? endHooks(world, record) : []);
  await act(
    world,
    plan,
    (failure) => new HoistError('system', 'plan.failed', explainFailure(plan, failure, errnoName)),
  );
}

function endHooks(world: OciWorld, record: OciRecord): Op[] {
  try {
    return hookOps(loadConfig(world.root, record), 'poststop', record);
  } catch {
    return []; // what a crash left has no configuration
  }
}
