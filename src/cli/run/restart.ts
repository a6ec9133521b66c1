// --restart: `no`, `always`, `unless-stopped`, `on-failure`, `on-failure:5`.

import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';

/** The name is checked by the engine, which has the words for it. */
export function restartPolicy(text: string): HostConfig['RestartPolicy'] {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  if (colon === 0) fail('invalid', 'cli.restart', 'invalid restart policy format: no policy provided before colon');
  if (colon < 0) return { Name: name, MaximumRetryCount: 0 };
  const count = text.slice(colon + 1);
  if (count !== '' && !/^[+-]?\d+$/.test(count)) {
    fail('invalid', 'cli.restart', 'invalid restart policy format: maximum retry count must be an integer');
  }
  return { Name: name, MaximumRetryCount: Number(count) };
}
