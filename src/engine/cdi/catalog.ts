// The devices that CDI specifications on this machine describe: read anew whenever somebody asks for one, since vendors'
// tools write them at any time, and nobody else pays for it.

import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../base/errors.ts';
import { readFileLimited } from '../../base/files.ts';
import { type CdiEdits, type CdiSpec, readCdiSpec } from '../../spec/cdi/spec.ts';
import { type Place, readJson } from '../../spec/oci/config-read.ts';

export interface CdiDevice {
  readonly file: string;
  readonly edits: CdiEdits;
  /** Of all devices of the specification. */
  readonly shared: CdiEdits;
}

export interface CdiCatalog {
  /** `vendor.com/class=name` -> what it is. */
  readonly devices: ReadonlyMap<string, CdiDevice>;
  /** One sentence for each file that cannot be used and each device that two files describe. */
  readonly problems: readonly string[];
}

/** A device of a later directory takes the place of one of an earlier: what is made at run time over what was installed. */
export function cdiDirectories(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const asked = (env['CDI_SPEC_DIRS'] ?? '').split(':').filter((dir) => dir !== '');
  return asked.length > 0 ? asked : ['/etc/cdi', '/var/run/cdi'];
}

const sizeLimit = 4 << 20;

export async function readCatalog(directories: readonly string[] = cdiDirectories()): Promise<CdiCatalog> {
  const devices = new Map<string, CdiDevice>();
  const problems: string[] = [];
  for (const directory of directories) {
    const here = new Map<string, CdiDevice>();
    const conflicts = new Set<string>();
    for (const file of await filesOf(directory)) {
      const spec = await readSpec(file, problems);
      for (const { name, edits } of spec?.devices ?? []) {
        const id = `${spec?.kind}=${name}`;
        const other = here.get(id);
        if (other) {
          conflicts.add(id);
          problems.push(`conflicting device "${id}" (specs "${other.file}", "${file}")`);
        } else if (spec) here.set(id, { file, edits, shared: spec.edits });
      }
    }
    for (const [id, device] of here) devices.set(id, device);
    for (const id of conflicts) devices.delete(id); // neither of the two can be meant
  }
  return { devices, problems };
}

async function filesOf(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => /\.(json|yaml)$/.test(name))
      .sort()
      .map((name) => path.join(directory, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function readSpec(file: string, problems: string[]): Promise<CdiSpec | undefined> {
  try {
    const bytes = await readFileLimited(file, sizeLimit);
    if (bytes === undefined) return undefined; // taken away meanwhile
    return readCdiSpec(await documentOf(bytes.toString('utf8'), file));
  } catch (error) {
    problems.push(`${file}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function documentOf(text: string, file: string): Promise<Place> {
  if (file.endsWith('.json')) return readJson(text, file);
  const { parseYaml } = await import('../../base/yaml.ts'); // most machines have no such file: nothing is loaded for nothing
  return { value: parseYaml(text), path: '' };
}
