// Points in time as --since and --until take them: RFC 3339 in several lengths, Unix seconds, or a Go duration ago.

import { fail } from '../base/errors.ts';
import { goQuote, parseDuration } from './values.ts';

/** Unix seconds with a fraction; 0 where nothing was asked. `now`: milliseconds. */
export function parseMoment(flag: string, text: string, now: number): number {
  if (text === '') return 0;
  const ago = duration(text);
  if (ago !== undefined) return now / 1000 - ago / 1e9;
  if (/^\d+(?:\.\d{1,9})?$/.test(text)) return Number(text);
  const date = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (date !== null) {
    const [, day = '', time = '00:00', fraction = '', zone = ''] = date;
    // Without a zone the time is local, as in Docker's client. Date knows no more than milliseconds.
    const moment = Date.parse(`${day}T${time}${zone}`);
    if (!Number.isNaN(moment)) return moment / 1000 + Number(`0${fraction}`);
  }
  return fail(
    'invalid',
    'cli.time',
    `invalid value for ${goQuote(flag)}: failed to parse value as time or duration: ${goQuote(text)}`,
  );
}

function duration(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}
