// Values of log options, read as Go reads them, with Go's complaints. Pure.

import { fail } from '../../base/errors.ts';

/** What `--log-opt` gave. */
export type LogOptions = Readonly<Record<string, string>>;

/** Whose word the complaint is: create refuses with it as it is, start introduces it. */
export type Refuse = (message: string) => never;

/** At create. */
export const refuseOption: Refuse = (message) => fail('invalid', 'logging.option', message);

/** At start, as Docker's shim tells it. */
export const refuseStart: Refuse = (message) =>
  fail(
    'system',
    'logging.start',
    `failed to create task for container: failed to initialize logging driver: ${message}`,
  );

export function goBool(text: string, refuse: Refuse): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  return refuse(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export function goInt(text: string, refuse: Refuse, what = 'Atoi'): number {
  if (/^[+-]?\d{1,15}$/.test(text) && (what === 'Atoi' || /^\d/.test(text))) return Number(text);
  return refuse(`strconv.${what}: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** `10m`, `1.5g`: bytes. */
export function goSize(text: string, refuse: Refuse): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (match === null) return refuse(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * 1024 ** ('kmgtp'.indexOf((match[2] ?? '').toLowerCase()) + 1 || 0));
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3.6e6 };

/** `1s`, `1m30s`: milliseconds. */
export function goDuration(text: string, refuse: Refuse): number {
  if (text === '0') return 0;
  if (!/^[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text))
    return refuse(`time: invalid duration ${JSON.stringify(text)}`);
  let total = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(count) * (unitMs[unit] ?? 0);
  return text.startsWith('-') ? -total : total;
}

/** Go's regular expressions are nearly a subset of ours; what is not is refused like what is none. */
export function goRegex(text: string, refuse: Refuse): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^Invalid regular expression: \/.*\/u?: /s, '') : '';
    return refuse(
      /unterminated group/i.test(why)
        ? `error parsing regexp: missing closing ): \`${text}\``
        : `error parsing regexp: ${why.toLowerCase()}: \`${text}\``,
    );
  }
}
