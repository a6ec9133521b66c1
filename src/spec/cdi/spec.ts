// Specifications of the Container Device Interface (cncf-tags/container-device-interface, SPEC.md, 0.3 to 1.0): what a
// vendor's named devices add to a container. Types and parser; pure.

import {
  absolutePath,
  isMissing,
  list,
  maybe,
  member,
  number,
  oneOf,
  type Place,
  quote,
  refuse,
  string,
  strings,
  u32,
  word,
} from '../oci/config-read.ts';
import { type HookPoint, hookPoints, type OciHook, type OciMount } from '../oci/runtime.ts';

export interface CdiDeviceNode {
  readonly path: string;
  /** Where it is on the host: `path` where nothing is said. */
  readonly hostPath?: string;
  /** Those of the host's node where nothing is said. */
  readonly type?: 'b' | 'c' | 'u' | 'p';
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiEdits {
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly OciMount[];
  readonly hooks: readonly { readonly point: HookPoint; readonly hook: OciHook }[];
  readonly additionalGids: readonly number[];
}

export interface CdiSpec {
  /** `vendor.com/class` */
  readonly kind: string;
  readonly devices: readonly { readonly name: string; readonly edits: CdiEdits }[];
  /** With every device of it. */
  readonly edits: CdiEdits;
}

/** Fails with `config.invalid` and the path in the document. */
export function readCdiSpec(place: Place): CdiSpec {
  const version = string(member(place, 'cdiVersion'));
  if (!/^(0\.[3-9]|1\.[01])\.\d+$/.test(version)) refuse('cdiVersion', `version ${quote(version)} is not known`);
  const kind = word(member(place, 'kind'));
  if (!/^[A-Za-z][\w.-]*\/[A-Za-z][\w.-]*$/.test(kind)) refuse('kind', `${quote(kind)} is not vendor/class`);
  const devices = list(member(place, 'devices')).map((device) => {
    const name = word(member(device, 'name'));
    if (!/^[A-Za-z0-9][\w.:-]*$/.test(name))
      refuse(member(device, 'name').path, `${quote(name)} is no name of a device`);
    return { name, edits: readEdits(member(device, 'containerEdits')) };
  });
  const twice = devices.find(({ name }, index) => devices.findIndex((other) => other.name === name) !== index);
  if (twice) refuse('devices', `${quote(twice.name)} stands there twice`);
  return { kind, devices, edits: readEdits(member(place, 'containerEdits')) };
}

function readEdits(given: Place): CdiEdits {
  const place = isMissing(given) ? { ...given, value: {} } : given;
  for (const name of ['netDevices', 'intelRdt'])
    if (!isMissing(member(place, name))) refuse(member(place, name).path, 'is not supported');
  return {
    env: list(member(place, 'env')).map((entry) =>
      /^[^=]+=/.test(string(entry)) ? string(entry) : refuse(entry.path, 'must be NAME=VALUE'),
    ),
    deviceNodes: list(member(place, 'deviceNodes')).map(readNode),
    mounts: list(member(place, 'mounts')).map(readMount),
    hooks: list(member(place, 'hooks')).map((entry) => ({
      point: oneOf(member(entry, 'hookName'), hookPoints, 'hook'),
      hook: {
        path: absolutePath(member(entry, 'path')),
        args: strings(member(entry, 'args')),
        env: strings(member(entry, 'env')),
        ...maybe(entry, 'timeout', (at) => number(at, 1, 2 ** 31)),
      },
    })),
    additionalGids: list(member(place, 'additionalGids')).map(u32),
  };
}

function readNode(place: Place): CdiDeviceNode {
  return {
    path: absolutePath(member(place, 'path')),
    ...maybe(place, 'hostPath', absolutePath),
    ...maybe(place, 'type', (at) => oneOf(at, ['b', 'c', 'u', 'p'] as const, 'type of device')),
    ...maybe(place, 'major', u32),
    ...maybe(place, 'minor', u32),
    ...maybe(place, 'fileMode', u32),
    permissions:
      maybe(place, 'permissions', (at) =>
        /^[rwm]{1,3}$/.test(string(at)) ? string(at) : refuse(at.path, 'must be made of r, w and m'),
      ).permissions ?? 'rwm',
    ...maybe(place, 'uid', u32),
    ...maybe(place, 'gid', u32),
  };
}

function readMount(place: Place): OciMount {
  const options = strings(member(place, 'options'));
  const { type = '' } = maybe(place, 'type', string);
  const bind = type === '' || type === 'bind' || options.includes('bind') || options.includes('rbind');
  const said = options.includes('bind') || options.includes('rbind');
  return {
    destination: absolutePath(member(place, 'containerPath')),
    source: bind ? absolutePath(member(place, 'hostPath')) : string(member(place, 'hostPath')),
    type: bind ? 'bind' : type,
    options: bind && !said ? ['rbind', ...options] : options,
  };
}
