// Documents as `inspect --format` prints them: indented JSON, `json`, or a Go template. A document is JSON, and the
// templates want Go's values, so what Go has as a map becomes a Map and the rest stays a struct.

import { fail, isHoistError } from '../../base/errors.ts';
import { parseTemplate, type Template } from '../template/template.ts';
import { nilMap, nilSlice } from '../template/values.ts';

/** Keys whose value is a map in Docker's Go types: their keys are data. */
const maps = new Set(
  'Annotations Config.Config Data ExposedPorts Labels Networks Options PortBindings Ports StorageOpt Sysctls Tmpfs Volumes'.split(
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
  if (format === 'json') {
    return (documents) => ({
      text: documents.map((document) => `${JSON.stringify(document)}\n`).join(''),
      failure: undefined,
    });
  }
  const template = parseFormat(format, '');
  return (documents) => {
    const lines: string[] = [];
    for (const document of documents) {
      try {
        lines.push(`${template.execute(goDocument(document))}\n`);
      } catch (error) {
        if (!isHoistError(error, 'cli.template')) throw error;
        return { text: lines.join(''), failure: `template parsing error: ${rawMessage(error.message)}` };
      }
    }
    return { text: lines.length === 0 ? '\n' : lines.join(''), failure: undefined };
  };
}

/** Exit code 64 is for templates that do not parse. */
export function parseFormat(format: string, name: string): Template {
  try {
    return parseTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'), { name });
  } catch (error) {
    if (!isHoistError(error, 'cli.template')) throw error;
    return fail('invalid', 'cli.bad_template', `template parsing error: ${error.message}`, { cause: error });
  }
}

/** Docker tries the raw JSON after the typed document; there, everything is a map. */
function rawMessage(message: string): string {
  return message.replace(/can't evaluate field (\S+) in type struct$/, 'map has no entry for key "$1"');
}

/** JSON to Go's values. */
export function goDocument(value: unknown, key = ''): unknown {
  if (value === null) return pointers.has(key) ? null : maps.has(key) ? nilMap : nilSlice;
  if (Array.isArray(value)) return value.map((item: unknown) => goDocument(item));
  if (typeof value !== 'object') return value;
  const isMap = maps.has(key) || (key === 'Config' && Object.values(value).every((item) => typeof item === 'string'));
  const entries = Object.entries(value).map(([name, item]) => [name, goDocument(item, isMap ? '' : name)] as const);
  return isMap ? new Map(entries) : Object.fromEntries(entries);
}
