// How lists are ordered, and what -q makes of their format.

import type { FlagValues } from '../command.ts';

/** Numbers in names count as numbers: `net9` stands before `net10`. */
export function naturally(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const [x = '', y = ''] = [left[i], right[i]];
    const digits = /^\d/.test(x) && /^\d/.test(y);
    const order = digits ? Number(x) - Number(y) || y.length - x.length : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** -q stands for a template of its own, unless there is one already; `raw`: what `--format raw` is with it. */
export function quietFormat(flags: FlagValues, raw: string, quiet = '{{.ID}}'): string {
  const format = flags.string('format');
  if (!flags.bool('quiet')) return format;
  if (format === 'raw') return raw;
  return format === '' || format === 'table' ? quiet : format;
}
