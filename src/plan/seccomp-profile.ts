// Seccomp profiles: Docker's JSON document (`--security-opt seccomp=FILE`), checked, and its conditions (capabilities,
// architecture, kernel) resolved into the plain policy of an OCI configuration. Also the compiler with its memory.

import { fail } from '../base/errors.ts';
import type { SeccompArg, SeccompProfile, SeccompRule } from '../spec/oci/seccomp.ts';
import { capabilityMask, normalizeCapability } from './capabilities.ts';
import { actionValue, compileSeccomp, seccompFlags } from './seccomp.ts';
import { comparisons } from './seccomp-bpf.ts';

export interface ProfileCondition {
  readonly caps?: readonly string[];
  /** Go's names: amd64, arm64, x86… */
  readonly arches?: readonly string[];
  /** `4.8` */
  readonly minKernel?: string;
}

export interface ProfileRule extends SeccompRule {
  readonly includes?: ProfileCondition;
  readonly excludes?: ProfileCondition;
}

/** Docker's seccomp document. */
export interface DockerSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls: readonly ProfileRule[];
}

export interface SeccompFacts {
  readonly arch: 'x86_64' | 'aarch64';
  /** The container's capabilities (the bounding set of its process). */
  readonly capabilities: bigint;
  /** `6.1.0-18-amd64` */
  readonly kernel: string;
}

/** What the profile comes to for one container on one machine: the `linux.seccomp` of its OCI configuration. */
export function resolveProfile(profile: DockerSeccomp, facts: SeccompFacts): SeccompProfile {
  const goArch = facts.arch === 'x86_64' ? 'amd64' : 'arm64';
  const native = facts.arch === 'x86_64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64';
  const has = (cap: string): boolean => (facts.capabilities & capabilityMask([cap])) !== 0n;
  const included = ({ caps = [], arches = [], minKernel }: ProfileCondition): boolean =>
    (arches.length === 0 || arches.includes(goArch)) &&
    caps.every(has) &&
    (minKernel === undefined || kernelAtLeast(facts.kernel, minKernel));
  const excluded = ({ caps = [], arches = [], minKernel }: ProfileCondition): boolean =>
    arches.includes(goArch) || caps.some(has) || (minKernel !== undefined && kernelAtLeast(facts.kernel, minKernel));
  const mapped = profile.archMap?.find(({ architecture }) => architecture === native);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    ...(profile.listenerPath === undefined ? {} : { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata === undefined ? {} : { listenerMetadata: profile.listenerMetadata }),
    architectures: mapped === undefined ? (profile.architectures ?? []) : [native, ...mapped.subArchitectures],
    syscalls: profile.syscalls
      .filter(({ includes = {}, excludes = {} }) => included(includes) && !excluded(excludes))
      .map(({ names, action, errnoRet, args }) => ({
        names,
        action,
        ...(errnoRet === undefined ? {} : { errnoRet }),
        ...(args === undefined ? {} : { args }),
      })),
  };
}

function kernelAtLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split(/[^0-9]+/).map(Number);
  const [wantMajor = 0, wantMinor = 0] = wanted.split('.').map(Number);
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

/** Compiles policies, remembering the last few: the same walls are built again and again. */
export function seccompCompiler(arch: SeccompFacts['arch']): (policy: SeccompProfile) => Uint8Array {
  const known = new Map<string, Uint8Array>();
  const same = new WeakMap<SeccompProfile, Uint8Array>();
  return (policy) => {
    const before = same.get(policy);
    if (before !== undefined) return before;
    const key = JSON.stringify(policy, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    let filter = known.get(key);
    if (filter === undefined) {
      filter = compileSeccomp(policy, arch);
      if (known.size >= 16) known.clear();
      known.set(key, filter);
    }
    same.set(policy, filter);
    return filter;
  };
}

/** Reads a profile of Docker's (or an OCI `linux.seccomp`). `where` names the file in errors. */
export function parseDockerSeccomp(text: string, where: string): DockerSeccomp {
  let document: unknown;
  try {
    // Arguments are 64-bit words, which JSON.parse would round: long numbers go through as strings.
    document = JSON.parse(
      text.replace(/"(?:[^"\\]|\\.)*"|\b\d{16,20}\b/g, (word) => (word.startsWith('"') ? word : `"${word}"`)),
    );
  } catch (cause) {
    fail('invalid', 'seccomp.invalid', `the seccomp profile ${where} is not JSON`, { cause });
  }
  const at = (place: string): string => `the seccomp profile ${where}: ${place}`;
  const root = object(document, at('the document'));
  const action = string(root['defaultAction'], at('defaultAction'));
  actionValue(action, undefined);
  const { architectures, archMap, defaultErrnoRet, flags, listenerPath, listenerMetadata } = root;
  const syscalls = list(root['syscalls'] ?? [], at('syscalls')).map((entry, index) =>
    parseRule(entry, at(`syscalls[${index}]`)),
  );
  if (flags != null) seccompFlags(strings(flags, at('flags')));
  if (listenerPath == null && syscalls.some((rule) => rule.action === 'SCMP_ACT_NOTIFY'))
    invalid(at('listenerPath'), 'given: a rule has the action SCMP_ACT_NOTIFY');
  const asked = syscalls.filter((rule) => rule.action === 'SCMP_ACT_NOTIFY').flatMap(({ names }) => names);
  if (action === 'SCMP_ACT_NOTIFY' || asked.includes('sendmsg') || asked.includes('write'))
    fail('invalid', 'seccomp.invalid', at('an agent cannot be asked about write and sendmsg: it is reached with them'));
  return {
    defaultAction: action,
    ...(defaultErrnoRet == null ? {} : { defaultErrnoRet: number(defaultErrnoRet, at('defaultErrnoRet'), 0xffff) }),
    ...(architectures == null ? {} : { architectures: strings(architectures, at('architectures')) }),
    ...(archMap == null
      ? {}
      : { archMap: list(archMap, at('archMap')).map((entry) => parseArch(entry, at('archMap'))) }),
    ...(flags == null ? {} : { flags: strings(flags, at('flags')) }),
    ...(listenerPath == null ? {} : { listenerPath: string(listenerPath, at('listenerPath')) }),
    ...(listenerMetadata == null ? {} : { listenerMetadata: string(listenerMetadata, at('listenerMetadata')) }),
    syscalls,
  };
}

