// config.json of an OCI bundle (runtime-spec 1.0 to 1.2), read and checked: what is wrong is refused with its JSON path.
// Members that the specification does not know are passed over, as it asks for. Pure.

import { readLinux, readMappings } from './config-linux.ts';
import { readEnv, readProcess } from './config-process.ts';
import {
  absolutePath,
  boolean,
  entries,
  isMissing,
  list,
  maybe,
  member,
  number,
  object,
  type Place,
  quote,
  readJson,
  refuse,
  string,
  strings,
  word,
} from './config-read.ts';
import { readResources } from './config-resources.ts';
import type { OciResources } from './resources.ts';
import { hookPoints, type OciConfig, type OciHook, type OciHooks, type OciMount, type OciProcess } from './runtime.ts';

/** Fails with kind invalid: `config.json` (no JSON at all), `config.version`, `config.invalid` (the path stands first). */
export function parseOciConfig(text: string): OciConfig {
  const place = readJson(text, 'config.json');
  object(place);
  const linux = readLinux(member(place, 'linux'));
  const root = member(place, 'root');
  const names = { ...maybe(place, 'hostname', string), ...maybe(place, 'domainname', string) };
  for (const name of ['hostname', 'domainname'] as const)
    if (names[name] && !linux.namespaces.some(({ type }) => type === 'uts'))
      refuse(name, 'needs a uts namespace in linux.namespaces');
  return {
    ociVersion: readVersion(member(place, 'ociVersion')),
    process: readProcess(member(place, 'process')),
    root: { path: word(member(root, 'path')), readonly: maybe(root, 'readonly', boolean).readonly ?? false },
    ...names,
    mounts: list(member(place, 'mounts')).map(readMount),
    ...maybe(place, 'hooks', readHooks),
    annotations: Object.fromEntries(
      entries(member(place, 'annotations')).map(([name, text]) =>
        name === '' ? refuse('annotations', 'a name must not be empty') : [name, string(text)],
      ),
    ),
    linux,
  };
}

/** `exec --process FILE`: the `process` of a configuration by itself. */
export function parseOciProcess(text: string): OciProcess {
  return readProcess({ ...readJson(text, 'the process document'), path: 'process' });
}

/** `update --resources FILE`: the `linux.resources` of a configuration by itself. */
export function parseOciResources(text: string): OciResources {
  return readResources({ ...readJson(text, 'the resources document'), path: 'resources' });
}

function readVersion(place: Place): string {
  const version = string(place);
  const [, major] = /^(\d+)\.\d+\.\d+(?:[-+].*)?$/.exec(version) ?? [];
  if (major === undefined) refuse(place.path, `must be a version like 1.2.0, not ${quote(version)}`);
  if (major !== '1') refuse(place.path, `version ${version} of the specification is not known; 1.0 to 1.2 are`);
  return version;
}

function readMount(place: Place): OciMount {
  const destination = word(member(place, 'destination'));
  const options = strings(member(place, 'options'));
  const { type = '', source = '' } = { ...maybe(place, 'type', string), ...maybe(place, 'source', string) };
  const bind = options.includes('bind') || options.includes('rbind');
  if (type === '' && !bind && source === '') refuse(member(place, 'type').path, 'is missing');
  if ((bind || type === 'bind') && source === '') refuse(member(place, 'source').path, 'is missing');
  const mappings = { ...maybe(place, 'uidMappings', readMappings), ...maybe(place, 'gidMappings', readMappings) };
  if (((mappings.uidMappings?.length ?? 0) === 0) !== ((mappings.gidMappings?.length ?? 0) === 0))
    refuse(place.path, 'uidMappings and gidMappings must be given together');
  return {
    // a relative one is relative to /, as 1.0 had it
    destination: destination.startsWith('/') ? destination : `/${destination}`,
    type: bind ? 'bind' : type,
    source,
    options,
    ...mappings,
  };
}

function readHooks(place: Place): OciHooks {
  return Object.fromEntries(
    hookPoints.map((point) => [point, list(member(place, point)).map(readHook)]).filter(([, hooks]) => hooks?.length),
  );
}

function readHook(place: Place): OciHook {
  return {
    path: absolutePath(member(place, 'path')),
    args: strings(member(place, 'args')),
    env: isMissing(member(place, 'env')) ? [] : readEnv(member(place, 'env')),
    ...maybe(place, 'timeout', (at) =>
      number(at, -(2 ** 31), 2 ** 31) > 0 ? number(at, 1, 2 ** 31) : refuse(at.path, 'must be greater than zero'),
    ),
  };
}
