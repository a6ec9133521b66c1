// Times as Docker's client prints them (Go's time.Time.String).

/** `2026-11-21 03:30:06 +0000 UTC`, in local time; Unix seconds. */
export function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name = offset === 0 ? 'UTC' : (shortZone(date) ?? zone);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${name}`;
}

/** `CET`; undefined where the zone has no name of letters. */
function shortZone(date: Date): string | undefined {
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value;
  return name !== undefined && /^[A-Z]{2,5}$/.test(name) ? name : undefined;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** An RFC 3339 time as Go's time.Time prints itself, in the zone that it names. */
export function goTime(text: string | undefined): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text ?? '');
  if (match === null) return '0001-01-01 00:00:00 +0000 UTC';
  const [, day, time, fraction = '', zone = 'Z'] = match;
  const offset = zone === 'Z' ? '+0000 UTC' : `${zone.replace(':', '')} ${zone.replace(':', '')}`;
  return `${day} ${time}${fraction.replace(/\.?0+$/, '')} ${offset}`;
}

/** Unix nanoseconds as RFC 3339 with nine digits, in local time. */
export function localNano(nanoseconds: number): string {
  const whole = BigInt(Math.trunc(nanoseconds));
  const date = new Date(Number(whole / 1_000_000n));
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '-' : '+';
  const zone = offset === 0 ? 'Z' : `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day}T${time}.${String(whole % 1_000_000_000n).padStart(9, '0')}${zone}`;
}
