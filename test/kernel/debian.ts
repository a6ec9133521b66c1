// A Debian with real programs in it, made once with mmdebstrap from this machine's apt sources and kept in .build/.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Layer } from './registry.ts';
import { repository } from './world.ts';

export const packages: readonly string[] = ['python3', 'nginx-light', 'redis-server', 'postgresql'];

/** What programs do not need: documentation, and postgresql's compiler of queries (a tenth of a gigabyte). */
const left = [
  '/usr/share/doc/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/info/*',
  '*/bitcode/*',
  '*/llvmjit*',
];

/** The layer of these packages, gzipped. Takes half a minute the first time. */
export function debianLayer(wanted = packages): Layer {
  const key = createHash('sha256').update(
    JSON.stringify([wanted, left, sources().map((file) => readFileSync(file, 'utf8'))]),
  );
  const stem = path.join(repository, '.build', `debian-${key.digest('hex').slice(0, 12)}`);
  if (!existsSync(`${stem}.json`)) build(stem, wanted);
  return { ...(JSON.parse(readFileSync(`${stem}.json`, 'utf8')) as Omit<Layer, 'file'>), file: `${stem}.tar.gz` };
}

/** Files of Debian's own repositories among this machine's apt sources. */
function sources(): string[] {
  const directory = '/etc/apt/sources.list.d';
  const files = existsSync(directory)
    ? readdirSync(directory)
        .sort()
        .map((name) => path.join(directory, name))
    : [];
  return ['/etc/apt/sources.list', ...files].filter(
    (file) =>
      /\.(list|sources)$/.test(file) &&
      existsSync(file) &&
      /^(URIs:|deb ).*\/debian(-security)?\/?(\s|$)/m.test(readFileSync(file, 'utf8')),
  );
}

function build(stem: string, wanted: readonly string[]): void {
  mkdirSync(path.dirname(stem), { recursive: true });
  const suite = /^VERSION_CODENAME=([a-z]+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
  const temp = `${stem}.${process.pid}`;
  const script = `set -e -o pipefail
    mmdebstrap --quiet --variant=minbase --include=${wanted.join(',')} --aptopt='APT::Install-Recommends "0"' --aptopt='Acquire::Check-Valid-Until "0"' \
      ${left.map((one) => `--dpkgopt='path-exclude=${one}'`).join(' ')} ${suite} - ${sources().join(' ')} |
      tee >(sha256sum >${temp}.diff) | gzip -1 >${temp}.gz
    sha256sum <${temp}.gz >${temp}.sum; sleep 0.2`;
  try {
    execFileSync('bash', ['-c', script], { stdio: ['ignore', 'inherit', 'inherit'] });
    const digest = (file: string): string => `sha256:${readFileSync(file, 'utf8').slice(0, 64)}`;
    const layer = { digest: digest(`${temp}.sum`), diffId: digest(`${temp}.diff`), size: statSync(`${temp}.gz`).size };
    renameSync(`${temp}.gz`, `${stem}.tar.gz`);
    writeFileSync(`${stem}.json`, JSON.stringify(layer));
  } finally {
    for (const end of ['gz', 'sum', 'diff']) rmSync(`${temp}.${end}`, { force: true });
  }
}
