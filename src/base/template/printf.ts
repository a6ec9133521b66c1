// fmt.Sprintf for templates: the verbs, flags, width and precision that make sense for strings, numbers and lists.

import { quoted } from './strings.ts';
import { goNumber, goPrint, goQuoted, isNil, typeName } from './values.ts';

export function sprintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const take = (): unknown => args[next++];
  const text = format.replace(
    /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.)?/gsu,
    (_whole, flags: string, width: string | undefined, precision: string | undefined, verb: string | undefined) => {
      if (verb === undefined) return '%!(NOVERB)';
      if (verb === '%') return '%';
      const columns = width === '*' ? Number(take()) : Number(width ?? 0);
      const digits = precision === undefined ? undefined : precision === '*' ? Number(take()) : Number(precision || 0);
      if (next >= args.length) return `%!${verb}(MISSING)`;
      return padded(formatOne(verb, take(), { flags, digits }), flags, columns, verb);
    },
  );
  if (next >= args.length) return text;
  const extra = args.slice(next).map((arg) => (isNil(arg) ? '<nil>' : `${typeName(arg)}=${goPrint(arg)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

interface Style {
  readonly flags: string;
  readonly digits: number | undefined;
}

function formatOne(verb: string, value: unknown, style: Style): string {
  if (verb === 'v') return style.flags.includes('#') ? goQuoted(value) : plusSign(goPrint(value), value, style);
  if (verb === 'T') return typeName(value);
  if (verb === 't' && typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${value.map((item) => formatOne(verb, item, style)).join(' ')}]`;
  const formatted =
    typeof value === 'string'
      ? formatString(verb, value, style)
      : typeof value === 'number'
        ? formatNumber(verb, value, style)
        : verb === 's' && typeof value === 'object' && value !== null
          ? goPrint(value)
          : undefined;
  if (formatted !== undefined) return formatted;
  return isNil(value) ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${goPrint(value)})`;
}

function formatString(verb: string, value: string, { digits, flags }: Style): string | undefined {
  const text = digits === undefined ? value : [...value].slice(0, digits).join('');
  if (verb === 's') return text;
  if (verb === 'q') return flags.includes('#') && !text.includes('`') ? `\`${text}\`` : quoted(text);
  if (verb === 'x' || verb === 'X') {
    const hex = Buffer.from(text).toString('hex');
    return verb === 'X' ? hex.toUpperCase() : hex;
  }
  return undefined;
}

function formatNumber(verb: string, value: number, style: Style): string | undefined {
  const radix = ({ d: 10, x: 16, X: 16, o: 8, b: 2 } as const)[verb];
  if (radix !== undefined && Number.isInteger(value)) {
    const prefix = style.flags.includes('#') ? ({ x: '0x', X: '0X', o: '0', b: '0b' }[verb] ?? '') : '';
    const digits = Math.abs(value)
      .toString(radix)
      .padStart(style.digits ?? 0, '0');
    return plusSign(`${value < 0 ? '-' : ''}${prefix}${verb === 'X' ? digits.toUpperCase() : digits}`, value, style);
  }
  if (Number.isInteger(value)) {
    if (verb === 'c') return String.fromCodePoint(value);
    if (verb === 'q') return `'${String.fromCodePoint(value)}'`;
    if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    // An integer is no float in Go; JSON has one kind of number only, so a whole one is taken for an integer.
    return undefined;
  }
  if (verb === 'f' || verb === 'F') return plusSign(fixed(value, style.digits ?? 6), value, style);
  if (verb === 'e')
    return plusSign(value.toExponential(style.digits ?? 6).replace(/e([+-])(\d)$/, 'e$10$2'), value, style);
  if (verb === 'g')
    return plusSign(
      style.digits === undefined ? goNumber(value) : goNumber(Number(value.toPrecision(style.digits || 1))),
      value,
      style,
    );
  return undefined;
}

/** Go rounds a tie to the even digit, JavaScript away from zero. */
function fixed(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  const tie = Math.abs(scaled % 1) === 0.5;
  const even = Math.round(scaled / 2) * 2;
  return (tie ? even / 10 ** digits : value).toFixed(digits);
}

function plusSign(text: string, value: unknown, { flags }: Style): string {
  if (typeof value !== 'number' || value < 0) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function padded(text: string, flags: string, width: number, verb: string): string {
  const missing = Math.abs(width) - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-') || width < 0) return text + ' '.repeat(missing);
  const numeric = flags.includes('0') && 'dxXobfFeg'.includes(verb);
  if (!numeric) return ' '.repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
