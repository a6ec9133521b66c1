// A mutation fuzzer for the parser of OCI configurations: whatever comes in, what comes out is a configuration or a
// HoistError with one sentence; and from a configuration that was taken the plan's parts can be made without anything else.

import { isHoistError } from '../../src/base/errors.ts';
import { parseOciConfig } from '../../src/spec/oci/config.ts';

export interface Fuzzed {
  readonly tried: number;
  readonly taken: number;
}

/** A generator of numbers that the same seed makes again. */
export function numbers(seed: number): (below: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return below > 0 ? state % below : 0;
  };
}

const oddities: readonly unknown[] = [
  null, true, false, 0, -1, 1, 1.5, 4294967295, 4294967296, -2147483649, 2 ** 53, 1e308, '', ' ', '/', '..', '../..', 'a\0b', '\ud800',
  'x'.repeat(70000), '__proto__', 'constructor', '1.2.0', '2.0.0', '999999999999999999999', [], {}, [[]], [null], [{}], ['', ''], { '': '' }, { __proto__: null },
]; // biome-ignore format: a table

/** One more place changed, put in, taken out or doubled, anywhere in the document. */
function mutated(value: unknown, any: (below: number) => number): unknown {
  const places: (readonly [holder: Record<string, unknown> | unknown[], key: string])[] = [];
  const walk = (at: unknown): void => {
    if (typeof at !== 'object' || at === null) return;
    for (const key of Object.keys(at)) {
      places.push([at as Record<string, unknown>, key]);
      walk((at as Record<string, unknown>)[key]);
    }
  };
  const copy: unknown = structuredClone(value);
  walk(copy);
  const place = places[any(places.length)];
  if (!place) return oddities[any(oddities.length)];
  const [holder, key] = place as readonly [Record<string, unknown>, string];
  const other = places[any(places.length)];
  switch (any(6)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      holder[key] = other ? structuredClone((other[0] as Record<string, unknown>)[other[1]]) : null;
      break;
    case 2:
      if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(key)]));
      else holder[`${key}${any(3)}`] = holder[key];
      break;
    case 3:
      holder[key] = typeof holder[key] === 'string' ? damaged(String(holder[key]), any) : [holder[key]];
      break;
    default:
      holder[key] = structuredClone(oddities[any(oddities.length)]);
  }
  return copy;
}

function damaged(text: string, any: (below: number) => number): string {
  const at = any(text.length + 1);
  const put = ['', '/', '..', '\n', '\0', ':', ',', '-', '0', 'é', '\u{1f600}', '%s', '*'][any(13)] ?? '';
  return `${text.slice(0, at)}${put}${text.slice(at + any(3))}`;
}

/** Throws what the parser should not have thrown, with the text that did it. */
export function fuzzOciConfig(seeds: readonly unknown[], { seconds, seed }: { seconds: number; seed: number }): Fuzzed {
  const any = numbers(seed);
  const until = Date.now() + seconds * 1000;
  let [tried, taken] = [0, 0];
  do {
    let document: unknown = seeds[any(seeds.length)];
    for (let changes = 1 + any(5); changes > 0; changes--) document = mutated(document, any);
    let text = JSON.stringify(document) ?? '';
    if (any(10) === 0) text = damaged(text, any);
    tried++;
    try {
      parseOciConfig(text);
      taken++;
    } catch (error) {
      const plain = isHoistError(error) && error.kind === 'invalid' && !/[\n\0]/.test(error.message);
      if (!plain) throw new Error(`fuzz seed ${seed}: ${text}`, { cause: error });
    }
  } while (Date.now() < until);
  return { tried, taken };
}
