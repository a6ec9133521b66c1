// Credentials for a registry: the body of /auth, and the header X-Registry-Auth.

import type { RegistryAuth } from '../../spec/docker/system.ts';
import { jsonBody } from '../route.ts';
import { object, optional, text } from './read.ts';

const readAuth = object<RegistryAuth>({
  username: optional(text),
  password: optional(text),
  serveraddress: optional(text),
  identitytoken: optional(text),
  registrytoken: optional(text),
});

export const registryAuthBody = jsonBody<RegistryAuth>((value) => readAuth(value, ''));

/** The header: JSON in base64url (old clients: base64). What cannot be read means none, as with Docker. */
export function registryAuthOf(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '') return undefined;
  try {
    const auth = readAuth(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')), '');
    return Object.values(auth).some((value) => value !== undefined && value !== '') ? auth : undefined;
  } catch {
    return undefined;
  }
}
