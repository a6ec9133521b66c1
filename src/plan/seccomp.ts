// Seccomp: from a resolved policy (OCI `linux.seccomp`) to the classic BPF program that the kernel takes.
// Per architecture: a binary search over runs of call numbers, so that the common calls cost seven comparisons and
// (because the way to their ALLOW reads nothing but nr and arch) the kernel's own action cache spares even those.
// Never guesses: a name that this architecture does not know is left out, as libseccomp does.

import { fail } from '../base/errors.ts';
import type { SeccompArg, SeccompProfile } from '../spec/oci/seccomp.ts';
import { branch, type Code, ins, matchAll, oneArgument, op, rangeTree, type Span } from './seccomp-bpf.ts';
import { type SyscallArch, syscallNumbers, x32Bit } from './syscalls.ts';

const auditArch: { readonly [A in SyscallArch]: number } = {
  x86_64: 0xc000003e,
  x86: 0x40000003,
  x32: 0xc000003e, // told apart by x32Bit in nr
  aarch64: 0xc00000b7,
  arm: 0x40000028,
};

const ociArch: Readonly<Record<string, SyscallArch>> = {
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X86: 'x86',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_AARCH64: 'aarch64',
  SCMP_ARCH_ARM: 'arm',
};

const killProcess = 0x80000000;
const errnoAction = 0x00050000;
const ENOSYS = 38;
const maxInstructions = 4096;

/** The filter as `struct sock_filter[]`, little endian. Fails with `seccomp.invalid`. */
export function compileSeccomp(policy: SeccompProfile, native: 'x86_64' | 'aarch64'): Uint8Array {
  const arches = new Set<SyscallArch>([native]);
  for (const name of policy.architectures ?? []) {
    const arch = Object.hasOwn(ociArch, name) ? ociArch[name] : undefined;
    // Docker's profile names every architecture there is; only the machine's own family can ever occur here.
    if (arch !== undefined && (arch === 'aarch64' || arch === 'arm') === (native === 'aarch64')) arches.add(arch);
  }
  const code = program(policy, native, arches);
  if (code.length > maxInstructions) {
    fail(
      'invalid',
      'seccomp.too_large',
      `the seccomp policy needs ${code.length} BPF instructions, the kernel takes ${maxInstructions}`,
    );
  }
  return encode(code);
}

/** Flags of seccomp(2) that a profile asks for; without any, SPEC_ALLOW, as runc: speculation control is the workload's affair. */
export function seccompFlags(flags: readonly string[] | undefined): number {
  let bits = flags === undefined ? 4 : 0;
  for (const flag of flags ?? []) {
    const bit = Object.hasOwn(flagBits, flag) ? flagBits[flag] : undefined;
    if (bit === undefined) fail('invalid', 'seccomp.invalid', `unknown seccomp flag ${JSON.stringify(flag)}`);
    bits |= bit;
  }
  return bits;
}

const flagBits: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 1,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 32,
};

/** The return value that an action means (seccomp(2)). */
export function actionValue(action: string, errnoRet: number | undefined): number {
  switch (action) {
    case 'SCMP_ACT_ALLOW':
      return 0x7fff0000;
    case 'SCMP_ACT_LOG':
      return 0x7ffc0000;
    case 'SCMP_ACT_ERRNO':
      return errnoAction | ((errnoRet ?? 1) & 0xffff);
    case 'SCMP_ACT_TRACE':
      return 0x7ff00000 | ((errnoRet ?? 1) & 0xffff);
    case 'SCMP_ACT_TRAP':
      return 0x00030000;
    case 'SCMP_ACT_KILL':
    case 'SCMP_ACT_KILL_THREAD':
      return 0;
    case 'SCMP_ACT_KILL_PROCESS':
      return killProcess;
    case 'SCMP_ACT_NOTIFY':
      return 0x7fc00000;
    default:
      return fail('invalid', 'seccomp.invalid', `unknown seccomp action ${JSON.stringify(action)}`);
  }
}

function program(policy: SeccompProfile, native: SyscallArch, arches: ReadonlySet<SyscallArch>): Code {
  let code: Code = [ins(op.ret, killProcess)];
  for (const arch of arches) {
    if (arch === native || arch === 'x32') continue;
    code = [...branch(op.jeq, auditArch[arch], [ins(op.loadAbs, 0), ...body(policy, arch)]), ...code];
  }
  const own = [ins(op.loadAbs, 0), ...(native === 'x86_64' ? x32(policy, arches) : []), ...body(policy, native)];
  return [ins(op.loadAbs, 4), ...branch(op.jeq, auditArch[native], own), ...code];
}

/**
 * x32 shares the audit architecture of x86-64 and differs in one bit of nr: killed where it is not allowed, or a policy
 * that denies by name would be got around with it. Where it is allowed, the bit is taken off and the numbers below 512 go on
 * into the search for x86-64: they are the same calls (or, without an x32 form, none, which the kernel answers itself).
 */
function x32(policy: SeccompProfile, arches: ReadonlySet<SyscallArch>): Code {
  if (!arches.has('x32')) return branch(op.jge, x32Bit, [ins(op.ret, killProcess)]);
  const own = body(policy, 'x32', x32Own);
  return branch(op.jge, x32Bit, [ins(op.and, ~x32Bit >>> 0), ...branch(op.jge, x32Own, own)]);
}

