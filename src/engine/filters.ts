// Filters as everything that can be listed or pruned takes them.

/** Filters as Docker spells them: key -> values (`{status: ['exited'], label: ['a=b']}`). */
export type Filters = Readonly<Record<string, readonly string[]>>;

/** `wanted`: `key` or `key=value`. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  return equals < 0 ? Object.hasOwn(labels, wanted) : labels[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}
