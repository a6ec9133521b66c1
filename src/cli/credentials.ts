// Who the user is at registries: config.json and credential helpers, as the command line reads and changes them.
// Secrets pass through here on their way to the engine or to a helper's stdin; they are shown nowhere.

import { fail } from '../base/errors.ts';
import { type Credential, credentialsAt, helperFor, readConfig, serverName } from '../registry/client/credentials.ts';
import type { RegistryAuth } from '../spec/docker/system.ts';
import { parseReference } from '../spec/oci/reference.ts';
import type { Io } from './io.ts';

function placeOf(io: Io) {
  const path = `${io.env['DOCKER_CONFIG'] || `${io.env['HOME'] ?? ''}/.docker`}/config.json`;
  return { path, read: () => io.readFile(path).catch(() => undefined), helper: io.helper };
}

/** For a request about an image; empty where the user is nobody there. */
export async function authFor(io: Io, reference: string): Promise<RegistryAuth> {
  return authAt(io, parseReference(reference).domain);
}

export async function authAt(io: Io, domain: string): Promise<RegistryAuth> {
  const credential = await credentialsAt(placeOf(io)).get(domain);
  return credential === undefined ? {} : { ...authOf(credential), serveraddress: serverName(domain) };
}

function authOf(credential: Credential): RegistryAuth {
  if (credential.kind === 'password') return { username: credential.username, password: credential.password };
  return credential.kind === 'identity' ? { identitytoken: credential.token } : { registrytoken: credential.token };
}

export interface Login {
  readonly username: string;
  readonly password: string;
  /** What the registry gave to be kept instead of the password; ''. */
  readonly identityToken: string;
}

/** Keeps a login; returns the file where it lies unencrypted, undefined where a helper keeps it. */
export async function storeLogin(io: Io, domain: string, login: Login): Promise<string | undefined> {
  const place = placeOf(io);
  const config = await readConfig(place);
  const helper = helperFor(config, domain);
  const server = serverName(domain);
  const { username, password, identityToken } = login;
  if (helper === undefined) {
    const auth = Buffer.from(`${username}:${identityToken === '' ? password : ''}`).toString('base64');
    await changeAuths(io, (auths) => ({
      ...auths,
      [server]: identityToken === '' ? { auth } : { auth, identitytoken: identityToken },
    }));
    return place.path;
  }
  const document =
    identityToken === ''
      ? { ServerURL: server, Username: username, Secret: password }
      : { ServerURL: server, Username: '<token>', Secret: identityToken };
  const { code } = await io.helper(helper, ['store'], JSON.stringify(document));
  // What it said may repeat the secret.
  if (code !== 0)
    fail('unavailable', 'cli.credentials', `error storing credentials - err: ${helper} failed with exit code ${code}`);
  await changeAuths(io, (auths) => ({ ...auths, [server]: {} }));
  return undefined;
}

/** True where there was something to remove, or where a helper was asked to. */
export async function eraseLogin(io: Io, domain: string): Promise<void> {
  const config = await readConfig(placeOf(io));
  const helper = helperFor(config, domain);
  const server = serverName(domain);
  if (helper !== undefined) {
    const { code, output } = await io.helper(helper, ['erase'], server);
    if (code !== 0 && !/credentials not found/i.test(output))
      await io.stderr.write(
        `WARNING: could not erase credentials:\n${server}: ${helper} failed with exit code ${code}\n`,
      );
  }
  const names = [server, domain, `https://${domain}`, `http://${domain}`];
  const { auths } = config as { auths?: Record<string, unknown> };
  if (auths === undefined || !names.some((name) => name in auths)) return;
  await changeAuths(io, (known) => Object.fromEntries(Object.entries(known).filter(([name]) => !names.includes(name))));
}

/** Everything else in the file stays as it is. */
async function changeAuths(
  io: Io,
  change: (auths: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Promise<void> {
  const place = placeOf(io);
  const config = await readConfig(place);
  const { auths } = config as { auths?: Record<string, unknown> };
  const text = `${JSON.stringify({ ...config, auths: change(auths ?? {}) }, undefined, '\t')}`;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  await io.replaceFile(place.path, bytes(), { mode: 0o600, makeDirectory: true });
}
