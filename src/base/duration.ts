// Lengths of time: in Docker's words for tables (docker/go-units), and points in time as since and until take them.

/** Seconds -> `Less than a second`, `About a minute`, `3 weeks`. */
export function humanDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 1) return 'Less than a second';
  if (whole === 1) return '1 second';
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(Math.floor(seconds / 3600) / 24 / 365)} years`;
}

const scales: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/**
 * Unix seconds with a fraction, of seconds, RFC 3339 in several lengths, or a Go duration before `now` (milliseconds);
 * undefined for anything else.
 */
export function momentOf(text: string, now: number): number | undefined {
  if (/^\d+(?:\.\d{1,9})?$/.test(text)) return Number(text);
  if (/^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)];
    const length = parts.reduce((sum, [, count = '', unit = '']) => sum + Number(count) * (scales[unit] ?? 0), 0);
    return now / 1000 - (text.startsWith('-') ? -length : length);
  }
  const date = /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d(?::\d\d)?)?)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (date === null) return undefined;
  const [, day = '', time = '00:00', fraction = '', zone = ''] = date;
  // Without a zone the time is local, as in Docker's client. Date knows no more than milliseconds.
  const moment = Date.parse(`${day}T${time.length === 2 ? `${time}:00` : time}${zone}`);
  return Number.isNaN(moment) ? undefined : moment / 1000 + Number(`0${fraction}`);
}
