// Reading values of a JSON document, each with its place in it: every refusal names the JSON path and what was wanted.

import { fail } from '../../base/errors.ts';
import type { Int } from './resources.ts';

/** A value and where it stands: `linux.namespaces[1].path`; '' is the document. */
export interface Place {
  readonly value: unknown;
  readonly path: string;
}

/** Fails with `config.invalid`: `process.cwd: must be absolute`. */
export function refuse(path: string, words: string): never {
  return fail('invalid', 'config.invalid', path === '' ? words : `${path}: ${words}`);
}

/** JSON whose numbers keep all of their digits. `what` names the document in the sentence. */
export function readJson(text: string, what: string): Place {
  try {
    return { value: JSON.parse(markLongNumbers(text)), path: '' };
  } catch (cause) {
    return fail('invalid', 'config.json', `${what} is not JSON`, { cause });
  }
}

/** No string that is accepted holds a NUL: one that begins with it is a number that JSON.parse would have rounded. */
const mark = '\\u0000';

function markLongNumbers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? '';
    if (letter === '"') {
      while (++at < text.length && text[at] !== '"') if (text[at] === '\\') at++;
    } else if (/[-\d]/.test(letter)) {
      const start = at;
      while (/[-+.\deE]/.test(text[at + 1] ?? '')) at++;
      const number = text.slice(start, at + 1);
      if (number.length < 16 || !/^-?[1-9]\d*$/.test(number)) continue;
      parts.push(text.slice(copied, start), `"${mark}${number}"`);
      copied = at + 1;
    }
  }
  return parts.join('') + text.slice(copied);
}

export function isMissing({ value }: Place): boolean {
  return value === undefined || value === null;
}

/** A member of an object. Go's decoder, and so every other runtime, takes null for "not there". */
export function member(place: Place, name: string): Place {
  const path =
    place.path === '' ? name : /^\w+$/.test(name) ? `${place.path}.${name}` : `${place.path}[${quote(name)}]`;
  return { value: Object.hasOwn(object(place), name) ? object(place)[name] : undefined, path };
}

export function object(place: Place): Readonly<Record<string, unknown>> {
  const { value, path } = place;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(path, wrong(place, 'an object'));
}

/** All members of an object that maps names to values; none where it is not there. */
export function entries(place: Place): [name: string, value: Place][] {
  if (isMissing(place)) return [];
  return Object.keys(object(place)).map((name) => [name, member(place, name)]);
}

/** The elements of a list; none where it is not there. */
export function list(place: Place): readonly Place[] {
  if (isMissing(place)) return [];
  if (!Array.isArray(place.value)) return refuse(place.path, wrong(place, 'a list'));
  return place.value.map((value: unknown, index) => ({ value, path: `${place.path}[${index}]` }));
}

export function string(place: Place): string {
  const { value, path } = place;
  if (typeof value !== 'string' || value.startsWith('\0')) return refuse(path, wrong(place, 'a string'));
  if (value.includes('\0')) return refuse(path, 'must not hold a NUL');
  return value;
}

export function strings(place: Place): readonly string[] {
  return list(place).map(string);
}

/** A string that says something. */
export function word(place: Place): string {
  return string(place) === '' ? refuse(place.path, 'must not be empty') : string(place);
}

export function absolutePath(place: Place): string {
  return word(place).startsWith('/') ? string(place) : refuse(place.path, 'must be absolute');
}

export function boolean(place: Place): boolean {
  return typeof place.value === 'boolean' ? place.value : refuse(place.path, wrong(place, 'true or false'));
}

/** A whole number from `min` to `max`, of up to 64 bits. */
export function integer(place: Place, min: Int, max: Int): Int {
  const { value, path } = place;
  const exact =
    typeof value === 'number' && Number.isSafeInteger(value)
      ? value
      : typeof value === 'string' && /^\0-?\d+$/.test(value)
        ? simplest(BigInt(value.slice(1)))
        : undefined;
  if (exact === undefined) return refuse(path, wrong(place, 'a whole number'));
  return exact >= min && exact <= max ? exact : refuse(path, `must be from ${min} to ${max}, not ${exact}`);
}

function simplest(value: bigint): Int {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** A whole number that needs no bigint. */
export function number(place: Place, min: number, max: number): number {
  return Number(integer(place, min, max));
}

export const u32 = (place: Place): number => number(place, 0, 0xffffffff);
export const u64 = (place: Place): Int => integer(place, 0, 0xffffffffffffffffn);
export const i64 = (place: Place): Int => integer(place, -(2n ** 63n), 2n ** 63n - 1n);

/** One of some words. `what`: what an unknown one is called. */
export function oneOf<T extends string>(place: Place, words: readonly T[], what: string): T {
  const text = string(place);
  return words.find((one) => one === text) ?? refuse(place.path, `unknown ${what} ${quote(text)}`);
}

/** `{ [name]: value }` where the member is there, else nothing: for types whose optional members are never undefined. */
export function maybe<N extends string, T>(place: Place, name: N, read: (place: Place) => T): { [K in N]?: T } {
  const found = member(place, name);
  return isMissing(found) ? {} : ({ [name]: read(found) } as { [K in N]?: T });
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

function wrong({ value }: Place, wanted: string): string {
  if (value === undefined || value === null) return `is missing, it must be ${wanted}`;
  const kind =
    typeof value === 'string' && !value.startsWith('\0')
      ? 'a string'
      : Array.isArray(value)
        ? 'a list'
        : typeof value === 'boolean'
          ? 'a boolean'
          : typeof value === 'object'
            ? 'an object'
            : 'a number';
  return kind === 'a number' && wanted === 'a whole number'
    ? `must be ${wanted} of 64 bits`
    : `must be ${wanted}, not ${kind}`;
}
