// The values that flags take, read as Go's strconv, time and docker/go-units read them, with their words for what is wrong.
// Each parser throws a HoistError of code `cli.value`; parse.ts puts the flag's name in front.

import { fail } from '../base/errors.ts';

function bad(message: string): never {
  return fail('invalid', 'cli.value', message);
}

/** strconv.ParseBool */
export function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return bad(`strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`);
}

/** strconv.ParseInt(text, 0, 64); loses precision over 2^53, which no flag needs. */
export function parseInt64(text: string): number {
  return parseWhole(text, 'ParseInt', -(2n ** 63n), 2n ** 63n - 1n);
}

export function parseUint(text: string, bits: number): number {
  return parseWhole(text, 'ParseUint', 0n, 2n ** BigInt(bits) - 1n);
}

function parseWhole(text: string, name: string, min: bigint, max: bigint): number {
  const sign = name === 'ParseInt' ? '[+-]?' : '';
  const match = new RegExp(`^(${sign})(0[xX][\\da-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[1-9][\\d_]*|0)$`).exec(text);
  if (match === null || /__|_$/.test(text)) return bad(`strconv.${name}: parsing ${goQuote(text)}: invalid syntax`);
  const digits = (match[2] ?? '').replaceAll('_', '');
  const value = BigInt(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits) * (match[1] === '-' ? -1n : 1n);
  if (value < min || value > max) return bad(`strconv.${name}: parsing ${goQuote(text)}: value out of range`);
  return Number(value);
}

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** time.ParseDuration: nanoseconds. */
export function parseDuration(text: string): number {
  const quoted = goQuote(text);
  const match = /^([+-]?)(.*)$/s.exec(text);
  let rest = match?.[2] ?? '';
  const sign = match?.[1] === '-' ? -1 : 1;
  if (rest === '0') return 0;
  if (rest === '') return bad(`time: invalid duration ${quoted}`);
  let total = 0;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (part === null) return bad(`time: invalid duration ${quoted}`);
    const unit = part[2] ?? '';
    if (unit === '') return bad(`time: missing unit in duration ${quoted}`);
    const scale = Object.hasOwn(nanoseconds, unit) ? nanoseconds[unit] : undefined;
    if (scale === undefined) return bad(`time: unknown unit ${goQuote(unit)} in duration ${quoted}`);
    total += Number(part[1]) * scale;
    rest = rest.slice(part[0].length);
  }
  return Math.round(sign * total);
}

/** units.RAMInBytes: `512m`, `1.5g`, `64kib`, `100`. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+) ?([kKmMgGtTpP])?(?:[iI]?[bB])?$/.exec(text);
  if (match === null) {
    const suffix = /^(?:\d+(?:\.\d+)?|\.\d+) ?([a-zA-Z]+)$/.exec(text)?.[1];
    return bad(suffix === undefined ? `invalid size: '${text}'` : `invalid suffix: '${suffix.toLowerCase()}'`);
  }
  const power = match[2] === undefined ? 0 : 'kmgtp'.indexOf(match[2].toLowerCase()) + 1;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

/** --cpus: a decimal, or a fraction, as NanoCpus. */
export function parseCpus(text: string): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\/(\d+))?$/.exec(text);
  const divisor = match?.[2] === undefined ? 1 : Number(match[2]);
  if (match === null || divisor === 0) return bad(`failed to parse ${text} as a rational number`);
  const nano = (Number(match[1]) / divisor) * 1e9;
  const whole = Math.round(nano);
  if (Math.abs(nano - whole) > 1e-4) return bad('value is too precise');
  return whole;
}

/** Go's %q, near enough: JSON's quotes and escapes. */
export function goQuote(text: string): string {
  return JSON.stringify(text);
}

/** The check of a flag's type as --help names it; undefined where any text will do. */
export function checkType(type: string | undefined, value: string): void {
  if (type === undefined) parseBool(value);
  else if (type === 'int') parseInt64(value);
  else if (type === 'uint16') parseUint(value, 16);
  else if (type === 'uint') parseUint(value, 64);
  else if (type === 'duration') parseDuration(value);
  else if (type === 'bytes') parseBytes(value);
  else if (type === 'decimal') parseCpus(value);
  else if (type === 'filter' && value !== '' && !value.includes('=')) {
    bad('bad format of filter (expected name=value)');
  }
}
