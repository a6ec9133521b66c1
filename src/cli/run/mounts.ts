// -v, --mount, --tmpfs: what the user writes as the documents that the engine takes.

import { resolve } from 'node:path';
import { fail, isHoistError } from '../../base/errors.ts';
import type { MountSpec } from '../../spec/docker/container.ts';
import { parseBool, parseBytes } from '../values.ts';
import { csvFields } from './csv.ts';

export interface VolumeFlags {
  readonly binds: readonly string[];
  /** Paths that get a volume without a name, as the API wants them. */
  readonly volumes: Readonly<Record<string, Record<string, never>>>;
}

/** -v: relative sources (`.`, `./x`, `../x`) become absolute; what has no source is an anonymous volume (Docker's client). */
export function volumeFlags(values: readonly string[], cwd: string): VolumeFlags {
  const binds: string[] = [];
  const volumes: Record<string, Record<string, never>> = {};
  for (const value of new Set(values)) {
    if (value === '') fail('invalid', 'cli.plain', 'invalid empty volume spec');
    // one letter and a colon are a drive, wherever Docker's client runs
    const colon = value.indexOf(':', /^\p{L}:/u.test(value) ? 2 : 0);
    const source = value.slice(0, colon);
    if (value.length <= 2 || colon < 0) volumes[value] = {};
    else if (source.startsWith('.')) binds.push(`${resolve(cwd, source)}${value.slice(colon)}`);
    else binds.push(value);
  }
  return { binds, volumes };
}

/** `/run:size=64m,mode=1777` to path and options. */
export function tmpfs(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    values.map((value) => {
      const colon = value.indexOf(':');
      return colon < 0 ? [value, ''] : [value.slice(0, colon), value.slice(colon + 1)];
    }),
  );
}

export function checkMount(value: string): string | undefined {
  try {
    mount(value, '/');
    return undefined;
  } catch (error) {
    if (isHoistError(error)) return error.message;
    throw error;
  }
}

/** One --mount, a line of CSV. */
export function mount(value: string, cwd: string): MountSpec {
  const fields = csvFields(value) ?? invalid(`parse error on line 1: bare " in non-quoted field`);
  const draft: Draft = { Type: 'volume', Target: '', labels: {}, driverOptions: {}, prefixes: new Set() };
  for (const field of fields) readField(draft, field, cwd);
  if (draft.Type === '') invalid('type is required');
  if (draft.Target === '') invalid('target is required');
  for (const kind of ['volume', 'bind', 'tmpfs', 'image']) {
    if (draft.prefixes.has(kind) && draft.Type !== kind) {
      invalid(`cannot mix '${kind}-*' options with mount type '${draft.Type}'`);
    }
  }
  const recursive = draft.recursive ?? '';
  if (['writable', 'readonly'].includes(recursive) && draft.ReadOnly !== true) {
    invalid(`option 'bind-recursive=${recursive}' requires 'readonly' to be specified in conjunction`);
  }
  if (recursive === 'readonly' && draft.propagation !== 'rprivate') {
    invalid(`option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction`);
  }
  return finished(draft);
}

interface Draft {
  Type: string;
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  Consistency?: string;
  propagation?: string;
  recursive?: string;
  createSource?: boolean;
  size?: number;
  mode?: number;
  nocopy?: boolean;
  readonly labels: Record<string, string>;
  driver?: string;
  readonly driverOptions: Record<string, string>;
  subpath?: string;
  /** Of the options that belong to one type of mount. */
  readonly prefixes: Set<string>;
}

