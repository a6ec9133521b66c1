// --filter key=value, as Docker's client sends it.

import type { Filters } from '../engine/engine.ts';

export function filters(values: readonly string[]): Filters {
  const result: Record<string, string[]> = {};
  for (const value of values) {
    const equals = value.indexOf('=');
    if (equals < 0) continue;
    const key = value.slice(0, equals).trim().toLowerCase();
    const list = result[key] ?? [];
    list.push(value.slice(equals + 1).trim());
    result[key] = list;
  }
  return result;
}
