// Compares answers of the Engine API with what its description says of them (contract.txt): fields that must be there, their
// types, and no field that the API does not know.

import { readFileSync } from 'node:fs';

type Type =
  | { readonly kind: 's' | 'i' | 'n' | 'b' | '*' }
  | { readonly kind: 'enum'; readonly words: readonly string[] }
  | { readonly kind: 'list' | 'map'; readonly of: Shape }
  | { readonly kind: 'named'; readonly name: string };
type Shape = Type & { readonly nullable: boolean };

interface Field {
  readonly shape: Shape;
  readonly always: boolean;
}

export interface Contract {
  readonly operations: readonly string[];
  /** What is wrong with an answer; an operation that is not in the contract has no document. */
  problems(operation: string, status: number, document: unknown): readonly string[];
}

export function readContract(): Contract {
  const answers = new Map<string, Shape>();
  const types = new Map<string, ReadonlyMap<string, Field>>();
  const text = readFileSync(new URL('contract.txt', import.meta.url), 'utf8').replace(/\n {2}/g, ' ');
  for (const line of text.split('\n')) {
    const answer = /^(\w+) (\d+) (\S+)$/.exec(line);
    const type = /^([\w.]+): ?(.*)$/.exec(line);
    if (answer) answers.set(`${answer[1]} ${answer[2]}`, shapeOf(answer[3] ?? ''));
    else if (type) types.set(type[1] ?? '', fieldsOf(type[2] ?? ''));
  }
  return {
    operations: [...answers.keys()].map((key) => key.split(' ')[0] ?? ''),
    problems(operation, status, document) {
      if (status >= 400)
        return check({ kind: 'named', name: 'ErrorResponse', nullable: false }, document, operation, types);
      const shape = answers.get(`${operation} ${status}`);
      return shape ? check(shape, document, operation, types) : [];
    },
  };
}

function fieldsOf(text: string): ReadonlyMap<string, Field> {
  const fields = text
    .split(', ')
    .filter((one) => one !== '')
    .map((one): [string, Field] => {
      const [, name = '', mark = '', type = ''] = /^([^!+ ]+)([!+]?) (.*)$/.exec(one.replace(/,$/, '')) ?? [];
      return [name, { shape: shapeOf(type), always: mark === '!' }];
    });
  return new Map(fields);
}

function shapeOf(text: string): Shape {
  const nullable = text.endsWith('?');
  const bare = nullable ? text.slice(0, -1) : text;
  if (bare.startsWith('[')) return { kind: 'list', of: shapeOf(bare.slice(1, -1)), nullable };
  if (bare.startsWith('{')) return { kind: 'map', of: shapeOf(bare.slice(1, -1)), nullable };
  if (bare.startsWith('"')) return { kind: 'enum', words: bare.split('|').map((word) => JSON.parse(word)), nullable };
  if (bare === 's' || bare === 'i' || bare === 'n' || bare === 'b' || bare === '*') return { kind: bare, nullable };
  return { kind: 'named', name: bare, nullable };
}

function check(
  shape: Shape,
  value: unknown,
  at: string,
  types: ReadonlyMap<string, ReadonlyMap<string, Field>>,
): string[] {
  if (value === null) {
    // Go writes null for lists and maps that are empty, whatever the description says
    return shape.nullable || shape.kind === 'list' || shape.kind === 'map' || shape.kind === '*'
      ? []
      : [`${at} is null`];
  }
  const wrong = (what: string): string[] => [`${at} is ${JSON.stringify(value)?.slice(0, 80)}, not ${what}`];
  const record = typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  switch (shape.kind) {
    case '*':
      return [];
    case 's':
      return typeof value === 'string' ? [] : wrong('a string');
    case 'b':
      return typeof value === 'boolean' ? [] : wrong('a boolean');
    case 'n':
      return typeof value === 'number' ? [] : wrong('a number');
    case 'i':
      return Number.isInteger(value) ? [] : wrong('an integer');
    case 'enum':
      return shape.words.includes(String(value)) ? [] : wrong(`one of ${shape.words.join(' ')}`);
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((one, i) => check(shape.of, one, `${at}[${i}]`, types))
        : wrong('a list');
    case 'map':
      return record
        ? Object.entries(record).flatMap(([key, one]) => check(shape.of, one, `${at}[${key}]`, types))
        : wrong('a map');
    case 'named':
      return record ? checkFields(types.get(shape.name) ?? new Map(), record, at, types) : wrong('an object');
  }
}

function checkFields(
  fields: ReadonlyMap<string, Field>,
  record: Readonly<Record<string, unknown>>,
  at: string,
  types: ReadonlyMap<string, ReadonlyMap<string, Field>>,
): string[] {
  const missing = [...fields].filter(([name, { always }]) => always && !Object.hasOwn(record, name));
  return [
    ...missing.map(([name]) => `${at}.${name} is missing`),
    ...Object.entries(record).flatMap(([name, value]) => {
      const field = fields.get(name);
      return field ? check(field.shape, value, `${at}.${name}`, types) : [`${at}.${name} is no field of the API`];
    }),
  ];
}
