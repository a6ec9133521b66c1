// --filter key=value, as Docker's client sends it.

import type { Filters } from '../engine/engine.ts';

export function filters(values: readonly string[]): Filters {
  const result = new Map<string, string[]>();
  for (const value of values) {
    const equals = value.indexOf('=');
    if (equals < 0) continue;
    const key = value.slice(0, equals).trim().toLowerCase();
    result.set(key, [...(result.get(key) ?? []), value.slice(equals + 1).trim()]);
  }
  return Object.fromEntries(result);
}
