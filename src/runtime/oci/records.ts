// What is known of an OCI container between two commands: <root>/<id>/ with state.json and config.json (written before
// anything runs), pid (written by the plan, right after clone) and exec.fifo (there until `start`). No document changes later.

import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, fail } from '../../base/errors.ts';
import { parseOciConfig } from '../../spec/oci/config.ts';
import type { OciConfig } from '../../spec/oci/runtime.ts';
import { isFrozen } from '../../sys/cgroup.ts';

export interface OciRecord {
  readonly schema: 1;
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Below every hierarchy's mount point. */
  readonly cgroupsPath: string;
  /** Its groups, one for each hierarchy. */
  readonly groups: readonly string[];
  /** The group that freezes it; '': none. */
  readonly freezer: string;
  readonly cgroupVersion: 1 | 2;
}

export type OciStatus = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface Standing {
  readonly status: OciStatus;
  /** 0 where no process is there any more. */
  readonly pid: number;
  /** proc_pid_stat(5), field 22. */
  readonly started: bigint;
}

export interface OciPaths {
  readonly dir: string;
  readonly state: string;
  readonly config: string;
  readonly pid: string;
  readonly fifo: string;
}

export function ociPaths(root: string, id: string): OciPaths {
  if (!/^[\w+.-]+$/.test(id) || id === '.' || id === '..')
    fail('invalid', 'container.id', `invalid container ID format: ${JSON.stringify(id)}`);
  const dir = path.join(root, id);
  return { dir, state: `${dir}/state.json`, config: `${dir}/config.json`, pid: `${dir}/pid`, fifo: `${dir}/exec.fifo` };
}

/** Takes the id: of two that want it, one gets it. */
export function claim(root: string, id: string): OciPaths {
  const paths = ociPaths(root, id);
  mkdirSync(root, { recursive: true, mode: 0o711 });
  try {
    mkdirSync(paths.dir, { mode: 0o711 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    fail('conflict', 'container.exists', 'container with given ID already exists');
  }
  return paths;
}

/** Nobody but the one who claimed the id writes here, and `state.json` is the last: what has it is whole. */
export function writeRecord(paths: OciPaths, record: OciRecord, config: string): void {
  writeFileSync(paths.config, config, { mode: 0o600 });
  writeFileSync(`${paths.dir}/.state.json`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${paths.dir}/.state.json`, paths.state);
}

export function loadRecord(root: string, id: string): OciRecord {
  const { state } = ociPaths(root, id);
  try {
    return JSON.parse(readFileSync(state, 'utf8')) as OciRecord;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR')
      fail('not_found', 'container.not_found', 'container does not exist');
    throw error;
  }
}

export function loadConfig(root: string, record: OciRecord): OciConfig {
  const config = parseOciConfig(readFileSync(ociPaths(root, record.id).config, 'utf8'));
  return { ...config, linux: { ...config.linux, cgroupsPath: record.cgroupsPath } };
}

/** Whole records alone: what a crash left halfway only `delete --force` sees. */
export function listRecords(root: string): OciRecord[] {
  let names: string[];
  try {
    names = readdirSync(root).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return names.flatMap((name) => {
    try {
      return [loadRecord(root, name)];
    } catch {
      return []; // not one of ours, or just being removed
    }
  });
}

export function standingOf(root: string, record: OciRecord): Standing {
  const paths = ociPaths(root, record.id);
  const [pid = 0n, started = 0n] = readWords(paths.pid);
  if (pid === 0n) return { status: 'creating', pid: 0, started };
  const process = processAt(Number(pid));
  if (process === undefined || process.started !== started || 'ZX'.includes(process.state))
    return { status: 'stopped', pid: 0, started };
  const frozen = record.freezer !== '' && isFrozen(record.freezer, record.cgroupVersion);
  return { status: frozen ? 'paused' : isWaiting(paths.fifo) ? 'created' : 'running', pid: Number(pid), started };
}

/** One that waits holds its FIFO open; one that was started has closed it, whether `start` lived to remove it or not. */
function isWaiting(fifo: string): boolean {
  try {
    closeSync(openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}

export interface ProcessSeen {
  readonly state: string;
  readonly started: bigint;
  /** What ps calls it: the name of the program, once it runs one. */
  readonly name: string;
}

/** proc_pid_stat(5) */
export function processAt(pid: number): ProcessSeen | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    return {
      state: fields[0] ?? 'X',
      started: BigInt(fields[19] ?? 0),
      name: stat.slice(stat.indexOf('(') + 1, end),
    };
  } catch {
    return undefined;
  }
}

export function forget(paths: OciPaths): void {
  rmSync(paths.dir, { recursive: true, force: true });
}

function readWords(file: string): bigint[] {
  try {
    return readFileSync(file, 'utf8').trim().split(' ').map(BigInt);
  } catch {
    return [];
  }
}
