// Lists as Docker's --format understands them: `table`, `table TEMPLATE`, `json`, `raw`, or a template for each row.

import { fail, isHoistError } from '../../base/errors.ts';
import type { Functions } from '../../base/template/evaluate.ts';
import { dockerFunctions } from '../../base/template/functions.ts';
import { parseTemplate, type Template } from '../../base/template/template.ts';
import { goJson } from '../../base/template/values.ts';
import { alignTable } from './table.ts';

export interface Listing {
  /** What the user asked for; '' and `table` mean `tableFormat`. */
  readonly format: string;
  /** With `table ` in front. */
  readonly tableFormat: string;
  /** What `raw` stands for: a block of lines for each row. */
  readonly rawFormat: string;
  /** What stands before Go's message about a template that does not parse, and one that does not run. */
  readonly complaints: readonly [parse: string, execute: string];
  readonly headers: Readonly<Record<string, string>>;
  /** A row is a struct: its members are the fields, functions its methods. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** Header cells go through the same template as the rows; the helpers leave them as they are. */
const headerFunctions: Functions = {
  json: (value) => value,
  join: (value, _separator) => value,
  split: (value, _separator) => value,
  lower: (value) => value,
  upper: (value) => value,
  title: (value) => value,
  pad: (value, _before, _after) => value,
  truncate: (value, _length) => value,
};

export function renderListing(listing: Listing): string {
  const { headers, rows } = listing;
  const format = chosenFormat(listing);
  if (format === 'json') return rows.map((row) => `${goJson(row)}\n`).join('');
  const isTable = format.startsWith('table');
  const source = unescapeTabs((isTable ? format.slice('table'.length) : format).replace(/^ +| +$/g, ''));
  const [parseComplaint, complaint] = listing.complaints;
  const row = parse(source, dockerFunctions, parseComplaint);
  const lines = rows.map((fields) => execute(row, fields, complaint));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const header = execute(parse(source, headerFunctions, parseComplaint), { ...headers, Label: labelHeader }, complaint);
  return alignTable([header, ...lines].flatMap((line) => line.split('\n')));
}

function chosenFormat({ format, tableFormat, rawFormat }: Listing): string {
  if (format === 'raw') return rawFormat;
  return format === '' || format === 'table' ? tableFormat : format;
}

/** `{{.Label "com.example.my-key"}}` heads its column with `my key`. */
function labelHeader(name: unknown): string {
  return (String(name).split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
}

/** `\t` and `\n` as they arrive from a shell's single quotes. */
function unescapeTabs(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

function parse(source: string, functions: Functions, complaint: string): Template {
  try {
    return parseTemplate(source, { functions });
  } catch (error) {
    return rethrow(error, complaint);
  }
}

function execute(template: Template, data: unknown, complaint: string): string {
  try {
    return template.execute(data);
  } catch (error) {
    return rethrow(error, complaint);
  }
}

function rethrow(error: unknown, what: string): never {
  if (!isHoistError(error, 'cli.template')) throw error;
  return fail('invalid', 'cli.template', `${what}: ${error.message}`, { cause: error });
}
