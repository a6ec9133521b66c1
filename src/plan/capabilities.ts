// Linux capabilities: names and bits, and the algebra of --cap-add, --cap-drop and --privileged as Docker has it.
// Pure: what the host can grant (its bounding set) comes in as a mask, and nothing beyond it ever goes out.

import { fail } from '../base/errors.ts';
import { capabilityTable as names } from '../spec/oci/capabilities.ts';
import type { OciConfig, OciProcess } from '../spec/oci/runtime.ts';

/** What a container gets when nobody says anything: Docker's fourteen. */
export const defaultCapabilities: readonly string[] = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

export interface CapabilityRequest {
  readonly privileged: boolean;
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** What this machine can grant: CapBnd of the engine, as a mask. */
  readonly host: bigint;
}

/** The capabilities of a container, as a mask. Fails with `capability.unknown`, `capability.unavailable`. */
export function containerCapabilities({ privileged, add, drop, host }: CapabilityRequest): bigint {
  // Both lists are checked even where --privileged makes them moot: a misspelt name is never passed over.
  const added = parseList(add, 'CapAdd', host);
  const dropped = parseList(drop, 'CapDrop', undefined);
  if (privileged) return host;
  if (added.all) return host & ~dropped.mask;
  if (dropped.all) return added.mask;
  return (capabilityMask(defaultCapabilities) & host & ~dropped.mask) | added.mask;
}

/** Mask of names as the kernel spells them (`CAP_CHOWN`); unknown ones fail with `capability.unknown`. */
export function capabilityMask(list: readonly string[]): bigint {
  let mask = 0n;
  for (const name of list) mask |= 1n << BigInt(capabilityBit(name));
  return mask;
}

/** `CAP_…` names of a mask, in bit order; bits newer than this table are left out. */
export function capabilityNames(mask: bigint): string[] {
  return names.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map((name) => `CAP_${name}`);
}

/** `cap_chown`, `CHOWN`, `Cap_Chown` -> `CAP_CHOWN`. */
export function normalizeCapability(name: string): string {
  const upper = name.toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

/**
 * The process without what this machine cannot grant: the OCI specification wants no failure for that. In a user namespace of
 * its own everything can be granted.
 */
export function granted(process: OciProcess, { linux }: OciConfig, host: bigint): OciProcess {
  if (linux.namespaces.some(({ type }) => type === 'user')) return process;
  const there = (list: readonly string[]): readonly string[] =>
    list.filter((name) => (capabilityMask([name]) & host) !== 0n);
  const { bounding, effective, permitted, inheritable, ambient } = process.capabilities;
  return {
    ...process,
    capabilities: {
      bounding: there(bounding),
      effective: there(effective),
      permitted: there(permitted),
      inheritable: there(inheritable),
      ambient: there(ambient),
    },
  };
}

function capabilityBit(name: string): number {
  const bit = names.indexOf(normalizeCapability(name).slice(4));
  if (bit < 0)
    fail('invalid', 'capability.unknown', `unknown capability: ${JSON.stringify(normalizeCapability(name))}`);
  return bit;
}

function parseList(list: readonly string[], field: string, host: bigint | undefined): { all: boolean; mask: bigint } {
  let all = false;
  let mask = 0n;
  for (const raw of list) {
    const name = normalizeCapability(raw);
    if (name === 'ALL') {
      all = true;
      continue;
    }
    const bit = names.indexOf(name.slice(4));
    if (bit < 0) {
      fail('invalid', 'capability.unknown', `invalid ${field}: unknown capability: ${JSON.stringify(name)}`, {
        hint: 'capability names are those of capabilities(7), with or without CAP_',
      });
    }
    const flag = 1n << BigInt(bit);
    if (host !== undefined && !(host & flag)) {
      fail(
        'invalid',
        'capability.unavailable',
        `invalid ${field}: capability not supported by your kernel or not available in the current environment: ${JSON.stringify(name)}`,
      );
    }
    mask |= flag;
  }
  return { all, mask };
}
