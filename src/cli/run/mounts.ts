// -v, --mount and --tmpfs. Binds and tmpfs are built; named and anonymous volumes are refused with a sentence.

import { resolve } from 'node:path';
import { fail, isHoistError } from '../../base/errors.ts';
import type { MountSpec } from '../../spec/docker/container.ts';
import { parseBool, parseBytes } from '../values.ts';
import { csvFields } from './csv.ts';

/** Binds, as the API takes them: relative sources (`.`, `./x`, `../x`) become absolute, as in Docker's client. */
export function binds(values: readonly string[], cwd: string): readonly string[] {
  return values.map((value) => {
    const colon = value.indexOf(':');
    const source = value.slice(0, colon);
    if (colon < 0 || value === ':') notBuilt(`-v ${value} asks for an anonymous volume`);
    if (source.startsWith('/')) return value;
    if (source.startsWith('.')) return `${resolve(cwd, source)}${value.slice(colon)}`;
    return notBuilt(`-v ${value} asks for a volume named ${source}`);
  });
}

function notBuilt(what: string): never {
  return fail('unsupported', 'cli.refused', `${what}, which is not supported yet: volumes are not built`, {
    hint: 'bind a directory with -v /host/dir:/dir',
  });
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
    if (isHoistError(error) && error.code !== 'cli.refused') return error.message;
    throw error;
  }
}

/** One --mount, a line of CSV. */
export function mount(value: string, cwd: string): MountSpec {
  const fields = csvFields(value) ?? invalid(`parse error on line 1: bare " in non-quoted field`);
  const draft: Draft = { Type: 'volume', Target: '', prefixes: new Set() };
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
  if (draft.Type !== 'bind' && draft.Type !== 'tmpfs') {
    fail('unsupported', 'cli.refused', `--mount type=${draft.Type} is not supported yet: bind and tmpfs are`);
  }
  return finished(draft, draft.Type);
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
  else if (
    !['volume-nocopy', 'volume-label', 'volume-driver', 'volume-opt', 'volume-subpath', 'image-subpath'].includes(key)
  ) {
    invalid(`unexpected key '${key}' in '${field}'`);
  }
}

function finished(draft: Draft, type: 'bind' | 'tmpfs'): MountSpec {
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
    Type: type,
    Target: draft.Target,
    ...(draft.Source === undefined ? {} : { Source: draft.Source }),
    ...(draft.ReadOnly === undefined ? {} : { ReadOnly: draft.ReadOnly }),
    ...(draft.Consistency === undefined ? {} : { Consistency: draft.Consistency }),
    ...(Object.keys(bind).length === 0 ? {} : { BindOptions: bind }),
    ...(Object.keys(memory).length === 0 ? {} : { TmpfsOptions: memory }),
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
