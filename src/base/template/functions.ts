// The functions of Go's text/template, and Docker's own (json, join, split, lower, upper, title, pad, truncate).

import { fail } from '../errors.ts';
import type { Functions } from './evaluate.ts';
import { sprintf } from './printf.ts';
import { goJson, goPrint, isMap, isNil, isStruct, truth, typeName } from './values.ts';

/** Docker's helpers on rows; `table` headers have a set of their own, which leaves the header as it is. */
export const dockerFunctions: Functions = {
  json: (value) => goJson(value),
  join: (list, separator) => strings(list).join(text(separator)),
  split: (value, separator) => text(value).split(text(separator)),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  title: (value) =>
    text(value).replace(/(^|[\s_-])(\p{Ll})/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
  pad(value, before, after) {
    return value === '' ? '' : ' '.repeat(whole(before)) + text(value) + ' '.repeat(whole(after));
  },
  truncate: (value, length) => [...text(value)].slice(0, whole(length)).join(''),
};

export const builtinFunctions: Functions = {
  and: (...values) => values.find((value) => !truth(value)) ?? values.at(-1),
  or: (...values) => values.find(truth) ?? values.at(-1),
  not: (value) => !truth(value),
  len: length,
  index,
  slice,
  print: (...values) => sprint(values),
  println: (...values) => `${values.map(goPrint).join(' ')}\n`,
  printf: (format, ...values) => sprintf(text(format), values),
  html: (...values) => sprint(values).replace(/[<>&'"\0]/g, (c) => htmlEscapes[c] ?? c),
  js: (...values) => sprint(values).replace(/[\\'"<>&=\n\r\t]/g, (c) => jsEscapes[c] ?? c),
  urlquery: (...values) =>
    encodeURIComponent(sprint(values))
      .replace(/%20/g, '+')
      .replace(/[!'()*]/g, percent),
  eq(first, ...rest) {
    if (rest.length === 0) bad('missing argument for comparison');
    return rest.some((other) => same(first, other));
  },
  ne: (a, b) => !same(a, b),
  lt: (a, b) => order(a, b) < 0,
  le: (a, b) => order(a, b) <= 0,
  gt: (a, b) => order(a, b) > 0,
  ge: (a, b) => order(a, b) >= 0,
};

const htmlEscapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
  '\0': '\uFFFD',
};

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
  '\n': '\\u000A',
  '\r': '\\u000D',
  '\t': '\\u0009',
};

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** fmt.Sprint: a blank between two operands when neither is a string. */
function sprint(values: readonly unknown[]): string {
  return values
    .map(
      (value, i) =>
        (i > 0 && typeof value !== 'string' && typeof values[i - 1] !== 'string' ? ' ' : '') + goPrint(value),
    )
    .join('');
}

function length(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return value.size;
  return bad(isNil(value) ? 'len of nil pointer' : `len of type ${typeName(value)}`);
}

function index(value: unknown, ...keys: readonly unknown[]): unknown {
  let item = value;
  for (const key of keys) {
    if (isNil(item)) bad('index of untyped nil');
    if (isMap(item)) {
      if (typeof key !== 'string') return bad(`value has type ${typeName(key)}; should be string`);
      item = item.has(key) ? item.get(key) : missing(item);
    } else if (Array.isArray(item) || typeof item === 'string') {
      const at = whole(key);
      const size = typeof item === 'string' ? Buffer.byteLength(item) : item.length;
      if (at < 0 || at >= size) bad(`index out of range: ${at}`);
      item = typeof item === 'string' ? Buffer.from(item)[at] : item[at];
    } else bad(`can't index item of type ${typeName(item)}`);
  }
  return item;
}

/** What Go's map of strings has for a key that is not in it is ''; any other map has nil. */
function missing(map: ReadonlyMap<string, unknown>): unknown {
  return [...map.values()].every((value) => typeof value === 'string') ? '' : undefined;
}

function slice(value: unknown, ...bounds: readonly unknown[]): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) return bad(`can't slice item of type ${typeName(value)}`);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const [start = 0, end = bytes.length] = bounds.map(whole);
  for (const bound of [start, end]) if (bound < 0 || bound > bytes.length) bad(`index out of range: ${bound}`);
  if (start > end) bad(`invalid slice index: ${start} > ${end}`);
  const part = bytes.slice(start, end);
  return typeof value === 'string' ? part.toString() : part;
}

function same(a: unknown, b: unknown): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (typeof a === 'object' || typeof b === 'object') bad(`non-comparable type ${goPrint(a)}: ${typeName(a)}`);
  if (typeof a !== typeof b) bad('incompatible types for comparison');
  return a === b;
}

function order(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return bad(
    typeof a === typeof b || isStruct(a) ? 'invalid type for comparison' : 'incompatible types for comparison',
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : wrongType('string', value);
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) ? value : wrongType('int', value);
}

function strings(value: unknown): readonly string[] {
  if (isNil(value)) return [];
  return Array.isArray(value) ? value.map(text) : wrongType('[]string', value);
}

/** The cause is the value, by which the caller finds the argument. */
function wrongType(expected: string, value: unknown): never {
  const got = isNil(value) ? 'nil' : typeName(value);
  return fail('invalid', 'cli.value', `wrong type for value; expected ${expected}; got ${got}`, { cause: value });
}

function bad(message: string): never {
  return fail('invalid', 'cli.value', message);
}
