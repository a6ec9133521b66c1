// Where the native binary is: beside the bundles, ../bin/hoist.

import { fileURLToPath } from 'node:url';

/** True where the sources run as they are (tests). */
const unbundled = import.meta.url.endsWith('.ts');

export function nativeBinary(): string {
  return (
    process.env['HOIST_NATIVE'] ??
    fileURLToPath(new URL(unbundled ? '../../bin/hoist' : '../bin/hoist', import.meta.url))
  );
}

/** A file beside this bundle; undefined where the sources run unbundled. */
export function bundled(name: string): URL | undefined {
  return unbundled ? undefined : new URL(`./${name}`, import.meta.url);
}