/** asm/unistd_x32.h: from here on, x32 has calls of its own. */
const x32Own = 512;

/** What follows the load of nr (x32's bit taken off), for one architecture: from the number `from` on. */
function body(policy: SeccompProfile, arch: SyscallArch, from = 0): Code {
  const numbers = syscallNumbers(arch);
  const fallback = actionValue(policy.defaultAction, policy.defaultErrnoRet);
  const calls = rulesByNumber(policy, arch, numbers);
  // Calls newer than everything the policy knows do not exist for the container: with EPERM, programs that probe for
  // a new call and fall back on ENOSYS break (runc does the same since 1.0-rc93). arm's own calls are far above: a gap.
  const permissive = policy.defaultAction === 'SCMP_ACT_ALLOW' || policy.defaultAction === 'SCMP_ACT_LOG';
  const unknown = permissive ? fallback : errnoAction | ENOSYS;
  const spans: Span[] = [];
  let next = from;
  for (const number of [...calls.keys()].filter((one) => one >= from).sort((a, b) => a - b)) {
    if (number > next) spans.push({ from: next, code: [ins(op.ret, number - next > 1000 ? unknown : fallback)] });
    spans.push({ from: number, code: callCode(calls.get(number) ?? [], fallback, arch) });
    next = number + 1;
  }
  spans.push({ from: next, code: [ins(op.ret, unknown)] });
  return rangeTree(spans);
}

interface Rule {
  readonly action: number;
  readonly args: readonly SeccompArg[];
}

function rulesByNumber(
  policy: SeccompProfile,
  arch: SyscallArch,
  numbers: ReadonlyMap<string, number>,
): Map<number, Rule[]> {
  const calls = new Map<number, Rule[]>();
  const add = (name: string, rule: Rule): void => {
    const known = numbers.get(name);
    if (known === undefined) return;
    const number = known & ~x32Bit;
    const rules = calls.get(number);
    if (rules === undefined) calls.set(number, [rule]);
    else rules.push(rule);
  };
  for (const { names, action, errnoRet, args = [] } of policy.syscalls) {
    const value = actionValue(action, errnoRet);
    const alternatives = splitRepeated(args);
    for (const name of names) {
      for (const one of alternatives) add(name, { action: value, args: one });
      if (arch === 'x86' && args.length === 0) addMultiplexed(name, value, add);
    }
  }
  return calls;
}

/** Two conditions on one argument are alternatives: libseccomp takes only one, so runc (and Docker) make two rules of them. */
function splitRepeated(args: readonly SeccompArg[]): readonly (readonly SeccompArg[])[] {
  const repeated = new Set(args.map((arg) => arg.index)).size < args.length;
  return repeated ? args.map((arg) => [arg]) : [args];
}

/** i386 reaches the socket and System V calls through socketcall(2) and ipc(2) too; the latter's upper half is a version. */
function addMultiplexed(name: string, action: number, add: (name: string, rule: Rule) => void): void {
  const socket = socketCalls.indexOf(name);
  if (socket >= 0) add('socketcall', { action, args: [{ index: 0, op: 'SCMP_CMP_EQ', value: socket + 1 }] });
  const ipc = Object.hasOwn(ipcCalls, name) ? ipcCalls[name] : undefined;
  if (ipc !== undefined)
    add('ipc', { action, args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: 0xffff, valueTwo: ipc }] });
}

/** linux/net.h: SYS_SOCKET is 1, and so on. */
const socketCalls =
  'socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg'.split(
    ' ',
  );
/** linux/ipc.h */
const ipcCalls: Readonly<Record<string, number>> = {
  semop: 1,
  semget: 2,
  semctl: 3,
  semtimedop: 4,
  msgsnd: 11,
  msgrcv: 12,
  msgget: 13,
  msgctl: 14,
  shmat: 21,
  shmdt: 22,
  shmget: 23,
  shmctl: 24,
};

/** One call: an unconditional rule wins over conditions, and the first of either over later ones (as libseccomp has it). */
function callCode(all: readonly Rule[], fallback: number, arch: SyscallArch): Code {
  // libseccomp takes no rule that says what the default says, so such a rule must not shadow a later one either
  const rules = all.filter((rule) => rule.action !== fallback);
  const always = rules.find((rule) => rule.args.length === 0);
  if (always !== undefined) return [ins(op.ret, always.action)];
  const wide = arch !== 'x86' && arch !== 'arm';
  const search = oneArgument(rules, fallback, wide);
  if (search !== undefined) return search;
  let code: Code = [ins(op.ret, fallback)];
  for (const rule of [...rules].reverse()) code = [...matchAll(rule.args, wide, [ins(op.ret, rule.action)]), ...code];
  return code;
}

function encode(code: Code): Uint8Array {
  const bytes = new Uint8Array(code.length * 8);
  const view = new DataView(bytes.buffer);
  code.forEach(({ code: operation, jt, jf, k }, index) => {
    view.setUint16(index * 8, operation, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k >>> 0, true);
  });
  return bytes;
}