function parseArch(value: unknown, where: string): { architecture: string; subArchitectures: readonly string[] } {
  const entry = object(value, where);
  return {
    architecture: string(entry['architecture'], `${where}.architecture`),
    subArchitectures: strings(entry['subArchitectures'] ?? [], `${where}.subArchitectures`),
  };
}

function parseRule(value: unknown, where: string): ProfileRule {
  const rule = object(value, where);
  // `name` is the spelling before Docker 17.06
  const names =
    rule['name'] === undefined || rule['name'] === ''
      ? strings(rule['names'], `${where}.names`)
      : [string(rule['name'], `${where}.name`)];
  const action = string(rule['action'], `${where}.action`);
  actionValue(action, undefined);
  return {
    names,
    action,
    ...(rule['errnoRet'] == null ? {} : { errnoRet: number(rule['errnoRet'], `${where}.errnoRet`, 0xffff) }),
    ...(rule['args'] == null
      ? {}
      : { args: list(rule['args'], `${where}.args`).map((arg, i) => parseArg(arg, `${where}.args[${i}]`)) }),
    ...(rule['includes'] == null ? {} : { includes: parseCondition(rule['includes'], `${where}.includes`) }),
    ...(rule['excludes'] == null ? {} : { excludes: parseCondition(rule['excludes'], `${where}.excludes`) }),
  };
}

function parseArg(value: unknown, where: string): SeccompArg {
  const arg = object(value, where);
  const comparison = string(arg['op'], `${where}.op`);
  if (!comparisons.includes(comparison)) invalid(`${where}.op`, `one of ${comparisons.join(', ')}`);
  return {
    index: number(arg['index'], `${where}.index`, 5),
    op: comparison,
    value: word(arg['value'] ?? 0, `${where}.value`),
    valueTwo: word(arg['valueTwo'] ?? 0, `${where}.valueTwo`),
  };
}

function parseCondition(value: unknown, where: string): ProfileCondition {
  const condition = object(value, where);
  const { caps, arches, minKernel } = condition;
  if (minKernel != null && !/^\d+\.\d+$/.test(string(minKernel, where)))
    invalid(`${where}.minKernel`, 'a version like 4.8');
  const known = caps == null ? [] : strings(caps, `${where}.caps`).map(normalizeCapability);
  capabilityMask(known);
  return {
    caps: known,
    ...(arches == null ? {} : { arches: strings(arches, `${where}.arches`) }),
    ...(minKernel == null ? {} : { minKernel: string(minKernel, where) }),
  };
}

function word(value: unknown, where: string): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'string' && /^\d{16,20}$/.test(value) && BigInt(value) < 1n << 64n) return BigInt(value);
  return invalid(where, 'a number of 64 bits');
}

function number(value: unknown, where: string, max: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
    ? value
    : invalid(where, `a number from 0 to ${max}`);
}

function string(value: unknown, where: string): string {
  return typeof value === 'string' ? value : invalid(where, 'a string');
}

function list(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : invalid(where, 'a list');
}

function strings(value: unknown, where: string): readonly string[] {
  return list(value, where).map((item) => string(item, where));
}

function object(value: unknown, where: string): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : invalid(where, 'an object');
}

function invalid(where: string, wanted: string): never {
  return fail('invalid', 'seccomp.invalid', `${where} must be ${wanted}`);
}
