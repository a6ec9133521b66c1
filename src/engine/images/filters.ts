// The filters of `images`: before, since, dangling, label, reference, until, with Docker's meaning and messages.

import { fail } from '../../base/errors.ts';
import { familiarName, familiarRepository } from '../../spec/oci/reference.ts';
import type { Filters } from '../engine.ts';
import { createdAt, type ImageGroup, namesOf } from './catalog.ts';

const known = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];

export interface FilterContext {
  readonly now: Date;
  /** When the image that a filter names was created, milliseconds. */
  readonly createdOf: (ref: string) => Promise<number>;
}

/** A filter that keeps an image with fewer names keeps those that match. */
export type ImageFilter = (group: ImageGroup) => ImageGroup | undefined;

export async function imageFilter(filters: Filters, context: FilterContext): Promise<ImageFilter> {
  for (const [key, values] of Object.entries(filters)) {
    if (!known.includes(key)) fail('invalid', 'filter.unknown', `invalid filter '${key}'`);
    if (values.length === 0) fail('invalid', 'filter.invalid', `invalid filter '${key}': it needs a value`);
  }
  const dangling = filters['dangling']?.map((value) => parseBoolean('dangling', value));
  const before = await Promise.all((filters['before'] ?? []).map(context.createdOf));
  const since = await Promise.all((filters['since'] ?? []).map(context.createdOf));
  const until = (filters['until'] ?? []).map((value) => parseMoment(value, context.now));
  const references = filters['reference']?.map(globPattern);
  return (group) => {
    const created = createdAt(group.config);
    const labels = group.config.config?.Labels ?? {};
    const isDangling = group.rows.every(({ stored }) => stored.name === undefined);
    if (dangling !== undefined && !dangling.includes(isDangling)) return undefined;
    if (before.some((time) => created >= time) || since.some((time) => created <= time)) return undefined;
    if (until.some((time) => created > time)) return undefined;
    if (!(filters['label'] ?? []).every((label) => hasLabel(labels, label))) return undefined;
    if ((filters['label!'] ?? []).some((label) => hasLabel(labels, label))) return undefined;
    return references === undefined ? group : withMatchingNames(group, references);
  };
}

function withMatchingNames(group: ImageGroup, patterns: readonly RegExp[]): ImageGroup | undefined {
  const rows = group.rows.filter((row) =>
    namesOf({ ...group, rows: [row] }).some((name) =>
      patterns.some((pattern) => pattern.test(familiarName(name)) || pattern.test(familiarRepository(name))),
    ),
  );
  return rows.length === 0 ? undefined : { ...group, rows };
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  if (!Object.hasOwn(labels, key)) return false;
  return equals < 0 || labels[key] === wanted.slice(equals + 1);
}

function parseBoolean(key: string, value: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  return fail('invalid', 'filter.invalid', `invalid filter '${key}=[${value}]'`);
}

/** Go's path.Match: `*` and `?` stop at a slash, `[a-z]` is a set, a backslash takes the next character as it is. */
function globPattern(glob: string): RegExp {
  let source = '';
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at] ?? '';
    const set = char === '[' ? /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(glob.slice(at)) : null;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (set !== null) {
      source += `[${set[1] ?? ''}${(set[2] ?? '').replace(/[[\]]/g, '\\$&')}]`;
      at += set[0].length - 1;
    } else if (char === '[' || (char === '\\' && at + 1 === glob.length)) {
      fail('invalid', 'filter.invalid', `invalid filter 'reference=${glob}': syntax error in pattern`);
    } else {
      source += (char === '\\' ? (glob[++at] ?? '') : char).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return fail('invalid', 'filter.invalid', `invalid filter 'reference=${glob}': syntax error in pattern`);
  }
}

const unitMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A date, Unix seconds, or a Go duration before now (`10m`, `1h30m`); milliseconds. */
export function parseMoment(text: string, now: Date): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^([\d.]+(h|ms|m|s|us|µs|ns))+$/.test(text)) {
    let total = 0;
    for (const [, count, unit = ''] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g))
      total += Number(count) * (unitMs[unit] ?? 0);
    if (!Number.isNaN(total)) return now.getTime() - total;
  }
  // A date without a zone is in the local one, as Docker takes it.
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00`) : Date.parse(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date)) return date;
  return fail('invalid', 'filter.invalid', `invalid filter 'until=${text}': neither a time nor a duration`);
}
