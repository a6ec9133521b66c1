// `login`: asks a registry whether credentials hold. Nothing is stored here: that is the client's business.

import { fail } from '../base/errors.ts';
import type { RegistryClient } from '../registry/client/client.ts';
import { credentialOf } from '../registry/client/credentials.ts';
import type { RegistryAuth } from '../spec/docker/system.ts';
import { parseReference } from '../spec/oci/reference.ts';

export async function loginTo(
  registry: RegistryClient,
  auth: RegistryAuth,
  signal: AbortSignal,
): Promise<{ readonly Status: string; readonly IdentityToken: string }> {
  const credential = credentialOf(auth);
  if (credential === undefined)
    fail('invalid', 'login.incomplete', 'a username and a password, or a token, are needed');
  const IdentityToken = await registry.login(registryDomain(auth.serveraddress ?? ''), credential, signal);
  return { Status: 'Login Succeeded', IdentityToken };
}

/** `https://index.docker.io/v1/`, `registry.example:5000`, a whole URL: the domain as in a reference. */
export function registryDomain(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  if (host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io') return 'docker.io';
  return parseReference(`${host.includes('.') || host.includes(':') || host === 'localhost' ? host : `${host}:443`}/x`)
    .domain;
}
