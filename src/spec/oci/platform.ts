// Platforms as users write them (`linux/arm64/v8`, `arm64`) and which one of an index runs on which.
// Pure. The rules are containerd's: https://pkg.go.dev/github.com/containerd/platforms.

import { fail } from '../../base/errors.ts';
import type { Descriptor, Platform } from './image.ts';

const systems = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const architectures = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 ' +
    'mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);

/** Parses `os`, `arch`, `os/arch` or `os/arch/variant`; what is missing comes from the host. */
export function parsePlatform(text: string, host: Platform): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9][a-z0-9_.-]*$/.test(part))) {
    return fail(
      'invalid',
      'platform.invalid',
      `invalid platform ${JSON.stringify(text)}: must be os/arch or os/arch/variant`,
    );
  }
  const [first = '', second, variant] = parts;
  if (second !== undefined) return normalizePlatform({ os: first, architecture: second, ...withVariant(variant) });
  if (systems.has(normalSystem(first))) return normalizePlatform({ ...host, os: first });
  const platform = normalizePlatform({ os: host.os, architecture: first });
  if (architectures.has(platform.architecture)) return platform;
  return fail('invalid', 'platform.invalid', `${JSON.stringify(text)}: unknown operating system or architecture`);
}

/** The platform of a Linux machine, from Node's `process.arch`. */
export function hostPlatform(arch: string): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', mipsel: 'mipsle', ppc64: 'ppc64le' };
  return normalizePlatform({ os: 'linux', architecture: names[arch] ?? arch });
}

/** One spelling for each platform: `aarch64` is arm64, `v8` of it and `v1` of amd64 are silent, arm is v7. */
function normalizePlatform(platform: Platform): Platform {
  const { os, architecture, variant, ...rest } = platform;
  const [arch, kind] = normalArchitecture(architecture.toLowerCase(), (variant ?? '').toLowerCase());
  return { ...rest, os: normalSystem(os.toLowerCase()), architecture: arch, ...withVariant(kind) };
}

/** `linux/arm64/v8`. Arm's silent variant is spelled out, as Docker does. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalizePlatform(platform);
  const shown = variant ?? (architecture === 'arm64' ? 'v8' : undefined);
  return `${os}/${architecture}${shown === undefined ? '' : `/${shown}`}`;
}

/** How well an image of `have` runs where `want` is asked for: 0 is best; undefined: not at all. */
function platformRank(want: Platform, have: Platform): number | undefined {
  const wanted = normalizePlatform(want);
  const offered = normalizePlatform(have);
  if (offered.os !== wanted.os) return undefined;
  const rank = acceptable(wanted).findIndex(
    ([architecture, variant]) => offered.architecture === architecture && (offered.variant ?? '') === variant,
  );
  return rank < 0 ? undefined : rank;
}

/** True where an image of `have` runs on `want`. */
export function platformMatches(want: Platform, have: Platform): boolean {
  return platformRank(want, have) !== undefined;
}

/** The entry of an index that runs best on `want`; one without a platform is the last resort. */
export function bestMatch(entries: readonly Descriptor[], want: Platform): Descriptor | undefined {
  let best: Descriptor | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const rank = entry.platform === undefined ? Number.MAX_SAFE_INTEGER : platformRank(want, entry.platform);
    // Strictly better: among equals the first one of the index counts.
    if (rank === undefined || rank >= bestRank) continue;
    best = entry;
    bestRank = rank;
  }
  return best;
}

/** What runs on a platform, best first. */
function acceptable(want: Platform): readonly (readonly [architecture: string, variant: string])[] {
  const variant = want.variant ?? '';
  if (want.architecture === 'arm') return armVariants(variant);
  if (want.architecture === 'arm64') {
    const own: readonly (readonly [string, string])[] =
      variant === ''
        ? [['arm64', '']]
        : [
            ['arm64', variant],
            ['arm64', ''],
          ];
    return [...own, ...armVariants('v8')];
  }
  if (want.architecture === 'amd64') {
    const level = variant === '' ? 1 : Number(/^v([1-9])$/.exec(variant)?.[1] ?? Number.NaN);
    if (Number.isNaN(level)) return [['amd64', variant]];
    const own = Array.from({ length: level }, (_, i) => ['amd64', level - i === 1 ? '' : `v${level - i}`] as const);
    return [...own, ['386', '']];
  }
  return [[want.architecture, variant]];
}

/** An arm of version n runs what was built for every version from 5 to n. */
function armVariants(variant: string): readonly (readonly [string, string])[] {
  const version = Number(/^v([5-8])$/.exec(variant)?.[1] ?? Number.NaN);
  if (Number.isNaN(version)) return [['arm', variant]];
  return Array.from({ length: version - 4 }, (_, i) => ['arm', `v${version - i}`] as const);
}

function normalSystem(os: string): string {
  return os === 'macos' ? 'darwin' : os;
}

function normalArchitecture(arch: string, variant: string): readonly [string, string] {
  switch (arch) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' || variant === 'v8.0' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : /^[5-8]$/.test(variant) ? `v${variant}` : variant];
    default:
      return [arch, variant];
  }
}

function withVariant(variant: string | undefined): { readonly variant?: string } {
  return variant === undefined || variant === '' ? {} : { variant };
}
