// Go's values as the templates see them. A JS Map is a Go map, a plain object is a struct (its functions are methods),
// an array is a slice, undefined and null are nil.

import { quoted } from './strings.ts';

export type Method = (...args: readonly unknown[]) => unknown;

/** Names the Go type of a struct in error messages; only rows of lists have it, and Go escapes their JSON for HTML. */
export const goType: unique symbol = Symbol('goType');

/** What stands for a struct in JSON, where its tags give its fields other names. */
export const goJsonAs: unique symbol = Symbol('goJsonAs');

/** A slice and a map that are nil: they print as empty, and are null in JSON. */
export const nilSlice: readonly unknown[] = [];
export const nilMap: ReadonlyMap<string, unknown> = new Map();

export function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
}

export function isMap(value: unknown): value is ReadonlyMap<string, unknown> {
  return value instanceof Map;
}

export function isNil(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** What `if`, `and`, `or` and `not` take for true. */
export function truth(value: unknown): boolean {
  if (isNil(value)) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  return value !== '' && value !== 0 && value !== false;
}

export function typeName(value: unknown): string {
  if (isNil(value)) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
  if (isMap(value)) {
    return [...value.values()].every((item) => typeof item === 'string')
      ? 'map[string]string'
      : 'map[string]interface {}';
  }
  const named = isStruct(value) ? (value as { readonly [goType]?: string })[goType] : undefined;
  return named ?? 'struct';
}

/** fmt's %v, as it stands inside of another value; `{{.X}}` prints nil as `<no value>`, which is the caller's to say. */
export function goPrint(value: unknown): string {
  if (isNil(value)) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return goNumber(value);
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${goPrint(item)}`)
      .join(' ')}]`;
  if (isStruct(value))
    return `{${fieldsOf(value)
      .map(([, item]) => goPrint(item))
      .join(' ')}}`;
  return String(value);
}

/** %v of a float is %g with the shortest digits that read back; an exponent from 21 digits on. */
export function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const text = String(value);
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return (small ? value.toExponential() : text).replace(/e([+-])(\d)$/, 'e$10$2');
}

export function sortedEntries(map: ReadonlyMap<string, unknown>): readonly (readonly [string, unknown])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The fields of a struct, without its methods. */
export function fieldsOf(struct: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  return Object.entries(struct).filter(([, value]) => typeof value !== 'function');
}

/** encoding/json: maps sorted by key, structs in order, nil slices as null. */
export function goJson(value: unknown): string {
  if (isNil(value) || value === nilSlice || value === nilMap) return 'null';
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (isStruct(value) && goJsonAs in value) return goJson(value[goJsonAs]);
  const entries = isMap(value) ? sortedEntries(value) : isStruct(value) ? fieldsOf(value) : undefined;
  if (entries === undefined) return JSON.stringify(value);
  const present = entries.filter(([, item]) => item !== undefined);
  const json = `{${present.map(([key, item]) => `${JSON.stringify(key)}:${goJson(item)}`).join(',')}}`;
  return isStruct(value) && goType in value ? escapeHtml(json) : json;
}

/** What encoding/json does unless it is told not to. */
function escapeHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function goQuoted(value: unknown): string {
  return typeof value === 'string' ? quoted(value) : goPrint(value);
}
