// Query parameters by their kinds, in Docker's readings: its own idea of true, both forms of filters, times.

import { momentOf } from '../base/duration.ts';
import { fail } from '../base/errors.ts';
import type { Filters } from '../engine/filters.ts';
import type { ParameterKind, Parameters } from './route.ts';

export function readQuery(search: URLSearchParams, kinds: Parameters): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    read[name] = kind === 'strings' ? search.getAll(name) : one(name, kind, search.get(name) ?? '');
  }
  return read;
}

function one(name: string, kind: Exclude<ParameterKind, 'strings'>, text: string): unknown {
  switch (kind) {
    case 'string':
      return text;
    case 'bool':
      return isTrue(text);
    case 'int':
      return text === '' ? undefined : wholeNumber(name, text);
    case 'filters':
      return readFilters(text);
    case 'time':
      return text === '' ? undefined : (momentOf(text, Date.now()) ?? bad(name, text));
  }
}

function wholeNumber(name: string, text: string): number {
  if (name === 'h' || name === 'w') {
    const what = name === 'h' ? 'height' : 'width';
    if (!/^\d{1,5}$/.test(text)) fail('invalid', 'query.value', `invalid resize ${what} "${text}": invalid syntax`);
    return Number(text);
  }
  return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : bad(name, text);
}

function bad(name: string, text: string): never {
  return fail('invalid', 'query.value', `invalid value for ${name}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** `{"label":["a=b"]}`, or `{"label":{"a=b":true}}` of old clients. */
export function readFilters(text: string): Filters {
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('invalid', 'filter.invalid', 'invalid filter');
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return fail('invalid', 'filter.invalid', 'invalid filter');
  return Object.fromEntries(Object.entries(value).map(([key, values]) => [key, filterValues(values)]));
}

function filterValues(values: unknown): readonly string[] {
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values;
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
    const entries = Object.entries(values);
    if (entries.every(([, on]) => typeof on === 'boolean')) return entries.filter(([, on]) => on).map(([key]) => key);
  }
  return fail('invalid', 'filter.invalid', 'invalid filter');
}

/** Docker's rule for what is true, of a parameter that was given. */
export const isTrue = (text: string): boolean => !['', '0', 'no', 'false', 'none'].includes(text.trim().toLowerCase());

/** `h` and `w` of resize; both must be there. */
export function sizeOf({ h, w }: { readonly h: number | undefined; readonly w: number | undefined }): {
  readonly rows: number;
  readonly columns: number;
} {
  if (h === undefined) return fail('invalid', 'query.value', 'invalid resize height "": invalid syntax');
  if (w === undefined) return fail('invalid', 'query.value', 'invalid resize width "": invalid syntax');
  return { rows: h, columns: w };
}
