// network ls and prune: which networks Docker's filters mean.

import { fail } from '../../base/errors.ts';
import type { Filters } from '../engine.ts';
import { hasLabel } from '../filters.ts';
import { isPredefined, type NetworkRecord } from './record.ts';

type Test = (record: NetworkRecord) => boolean;

/** `isUsed`: whether a container is in a network. Fails with `filter.unknown`. */
export function networkTest(filters: Filters, isUsed: Test): Test {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => testOf(key, values, isUsed));
  return (record) => tests.every((test) => test(record));
}

function testOf(key: string, values: readonly string[], isUsed: Test): Test {
  switch (key) {
    case 'name':
      return ({ name }) => values.some((value) => matches(name, value));
    case 'id':
      return ({ id }) => values.some((value) => matches(id, value));
    case 'driver':
      return ({ driver }) => values.includes(driver);
    case 'scope':
      return () => values.includes('local');
    case 'label':
      return ({ labels }) => values.every((value) => hasLabel(labels, value));
    case 'type':
      for (const value of values)
        if (value !== 'custom' && value !== 'builtin')
          fail('invalid', 'filter.type', `invalid filter: 'type'='${value}'`);
      return (record) => values.includes(isPredefined(record) ? 'builtin' : 'custom');
    case 'dangling': {
      const wanted = values.map((value) =>
        /^(1|t|true|0|f|false)$/i.test(value)
          ? /^(1|t|true)$/i.test(value)
          : fail(
              'invalid',
              'filter.dangling',
              `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
            ),
      );
      return (record) => wanted.includes(!isPredefined(record) && !isUsed(record));
    }
    default:
      return fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
  }
}

/** Docker's filters are regular expressions; one that is none is taken as text. */
function matches(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text.includes(pattern);
  }
}
