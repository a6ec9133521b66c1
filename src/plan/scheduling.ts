// What a process is to the kernel besides its powers: scheduler, I/O priority, processors, personality, security label.

import { fail } from '../base/errors.ts';
import { schedulerFlags, schedulerPolicies } from '../spec/oci/config-process.ts';
import type { OciConfig, OciProcess } from '../spec/oci/runtime.ts';
import { k, type Op, op } from './ops.ts';

/** uapi linux/ioprio.h */
const ioClasses = ['', 'IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'];
const ioClassShift = 13;

/** uapi linux/personality.h */
const personalities = { LINUX: 0, LINUX32: 8 } as const;

/** While it has the power to: before its capabilities go. */
export function schedulingOps({ scheduler, ioPriority }: OciProcess, { linux }: OciConfig): Op[] {
  const { personality } = linux;
  return [
    ...(personality
      ? [op('personality', { persona: personalities[personality.domain] }, 'OCI linux.personality')]
      : []),
    ...(scheduler
      ? [
          op(
            'scheduler',
            {
              policy: schedulerPolicies.indexOf(scheduler.policy),
              flags: scheduler.flags.reduce((bits, flag) => bits | (1 << schedulerFlags.indexOf(flag)), 0),
              nice: (scheduler.nice ?? 0) >>> 0,
              priority: scheduler.priority ?? 0,
              runtime: scheduler.runtime ?? 0,
              deadline: scheduler.deadline ?? 0,
              period: scheduler.period ?? 0,
            },
            `OCI process.scheduler: ${scheduler.policy}`,
          ),
        ]
      : []),
    ...(ioPriority
      ? [
          op(
            'ioPriority',
            { value: (ioClasses.indexOf(ioPriority.class) << ioClassShift) | ioPriority.priority },
            `OCI process.ioPriority: ${ioPriority.class}`,
          ),
        ]
      : []),
  ];
}

/** In a user namespace nobody may lower it: there the keeper does, right after clone. */
export function oomOps({ oomScoreAdj }: OciProcess, { linux }: OciConfig): Op[] {
  if (oomScoreAdj === undefined || !linux.namespaces.some(({ type }) => type === 'user')) return [];
  return [
    op('childFile', { path: 'oom_score_adj', data: Buffer.from(String(oomScoreAdj)) }, 'OCI process.oomScoreAdj'),
  ];
}

/** OCI process.execCPUAffinity: `0-3,7` as the mask of sched_setaffinity(2). */
export function affinityOps(cpus: string | undefined, why: string): Op[] {
  if (cpus === undefined) return [];
  const numbers = cpus.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const mask = new Uint8Array((Math.floor(Math.max(...numbers) / 64) + 1) * 8);
  for (const cpu of numbers) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return [op('affinity', { cpus: mask }, `OCI process.execCPUAffinity: ${why}`)];
}

/** The label that a security module gives the program: told through a file that is opened while /proc is the host's. */
export function labelOps({ apparmorProfile, selinuxLabel }: OciProcess): { readonly open: Op[]; readonly write: Op[] } {
  const text = selinuxLabel ?? (apparmorProfile === undefined ? undefined : `exec ${apparmorProfile}`);
  if (text === undefined) return { open: [], write: [] };
  const path = selinuxLabel === undefined ? '/proc/self/attr/apparmor/exec' : '/proc/self/attr/exec';
  return {
    open: [
      op(
        'open',
        { dir: undefined, path, flags: k.O_WRONLY, mode: 0, resolve: 0, out: 'label' },
        'where its security label is told',
      ),
    ],
    write: [op('write', { slot: 'label', data: Buffer.from(text) }, `the program runs as ${text}`)],
  };
}

export function requireLabels({ apparmorProfile, selinuxLabel }: OciProcess, lsm: string | undefined): void {
  if (apparmorProfile !== undefined && lsm !== 'apparmor')
    fail(
      'unsupported',
      'lsm.unavailable',
      `process.apparmorProfile: ${JSON.stringify(apparmorProfile)} cannot be applied: this machine has no AppArmor`,
    );
  if (selinuxLabel !== undefined && lsm !== 'selinux')
    fail(
      'unsupported',
      'lsm.unavailable',
      `process.selinuxLabel: ${JSON.stringify(selinuxLabel)} cannot be applied: this machine has no SELinux`,
    );
}