function readField(draft: Draft, field: string, cwd: string): void {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  const value = equals < 0 ? 'true' : field.slice(equals + 1);
  const bare = ['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'];
  if (equals < 0 && !bare.includes(key)) invalid(`invalid field '${field}' must be a key=value pair`);
  const prefix = /^(volume|bind|tmpfs|image)-/.exec(key)?.[1];
  if (prefix !== undefined) draft.prefixes.add(prefix);
  const wrong = (extra = ''): never => invalid(`invalid value for ${key}: ${value}${extra}`);
  if (key === 'type') draft.Type = value.toLowerCase();
  else if (key === 'source' || key === 'src') draft.Source = value.startsWith('.') ? resolve(cwd, value) : value;
  else if (key === 'target' || key === 'dst' || key === 'destination') draft.Target = value;
  else if (key === 'readonly' || key === 'ro') draft.ReadOnly = bool(value) ?? wrong();
  else if (key === 'consistency') draft.Consistency = value.toLowerCase();
  else if (key === 'bind-propagation') draft.propagation = value.toLowerCase();
  else if (key === 'bind-create-src') draft.createSource = bool(value) ?? wrong();
  else if (key === 'bind-nonrecursive') draft.recursive = (bool(value) ?? wrong()) ? 'disabled' : 'enabled';
  else if (key === 'bind-recursive') {
    if (!['enabled', 'disabled', 'writable', 'readonly'].includes(value)) {
      wrong(' (must be "enabled", "disabled", "writable", or "readonly")');
    }
    draft.recursive = value;
  } else if (key === 'tmpfs-size') draft.size = size(value) ?? wrong();
  else if (key === 'tmpfs-mode') draft.mode = /^[0-7]+$/.test(value) ? Number.parseInt(value, 8) : wrong();
  else if (key === 'volume-nocopy') draft.nocopy = bool(value) ?? wrong();
  else if (key === 'volume-label') setPair(draft.labels, value);
  else if (key === 'volume-driver') draft.driver = value;
  else if (key === 'volume-opt') setPair(draft.driverOptions, value);
  else if (key === 'volume-subpath' || key === 'image-subpath') draft.subpath = value;
  else invalid(`unexpected key '${key}' in '${field}'`);
}

function setPair(pairs: Record<string, string>, value: string): void {
  const equals = value.indexOf('=');
  pairs[equals < 0 ? value : value.slice(0, equals)] = equals < 0 ? '' : value.slice(equals + 1);
}

function finished(draft: Draft): MountSpec {
  const { prefixes } = draft;
  const bind = {
    ...(draft.propagation === undefined ? {} : { Propagation: draft.propagation }),
    ...(draft.recursive === 'disabled' ? { NonRecursive: true } : {}),
    ...(draft.createSource === undefined ? {} : { CreateMountpoint: draft.createSource }),
    ...(draft.recursive === 'writable' ? { ReadOnlyNonRecursive: true } : {}),
    ...(draft.recursive === 'readonly' ? { ReadOnlyForceRecursive: true } : {}),
  };
  const memory = {
    ...(draft.size === undefined ? {} : { SizeBytes: draft.size }),
    ...(draft.mode === undefined ? {} : { Mode: draft.mode }),
  };
  return {
    // what is no type at all, the engine says
    Type: draft.Type as MountSpec['Type'],
    Target: draft.Target,
    ...(draft.Source === undefined ? {} : { Source: draft.Source }),
    ...(draft.ReadOnly === undefined ? {} : { ReadOnly: draft.ReadOnly }),
    ...(draft.Consistency === undefined ? {} : { Consistency: draft.Consistency }),
    ...(Object.keys(bind).length === 0 ? {} : { BindOptions: bind }),
    ...(prefixes.has('volume') ? { VolumeOptions: volumeOptions(draft) } : {}),
    ...(prefixes.has('image') ? { ImageOptions: draft.subpath === undefined ? {} : { Subpath: draft.subpath } } : {}),
    ...(Object.keys(memory).length === 0 ? {} : { TmpfsOptions: memory }),
  };
}

function volumeOptions({
  nocopy,
  labels,
  driver,
  driverOptions,
  subpath,
}: Draft): NonNullable<MountSpec['VolumeOptions']> {
  return {
    ...(nocopy ? { NoCopy: true } : {}),
    ...(Object.keys(labels).length === 0 ? {} : { Labels: labels }),
    ...(subpath === undefined ? {} : { Subpath: subpath }),
    DriverConfig: {
      ...(driver === undefined ? {} : { Name: driver }),
      ...(Object.keys(driverOptions).length === 0 ? {} : { Options: driverOptions }),
    },
  };
}

function bool(value: string): boolean | undefined {
  try {
    return parseBool(value);
  } catch {
    return undefined;
  }
}

function size(value: string): number | undefined {
  try {
    return parseBytes(value);
  } catch {
    return undefined;
  }
}

function invalid(message: string): never {
  return fail('invalid', 'cli.mount', message);
}
