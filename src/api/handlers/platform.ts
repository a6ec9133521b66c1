// Platforms in queries: `linux/arm64`, or since API 1.46 the document of one.

import { fail } from '../../base/errors.ts';
import { fields, text } from '../body/read.ts';

export function platformText(asked: string): string {
  if (!asked.startsWith('{')) return asked;
  let given: Readonly<Record<string, unknown>>;
  try {
    given = fields(JSON.parse(asked), 'platform');
  } catch {
    return fail('invalid', 'platform.invalid', `failed to parse platform: ${asked}`);
  }
  return [text(given['os'], 'os'), text(given['architecture'], 'architecture'), text(given['variant'], 'variant')]
    .filter((part) => part !== '')
    .join('/');
}

/** One of several; '' for none. More than one needs images of many platforms. */
export function onePlatform(asked: readonly string[]): string {
  const [first = '', ...more] = asked;
  if (more.length > 0) fail('unsupported', 'platform.many', 'an image has one platform here: name one');
  return platformText(first);
}
