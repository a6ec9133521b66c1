// Documents as `inspect --format` prints them: indented JSON, `json`, or a Go template. A document is JSON, and the
// templates want Go's values, so what Go has as a map becomes a Map and the rest stays a struct.

import { fail, isHoistError } from '../../base/errors.ts';
import { parseTemplate, type Template } from '../../base/template/template.ts';
import { nilMap, nilSlice } from '../../base/template/values.ts';

/** Keys whose value is a map in Docker's Go types: their keys are data. */
const maps = new Set(
  'Annotations AuxiliaryAddresses Config.Config Containers Data DriverOpts ExposedPorts Labels Networks Options PortBindings Ports StorageOpt Sysctls Tmpfs Volumes'.split(
    ' ',
  ),
);

/** Keys whose null is a nil pointer; the other nulls are nil slices, or nil maps. */
const pointers = new Set(
  'Healthcheck Health Init PidsLimit StopTimeout OomKillDisable MemorySwappiness Config'.split(' '),
);

export interface Rendered {
  readonly text: string;
  /** What went wrong while a template ran; what came before it is in the text. */
  readonly failure: string | undefined;
}

/** Checks the format at once, so that a mistake in it is told before anything is looked up. */
export function renderDocuments(format: string): (documents: readonly unknown[]) => Rendered {
  if (format === '') {
    return (documents) => ({
      text: `${documents.length === 0 ? '[]' : JSON.stringify(documents, null, 4)}\n`,
      failure: undefined,
    });
  }
  if (format === 'json') return (documents) => ({ text: `${JSON.stringify(documents)}\n`, failure: undefined });
  const template = parseFormat(format, '');
  return (documents) => {
    const lines: string[] = [];
    let failure: string | undefined;
    for (const document of documents) {
      try {
        lines.push(template.execute(goDocument(document)));
      } catch (error) {
        failure = templateFailure(error);
        break;
      }
    }
    return { text: `${lines.join('\n')}\n`, failure };
  };
}

/** Exit code 64 is for templates that do not parse. */
export function parseFormat(format: string, name: string): Template {
  try {
    return parseTemplate(format, { name });
  } catch (error) {
    if (!isHoistError(error, 'cli.template')) throw error;
    return fail('invalid', 'cli.bad_template', `template parsing error: ${error.message}`, { cause: error });
  }
}

/** What to say of a template that did not run; anything else is thrown on. */
export function templateFailure(error: unknown): string {
  if (!isHoistError(error, 'cli.template')) throw error;
  return `template parsing error: ${rawMessage(error.message)}`;
}

/** Docker tries the raw JSON after the typed document; there, objects are maps and everything else is of no type. */
function rawMessage(message: string): string {
  return message
    .replace(/can't evaluate field (\S+) in type struct$/, 'map has no entry for key "$1"')
    .replace(/in type \S+$/, 'in type interface {}');
}

/** JSON to Go's values. */
export function goDocument(value: unknown, key = ''): unknown {
  if (value === null) return pointers.has(key) ? null : maps.has(key) ? nilMap : nilSlice;
  if (Array.isArray(value)) return value.map((item: unknown) => goDocument(item));
  if (typeof value !== 'object') return value;
  const isMap = maps.has(key) || (key === 'Config' && Object.values(value).every((item) => typeof item === 'string'));
  const entries = Object.entries(value).map(([name, item]) => [name, goDocument(item, isMap ? '' : name)] as const);
  return isMap ? new Map(entries) : withAbsent(Object.fromEntries(entries), key);
}

/** Fields that Docker leaves out of the JSON when they are empty: they can be asked for, and are not printed. */
const absent: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '': { SizeRw: null, SizeRootFs: null, Variant: '', Name: '', Driver: '', History: nilSlice },
  State: { Health: null },
  Config: {
    ArgsEscaped: false,
    ExposedPorts: nilMap,
    Healthcheck: null,
    Labels: nilMap,
    MacAddress: '',
    NetworkDisabled: false,
    OnBuild: nilSlice,
    Shell: nilSlice,
    StopSignal: '',
    StopTimeout: null,
    Volumes: nilMap,
  },
  HostConfig: {
    Annotations: nilMap,
    Init: null,
    Mounts: nilSlice,
    Runtime: '',
    StorageOpt: nilMap,
    Sysctls: nilMap,
    Tmpfs: nilMap,
    VolumeDriver: '',
    VolumesFrom: nilSlice,
  },
};

function withAbsent(struct: Record<string, unknown>, key: string): Record<string, unknown> {
  for (const [name, value] of Object.entries(absent[key] ?? {})) {
    if (!Object.hasOwn(struct, name)) Object.defineProperty(struct, name, { value, enumerable: false });
  }
  return struct;
}
