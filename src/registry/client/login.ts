// Asks a registry whether credentials hold: one request to its root, with whatever authorization it wants.

import { fail, isHoistError } from '../../base/errors.ts';
import type { Credential } from './credentials.ts';
import { openSession, type SessionOptions } from './session.ts';

/** Returns the refresh token that a token service gave for the password; '' where it gave none. Fails with kind denied. */
export async function loginAt(
  options: Pick<SessionOptions, 'http' | 'policy' | 'isInsecure'>,
  domain: string,
  credential: Credential,
  signal: AbortSignal,
): Promise<string> {
  let identity = '';
  const session = openSession({
    ...options,
    ref: { domain, path: '' },
    action: 'pull',
    scopes: [],
    credentials: { get: async () => credential },
    onRefreshToken: (token) => {
      identity = token;
    },
  });
  try {
    const answer = await session.retrying(signal, () =>
      session.ask({ method: 'GET', path: '/v2/', what: 'login', kind: 'manifest', expect: [200], signal }),
    );
    answer.discard();
  } catch (error) {
    if (!isHoistError(error) || error.kind !== 'denied' || error.code === 'registry.downgrade') throw error;
    fail('denied', 'registry.login', `login to ${domain} denied: unauthorized: incorrect username or password`, {
      cause: error,
    });
  }
  return identity;
}
