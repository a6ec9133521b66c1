// Where an OCI container's control groups are, and what is below them.

import { readdirSync } from 'node:fs';
import { fail } from '../../base/errors.ts';

/** Below every hierarchy's mount point. `systemd`: `slice:prefix:name`, as systemd would lay it out. */
export function cgroupsPathOf(asked: string, id: string, systemd: boolean): string {
  const parts = asked.split(':');
  if (systemd && (asked === '' || parts.length === 3)) {
    const [slice = '', prefix = 'hoist', name = id] = asked === '' ? [] : parts;
    return `${slicePath(slice || 'system.slice')}/${prefix === '' ? '' : `${prefix}-`}${name}${name.endsWith('.slice') ? '' : '.scope'}`;
  }
  if (asked.split('/').includes('..')) fail('invalid', 'config.invalid', 'linux.cgroupsPath: must not have ".." in it');
  const clean = asked.split('/').filter((part) => part !== '' && part !== '.');
  return clean.length === 0 ? `/hoist-oci/${id}` : `/${clean.join('/')}`;
}

/** systemd.slice(5): `a-b.slice` lies in `a.slice`. */
function slicePath(slice: string): string {
  if (!/^[\w.@:\\-]+\.slice$/.test(slice))
    fail('invalid', 'config.invalid', `linux.cgroupsPath: ${JSON.stringify(slice)} is not the name of a slice`);
  if (slice === '-.slice') return '';
  const parts = slice.slice(0, -'.slice'.length).split('-');
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('-')}.slice`).join('');
}

/** A group with all that are in it, the innermost first. */
export function groupTree(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []));
  } catch {
    return []; // gone already
  }
  return [...names.flatMap((name) => groupTree(`${directory}/${name}`)), directory];
}
