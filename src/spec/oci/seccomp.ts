// `linux.seccomp` of an OCI configuration (runtime-spec 1.2, config-linux.md#seccomp).

/** A condition on one argument of a call. SCMP_CMP_MASKED_EQ: `value` is the mask, `valueTwo` the datum. */
export interface SeccompArg {
  readonly index: number;
  /** `SCMP_CMP_EQ`… */
  readonly op: string;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
}

export interface SeccompRule {
  readonly names: readonly string[];
  /** `SCMP_ACT_ALLOW`, `SCMP_ACT_ERRNO`… */
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[];
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64`…; the machine's own is always in. */
  readonly architectures?: readonly string[];
  /** `SECCOMP_FILTER_FLAG_LOG`… */
  readonly flags?: readonly string[];
  /** The socket that gets the listener of SCMP_ACT_NOTIFY, and words for who listens there. */
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly SeccompRule[];
}

export const seccompActions: readonly string[] = 'KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY'
  .split(' ')
  .map((name) => `SCMP_ACT_${name}`);

export const seccompComparisons: readonly string[] = 'NE LT LE EQ GE GT MASKED_EQ'
  .split(' ')
  .map((name) => `SCMP_CMP_${name}`);

export const seccompArchitectures: readonly string[] =
  'X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC PARISC64 RISCV64 LOONGARCH64 M68K SH SHEB'
    .split(' ')
    .map((name) => `SCMP_ARCH_${name}`);

export const seccompFlagNames: readonly string[] = 'TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV'
  .split(' ')
  .map((name) => `SECCOMP_FILTER_FLAG_${name}`);
