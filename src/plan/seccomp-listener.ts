// A process gets its seccomp filter; where the filter asks an agent (SCMP_ACT_NOTIFY), the agent gets the listener: the
// process hands it to its keeper, who knows the pid and has the agent's socket open since before.

import type { OciConfig } from '../spec/oci/runtime.ts';
import type { SeccompProfile } from '../spec/oci/seccomp.ts';
import { type HookSubject, listenerState } from './hooks.ts';
import { type Op, op } from './ops.ts';
import { seccompFlags } from './seccomp.ts';

export function hasListener({ syscalls }: SeccompProfile): boolean {
  return syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

/** One thread alone has no others to synchronise with: a listener and TSYNC exclude each other. */
const tsync = 1;

/** In the process. */
export function seccompOps(profile: SeccompProfile, filter: Uint8Array): Op[] {
  const flags = seccompFlags(profile.flags);
  if (!hasListener(profile)) return [op('seccomp', { filter, flags }, 'which system calls it may make')];
  return [
    op(
      'listener',
      { filter, flags: flags & ~tsync, out: 'notify' },
      'which system calls it may make, and who is asked',
    ),
    op('sendFd', { slot: 'notify' }, 'what the agent listens at goes to the keeper'),
    op('close', { slot: 'notify' }, 'used up'),
  ];
}

/** In the keeper: before clone, and when the process is about to run. */
export function listenerOps(
  config: OciConfig,
  subject: HookSubject | undefined,
): { readonly before: Op[]; readonly after: Op[] } {
  const { seccomp } = config.linux;
  if (!seccomp || !hasListener(seccomp)) return { before: [], after: [] };
  const path = seccomp.listenerPath ?? '';
  const state = listenerState(config, subject ?? { id: '', bundle: '' });
  return {
    before: [op('connect', { path, out: 'agent' }, 'OCI linux.seccomp.listenerPath: the agent that is asked')],
    after: [
      op('recvFd', { out: 'notify' }, 'what the agent listens at'),
      op('sendState', { socket: 'agent', fd: 'notify', state }, 'the agent gets it, with the state of the process'),
      op('close', { slot: 'notify' }, 'used up'),
      op('close', { slot: 'agent' }, 'used up'),
    ],
  };
}
