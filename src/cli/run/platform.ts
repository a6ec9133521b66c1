// --platform: `linux/amd64`, `linux/arm64/v8`, `arm64`, `linux`.

import { fail } from '../../base/errors.ts';
import { goQuote } from '../values.ts';

const systems =
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos';
const machines = '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm';
const otherNames = 'i386 x86_64 x86-64 aarch64 armhf armel macos';
const known = new Set(`${systems} ${machines} ${otherNames}`.split(' '));

/** The text as it was given, or the sentence that Docker's client has for what it cannot mean. */
export function checkPlatform(text: string): string {
  if (text === '') return text;
  const parts = text.split('/');
  const problem =
    parts.length > 3
      ? 'cannot parse platform specifier'
      : parts.some((part) => !/^[\w.-]+$/.test(part))
        ? `${goQuote(parts.find((part) => !/^[\w.-]+$/.test(part)) ?? '')} is an invalid component of ${goQuote(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$"`
        : parts.length === 1 && !known.has(text.toLowerCase())
          ? 'unknown operating system or architecture'
          : undefined;
  if (problem === undefined) return text;
  return fail(
    'invalid',
    'cli.platform',
    `error parsing specified platform: ${goQuote(text)}: ${problem}: invalid argument`,
  );
}
