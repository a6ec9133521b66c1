// Reading JSON bodies as Docker's server does: absent and null mean "not set", unknown fields are passed over, names of
// fields are compared without case, and a value of the wrong type is refused with the field's name.

import { fail } from '../../base/errors.ts';

/** `at`: the path to the value, `HostConfig.Memory`. undefined and null: absent. */
export type Reader<T> = (value: unknown, at: string) => T;

/** One reader for each member; those that may be absent give undefined and are left out. */
type Members<T> = {
  readonly [K in keyof T]-?: Reader<Record<never, never> extends Pick<T, K> ? T[K] | undefined : T[K]>;
};

function wrong(value: unknown, at: string, type: string): never {
  const found =
    typeof value === 'number'
      ? Number.isInteger(value)
        ? 'number'
        : `number ${value}`
      : typeof value === 'boolean'
        ? 'bool'
        : Array.isArray(value)
          ? 'array'
          : typeof value;
  return fail(
    'invalid',
    'body.type',
    at === ''
      ? `invalid JSON: json: cannot unmarshal ${found} into Go value of type ${type}`
      : `invalid JSON: json: cannot unmarshal ${found} into Go struct field ${at} of type ${type}`,
  );
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

export const text: Reader<string> = (value, at) =>
  absent(value) ? '' : typeof value === 'string' ? value : wrong(value, at, 'string');

export const flag: Reader<boolean> = (value, at) =>
  absent(value) ? false : typeof value === 'boolean' ? value : wrong(value, at, 'bool');

export const whole: Reader<number> = (value, at) =>
  absent(value)
    ? 0
    : typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63
      ? value
      : wrong(value, at, 'int64');

/** Members in the order of `members`. */
export function object<T>(members: Members<T>): Reader<T> {
  const names = Object.keys(members) as (keyof T & string)[];
  return (value, at) => {
    const given = fields(value, at);
    const result: Partial<Record<keyof T, unknown>> = {};
    for (const name of names) {
      const read = members[name](member(given, name), at === '' ? name : `${at}.${name}`);
      if (read !== undefined) result[name] = read;
    }
    return result as T;
  };
}

/** The members of an object; none of an absent one. */
export function fields(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (absent(value)) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return wrong(value, at, 'object');
  return value as Record<string, unknown>;
}

/** Go compares names without case where none is the same. */
export function member(given: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(given, name)) return given[name];
  const lower = name.toLowerCase();
  for (const key in given) if (key.toLowerCase() === lower) return given[key];
  return undefined;
}

/** The body of an endpoint that needs one. */
export function required(value: unknown): unknown {
  return value ?? fail('invalid', 'body.missing', 'invalid JSON: got EOF while reading request body');
}

/** Absent stays absent. */
export const optional =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (value, at) =>
    absent(value) ? undefined : read(value, at);

/** Absent becomes null. */
export const nullable =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value, at) =>
    absent(value) ? null : read(value, at);

/** Absent is empty. */
export const list =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, at) =>
    absent(value) ? [] : Array.isArray(value) ? value.map((one) => read(one, at)) : wrong(value, at, '[]interface {}');

/** Absent is empty; null values are kept to `read`. */
export const map =
  <T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, at) => {
    const given = Object.entries(fields(value, at));
    return Object.fromEntries(given.map(([key, one]) => [key, read(one, at)]));
  };

export const texts = list(text);
export const textMap = map(text);

/** A list, or one string for a list of one: what old clients sent for Cmd and Entrypoint. */
export const words: Reader<readonly string[]> = (value, at) => (typeof value === 'string' ? [value] : texts(value, at));

/** `{"80/tcp": {}}`, or a list of the keys. */
export const keySet: Reader<Readonly<Record<string, Record<string, never>>>> = (value, at) =>
  Object.fromEntries(
    (Array.isArray(value) ? texts(value, at) : Object.keys(fields(value, at))).map((key) => [key, {}]),
  );

/** `[height, width]` */
export const consoleSize: Reader<readonly [height: number, width: number]> = (value, at) => {
  const [height = 0, width = 0] = list(whole)(value, at);
  return [height, width];
};
