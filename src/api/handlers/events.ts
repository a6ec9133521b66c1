// What happens in the engine, as it happens.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';

export const systemEvents: Handler<'SystemEvents'> = ({ engine, query, signal }) => {
  const { since, until, filters } = query;
  if (since !== undefined && until !== undefined && until < since)
    fail('invalid', 'events.range', '`since` time cannot be after `until` time');
  return engine.system.events({
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    filters,
    signal,
  });
};
