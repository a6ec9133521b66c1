// Lists as Docker's --format understands them: `table`, `table TEMPLATE`, `json`, `raw`, or a template for each row.

import { fail, isHoistError } from '../../base/errors.ts';
import { dockerFunctions } from '../template/functions.ts';
import { parseTemplate, type Template } from '../template/template.ts';
import { goJson } from '../template/values.ts';
import { alignTable } from './table.ts';

export interface Listing {
  /** What the user asked for; '' and `table` mean `tableFormat`. */
  readonly format: string;
  /** With `table ` in front. */
  readonly tableFormat: string;
  /** The field that -q prints. */
  readonly quiet: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** A row is a struct: its members are the fields, functions its methods. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Header cells go through the same template as the rows; the helpers leave them as they are. */
const headerFunctions = Object.fromEntries(
  Object.keys(dockerFunctions).map((name) => [name, (value: unknown) => value] as const),
);

export function renderListing(listing: Listing): string {
  const { headers, rows } = listing;
  const format = chosenFormat(listing);
  if (format === 'json') return rows.map((row) => `${goJson(sorted(row))}\n`).join('');
  const isTable = format.startsWith('table');
  const source = unescapeTabs(isTable ? format.slice('table'.length).trim() : format);
  const row = parse(source, dockerFunctions);
  const lines = rows.map((fields) => execute(row, fields));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const header = execute(parse(source, headerFunctions), new Map(Object.entries(headers)));
  return alignTable([header, ...lines].flatMap((line) => line.split('\n')));
}

function chosenFormat({ format, tableFormat, quiet }: Listing): string {
  const trimmed = format.trim();
  const isDefault = trimmed === '' || trimmed === 'table';
  if (quiet !== undefined && (isDefault || trimmed === 'raw')) return `{{.${quiet}}}`;
  return isDefault ? tableFormat : trimmed;
}

/** `\t` and `\n` as they arrive from a shell's single quotes. */
function unescapeTabs(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function parse(source: string, functions: typeof dockerFunctions): Template {
  try {
    return parseTemplate(source, { functions });
  } catch (error) {
    return rethrow(error, 'failed to parse template');
  }
}

function execute(template: Template, data: unknown): string {
  try {
    return template.execute(data);
  } catch (error) {
    return rethrow(error, 'failed to execute template');
  }
}

function rethrow(error: unknown, what: string): never {
  if (!isHoistError(error, 'cli.template')) throw error;
  return fail('invalid', 'cli.template', `${what}: ${error.message}`, { cause: error });
}

function sorted(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
}
