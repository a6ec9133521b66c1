// Points in time as --since and --until take them: RFC 3339 in several lengths, Unix seconds, or a Go duration ago.

import { momentOf } from '../base/duration.ts';
import { fail } from '../base/errors.ts';
import { goQuote } from './values.ts';

/** Unix seconds with a fraction; 0 where nothing was asked. `now`: milliseconds. */
export function parseMoment(flag: string, text: string, now: number): number {
  if (text === '') return 0;
  const moment = momentOf(text, now);
  if (moment !== undefined) return moment;
  return fail(
    'invalid',
    'cli.time',
    `invalid value for ${goQuote(flag)}: failed to parse value as time or duration: ${goQuote(text)}`,
  );
}
