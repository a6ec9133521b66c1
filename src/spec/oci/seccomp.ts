// `linux.seccomp` of an OCI configuration (runtime-spec 1.2, config-linux.md#seccomp), as far as filters are made from it.

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
  readonly syscalls: readonly SeccompRule[];
}
