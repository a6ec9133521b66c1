// --health-cmd, --health-interval and the rest, and --no-healthcheck.

import { fail } from '../../base/errors.ts';
import type { HealthConfig } from '../../spec/oci/image.ts';
import type { FlagValues } from '../command.ts';
import { parseDuration } from '../values.ts';
import { int } from './resources.ts';

/** undefined: nothing was said, and the image's own holds. */
export function healthcheck(flags: FlagValues): HealthConfig | undefined {
  const command = flags.string('health-cmd');
  const time = (name: string): number => parseDuration(flags.string(name) || '0');
  const numbers = {
    Interval: time('health-interval'),
    Timeout: time('health-timeout'),
    Retries: int(flags, 'health-retries'),
    StartPeriod: time('health-start-period'),
    StartInterval: time('health-start-interval'),
  };
  const given = command !== '' || Object.values(numbers).some((value) => value !== 0);
  if (flags.bool('no-healthcheck')) {
    if (given) fail('invalid', 'cli.health', '--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!given) return undefined;
  for (const [name, value] of Object.entries(numbers)) {
    if (value < 0) fail('invalid', 'cli.health', `--health-${flagNames[name]} cannot be negative`);
  }
  const set = Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0));
  return { ...(command === '' ? {} : { Test: ['CMD-SHELL', command] }), ...set };
}

const flagNames: Readonly<Record<string, string>> = {
  Interval: 'interval',
  Timeout: 'timeout',
  Retries: 'retries',
  StartPeriod: 'start-period',
  StartInterval: 'start-interval',
};
