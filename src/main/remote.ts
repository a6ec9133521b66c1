// The engine that a command names, where it is not this machine's own.

import type { Connection } from '../api/client/address.ts';
import { type RemoteEngine, remoteEngine } from '../api/client/engine.ts';
import { isHoistError } from '../base/errors.ts';
import { hoistVersion } from '../base/version.ts';
import { configDocument } from '../cli/contexts/store.ts';
import { authFor } from '../cli/credentials.ts';
import type { Io } from '../cli/io.ts';

export async function openRemote(connection: Connection, io: Io): Promise<RemoteEngine> {
  const version = io.env['DOCKER_API_VERSION']?.replace(/^v/, '') ?? '';
  return remoteEngine(connection, {
    userAgent: `Hoist-Client/${hoistVersion} (linux)`,
    headers: { ...headersOf((await configDocument(io))['HttpHeaders']), ...customHeaders(io.env) },
    ...(version === '' ? {} : { version }),
    authFor: async (reference) => {
      try {
        return await authFor(io, reference);
      } catch (error) {
        if (isHoistError(error)) return undefined; // a term to search for is no reference
        throw error;
      }
    },
  });
}

function headersOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, text]) => typeof text === 'string'));
}

/** `Name=value,Name=value` */
function customHeaders(env: Io['env']): Readonly<Record<string, string>> {
  const pairs = (env['DOCKER_CUSTOM_HEADERS'] ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1)]),
  );
}
