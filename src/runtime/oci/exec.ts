// exec: one more process in a container.

import { fail } from '../../base/errors.ts';
import { capabilityMask, normalizeCapability } from '../../plan/capabilities.ts';
import { parseOciProcess } from '../../spec/oci/config.ts';
import type { OciConfig, OciProcess } from '../../spec/oci/runtime.ts';
import { ociExecPlan, type Terms } from './plan.ts';
import { loadConfig, loadRecord, standingOf } from './records.ts';
import { type CarriedOut, type OciWorld, perform, wholeNumber } from './world.ts';

export interface ExecRequest {
  readonly id: string;
  /** The text of --process; undefined: the container's own process, changed by the rest. */
  readonly process: string | undefined;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: readonly string[];
  /** `uid[:gid]` */
  readonly user: string;
  readonly tty: boolean;
  readonly additionalGids: readonly string[];
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly ignorePaused: boolean;
  readonly follow: boolean;
  readonly terms: Terms;
}

export async function execInContainer(world: OciWorld, request: ExecRequest): Promise<CarriedOut> {
  const record = loadRecord(world.root, request.id);
  const { status, pid } = standingOf(world.root, record);
  if (status === 'stopped' || status === 'creating')
    fail('conflict', 'container.not_running', 'cannot exec in a stopped container');
  if (status === 'paused' && !request.ignorePaused)
    fail('conflict', 'container.paused', 'cannot exec in a paused container');
  const config = loadConfig(world.root, record);
  const process = processOf(config, request);
  const { terms, follow } = request;
  if (process.terminal && !follow && terms.consoleSocket === '')
    fail('invalid', 'console.missing', 'cannot allocate tty if runc will detach without setting console socket');
  if ((!process.terminal || follow) && terms.consoleSocket !== '')
    fail('invalid', 'console.unused', 'cannot use console socket if runc will not detach or allocate tty');
  const { facts, compileSeccomp } = world;
  const subject = { id: record.id, bundle: record.bundle };
  const plan = ociExecPlan({ process, config, pid, facts, terms, subject, compileSeccomp });
  return await perform(world, plan, follow, process.args);
}

function processOf(config: OciConfig, request: ExecRequest): OciProcess {
  if (request.process !== undefined) return parseOciProcess(request.process);
  const { args, cwd, env, user, tty, additionalGids, capabilities, noNewPrivileges } = request;
  if (args.length === 0) fail('invalid', 'exec.no_command', 'process args cannot be empty');
  const { process } = config;
  const [uid, gid] = user.split(':');
  const added = capabilities.map((name) => {
    capabilityMask([name]);
    return normalizeCapability(name);
  });
  const own = process.capabilities;
  const more = (list: readonly string[]): string[] => [...new Set([...list, ...added])];
  const { consoleSize: _, ...rest } = process;
  return {
    ...rest,
    args,
    terminal: tty,
    cwd: cwd || process.cwd,
    env: [...process.env, ...env],
    noNewPrivileges: noNewPrivileges || process.noNewPrivileges,
    user: {
      ...process.user,
      ...(uid ? { uid: wholeNumber(uid, '--user') } : {}),
      ...(gid ? { gid: wholeNumber(gid, '--user') } : {}),
      additionalGids: [
        ...process.user.additionalGids,
        ...additionalGids.map((one) => wholeNumber(one, '--additional-gids')),
      ],
    },
    capabilities: {
      ...own,
      bounding: more(own.bounding),
      effective: more(own.effective),
      permitted: more(own.permitted),
    },
  };
}
