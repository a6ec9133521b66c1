// Lists as Docker's --format understands them: `table`, `table TEMPLATE`, `json`, `raw`, or a template for each row.

import { fail, isHoistError } from '../../base/errors.ts';
import type { Invocation } from '../command.ts';
import type { Functions } from '../template/evaluate.ts';
import { dockerFunctions } from '../template/functions.ts';
import { parseTemplate, type Template } from '../template/template.ts';
import { goJson } from '../template/values.ts';
import { alignTable } from './table.ts';

export interface Listing {
  /** What the user asked for; '' and `table` mean `tableFormat`. */
  readonly format: string;
  /** With `table ` in front. */
  readonly tableFormat: string;
  /** What `raw` stands for: a block of lines for each row. */
  readonly rawFormat: string;
  /** The field that -q prints. */
  readonly quiet: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** A row is a struct: its members are the fields, functions its methods. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

/** -q decides what is printed; a --format beside it is told to be idle. */
export async function warnQuiet({ io, flags }: Pick<Invocation, 'io' | 'flags'>): Promise<void> {
  if (!flags.bool('quiet') || flags.string('format') === '') return;
  await io.stderr.write('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
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
  const row = parse(source, dockerFunctions);
  const lines = rows.map((fields) => execute(row, fields));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const header = execute(parse(source, headerFunctions), { ...headers, Label: labelHeader });
  return alignTable([header, ...lines].flatMap((line) => line.split('\n')));
}

function chosenFormat({ format, tableFormat, rawFormat, quiet }: Listing): string {
  if (quiet !== undefined) return format === 'raw' ? `${rawFormat.split(':', 1)[0]}: {{.${quiet}}}` : `{{.${quiet}}}`;
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

function parse(source: string, functions: Functions): Template {
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
