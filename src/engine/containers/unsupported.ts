// What a request may ask for and this engine cannot give: each refused with one sentence, never passed over. Pure.

import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';

/** Fails with kind unsupported, or invalid where the value means nothing to Docker either. */
export function refuseUnsupported(host: HostConfig): void {
  if (Object.keys(host.StorageOpt ?? {}).length > 0)
    fail(
      'invalid',
      'storage.options',
      "--storage-opt is supported only for overlay over xfs with 'pquota' mount option",
    );
  const runtime = host.Runtime ?? '';
  if (runtime !== '' && runtime !== 'hoist')
    fail('invalid', 'runtime.unknown', `unknown or invalid runtime name: ${runtime}`);
  if (!['', 'default'].includes(host.Isolation ?? ''))
    fail('invalid', 'isolation.unknown', `invalid isolation (${host.Isolation}): linux only supports 'default'`);
}
