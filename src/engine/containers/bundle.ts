// A container's directory as the bundle that hooks are told of.

import path from 'node:path';
import type { PlannedFile } from '../../plan/input.ts';
import type { OciConfig } from '../../spec/oci/runtime.ts';

/** Hooks look for the container's root in the configuration of the bundle that their state names. */
export function bundleFile(directory: string, config: OciConfig, mountpoint: string): PlannedFile {
  const shown = { ...config, root: { ...config.root, path: mountpoint } };
  const text = JSON.stringify(shown, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
  return { path: path.join(directory, 'config.json'), text };
}
