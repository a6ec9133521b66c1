// Digests as the OCI specification writes them (`sha256:<hex>`): the only names that bytes from outside get.
// A digest becomes part of a path, so nothing here accepts anything but lower-case hex of the right length.

import { createHash, type Hash } from 'node:crypto';
import { fail } from './errors.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';

export interface ParsedDigest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

const digestPattern = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/;

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Fails with `digest.invalid`. */
export function parseDigest(text: string): ParsedDigest {
  const match = digestPattern.exec(text);
  if (match?.[1] !== undefined) return { algorithm: 'sha256', hex: match[2] ?? '' };
  if (match?.[3] !== undefined) return { algorithm: 'sha512', hex: match[4] ?? '' };
  fail('invalid', 'digest.invalid', `${JSON.stringify(text.slice(0, 160))} is not a digest`, {
    hint: 'a digest is sha256: followed by 64 lower-case hexadecimal digits',
  });
}

/** `sha256:<hex>` of bytes that are all here. */
export function sha256Of(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A running hash of the algorithm that `digest` names. */
export function hashFor(digest: string): Hash {
  return createHash(parseDigest(digest).algorithm);
}
