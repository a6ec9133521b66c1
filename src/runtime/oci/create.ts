// create, run and start: from a bundle to a process that waits, and on.

import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, fail, HoistError } from '../../base/errors.ts';
import { cgroupOps, groupOf, hasServices } from '../../plan/cgroup.ts';
import { hookOps } from '../../plan/hooks.ts';
import { k } from '../../plan/ops.ts';
import { explainFailure } from '../../plan/print.ts';
import { parseOciConfig } from '../../spec/oci/config.ts';
import type { OciConfig } from '../../spec/oci/runtime.ts';
import { errnoName } from '../../sys/errno.ts';
import { completeConfig } from './defaults.ts';
import { cgroupsPathOf } from './groups.ts';
import { bundlePlan, startPlan, type Terms } from './plan.ts';
import {
  claim,
  loadConfig,
  loadRecord,
  type OciPaths,
  type OciRecord,
  ociPaths,
  processAt,
  standingOf,
  writeRecord,
} from './records.ts';
import { removeContainer } from './remove.ts';
import { act, type CarriedOut, type OciWorld, perform } from './world.ts';

export interface CreateRequest {
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  /** `create`: stops before execve. */
  readonly wait: boolean;
  /** `run` without --detach. */
  readonly follow: boolean;
  readonly terms: Terms;
  readonly systemdCgroup: boolean;
}

export async function createContainer(world: OciWorld, request: CreateRequest): Promise<CarriedOut> {
  const { id, bundle, wait, follow, terms } = request;
  const text = readBundle(bundle);
  const config = completed(parseOciConfig(text), request);
  checkTerminal(config, request);
  const rootfs = rootOf(bundle, config);
  const paths = claim(world.root, id);
  try {
    const record = recordOf(world, request, config, rootfs);
    writeRecord(paths, record, text);
    const plan = bundlePlan({
      config,
      rootfs,
      paths,
      facts: world.facts,
      wait,
      terms,
      subject: { id, bundle },
      sourceKind: ({ source }) => sourceKind(path.resolve(bundle, source)),
      compileSeccomp: world.compileSeccomp,
    });
    return await perform(world, plan, follow, config.process.args);
  } catch (error) {
    await removeContainer(world, paths, undefined).catch(() => {}); // the plan has undone the rest
    throw error;
  }
}

function readBundle(bundle: string): string {
  const file = `${bundle}/config.json`;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    return fail('not_found', 'bundle.no_config', `JSON specification file ${file} not found`);
  }
}

function completed(config: OciConfig, { id, bundle, systemdCgroup }: CreateRequest): OciConfig {
  return completeConfig(config, bundle, cgroupsPathOf(config.linux.cgroupsPath, id, systemdCgroup));
}

function checkTerminal({ process }: OciConfig, { wait, follow, terms }: CreateRequest): void {
  const detached = wait || !follow;
  if (process.terminal && detached && terms.consoleSocket === '')
    fail('invalid', 'console.missing', 'cannot allocate tty if runc will detach without setting console socket');
  if ((!process.terminal || !detached) && terms.consoleSocket !== '')
    fail('invalid', 'console.unused', 'cannot use console socket if runc will not detach or allocate tty');
}

function rootOf(bundle: string, config: OciConfig): string {
  const rootfs = path.resolve(bundle, config.root.path);
  if (sourceKind(rootfs) === 'directory') return rootfs;
  return fail('not_found', 'bundle.no_root', `root.path: ${rootfs} is not a directory`);
}

function sourceKind(source: string): 'directory' | 'file' {
  try {
    return statSync(source).isDirectory() ? 'directory' : 'file';
  } catch {
    return 'file'; // the plan's own open says what is wrong with it
  }
}

function recordOf({ facts }: OciWorld, { id, bundle }: CreateRequest, config: OciConfig, rootfs: string): OciRecord {
  const { cgroupsPath, resources } = config.linux;
  return {
    schema: 1,
    ociVersion: config.ociVersion,
    id,
    bundle,
    rootfs,
    created: new Date().toISOString(),
    annotations: config.annotations,
    cgroupsPath,
    groups: Object.values(cgroupOps(cgroupsPath, resources, facts, hasServices(config)).paths),
    freezer: groupOf(cgroupsPath, 'freezer', facts),
    cgroupVersion: facts.cgroup.version,
  };
}

export async function startContainer(world: OciWorld, id: string): Promise<void> {
  const record = loadRecord(world.root, id);
  const { status, pid } = standingOf(world.root, record);
  if (status === 'stopped') fail('conflict', 'container.stopped', 'cannot start a container that has stopped');
  if (status !== 'created') fail('conflict', 'container.running', 'cannot start an already running container');
  const paths = ociPaths(world.root, id);
  const config = loadConfig(world.root, record);
  const plan = startPlan(paths.fifo, hookOps(config, 'poststart', { id, bundle: record.bundle }, pid));
  await act(world, plan, (failure) =>
    failure.errno === k.ENOENT || failure.errno === k.ENXIO
      ? new HoistError('conflict', 'container.running', 'cannot start an already running container')
      : new HoistError('system', 'plan.failed', explainFailure(plan, failure, errnoName)),
  );
  checkStarted(paths, pid);
}

/** What has ended under the name that it had before execve never came to its program. */
function checkStarted(paths: OciPaths, pid: number): void {
  const seen = processAt(pid);
  if (seen?.state === 'Z' && seen.name === 'hoist-setup')
    fail('not_executable', 'command.failed', `the program of ${path.basename(paths.dir)} could not be executed`);
}
