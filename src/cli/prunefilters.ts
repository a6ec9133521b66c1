// --filter of the prune commands, with what config.json's pruneFilters adds to all of them.

import type { Filters } from '../engine/engine.ts';
import type { FlagValues } from './command.ts';
import { clientConfig } from './config.ts';
import { filters } from './filters.ts';
import type { Io } from './io.ts';

/** A label of the configuration gives way to its opposite on the command line. */
export async function pruneFilters(flags: FlagValues, io: Io): Promise<Filters> {
  const given = filters(flags.list('filter'));
  const merged = new Map(Object.entries(given).map(([key, values]) => [key, [...values]]));
  for (const entry of (await clientConfig(io)).pruneFilters) {
    const equals = entry.indexOf('=');
    if (equals < 0) continue;
    const key = entry.slice(0, equals);
    const value = entry.slice(equals + 1);
    const opposite = key === 'label' ? 'label!' : key === 'label!' ? 'label' : undefined;
    if (opposite !== undefined && given[opposite]?.includes(value) === true) continue;
    const values = merged.get(key) ?? [];
    if (!values.includes(value)) merged.set(key, [...values, value]);
  }
  return Object.fromEntries(merged);
}
