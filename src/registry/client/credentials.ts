// Who we are at a registry: ~/.docker/config.json with its `auths`, `credHelpers` and `credsStore`.
// Secrets go from here into an Authorization header and nowhere else: not into messages, logs or argv.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, fail } from '../../base/errors.ts';
import type { RegistryAuth } from '../../spec/docker/system.ts';
import { printable } from './failure.ts';
import type { Env } from './proxy.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, as `docker login` keeps for some registries. */
  | { readonly kind: 'identity'; readonly token: string }
  /** A token for the registry itself, which somebody fetched for us. */
  | { readonly kind: 'bearer'; readonly token: string };

export interface CredentialSource {
  /** `domain` as in a reference: `docker.io`, `localhost:5000`. */
  get(domain: string): Promise<Credential | undefined>;
}

export const noCredentials: CredentialSource = { get: async () => undefined };

/** What a request brought along, for the registry that it speaks of. */
export function givenCredentials(auth: RegistryAuth): CredentialSource {
  const credential = credentialOf(auth);
  return { get: async () => credential };
}

export function credentialOf(auth: RegistryAuth): Credential | undefined {
  const { username = '', password = '', identitytoken = '', registrytoken = '' } = auth;
  if (registrytoken !== '') return { kind: 'bearer', token: registrytoken };
  if (identitytoken !== '') return { kind: 'identity', token: identitytoken };
  return username === '' ? undefined : { kind: 'password', username, password };
}

/** Where a user's credentials are, and how the user's helpers are run. */
export interface CredentialPlace {
  /** config.json */
  readonly path: string;
  /** undefined: there is none. */
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly helper: RunHelper;
}

/** Runs a program with `input` on its stdin; what it says on stdout. Never throws for an exit code. */
export type RunHelper = (
  program: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly code: number; readonly output: string }>;

/** Reads Docker's configuration of the user whose environment this is, each time it is asked. */
export function dockerCredentials(env: Env): CredentialSource {
  return {
    async get(domain) {
      const directory = env['DOCKER_CONFIG'] ?? (env['HOME'] === undefined ? undefined : join(env['HOME'], '.docker'));
      if (directory === undefined) return undefined;
      const path = join(directory, 'config.json');
      const read = () => readFile(path).catch(absent);
      const helper: RunHelper = (program, args, input) => runHelper(program, args, { input, env });
      return credentialsAt({ path, read, helper }).get(domain);
    },
  };
}

export function credentialsAt(place: CredentialPlace): CredentialSource {
  return {
    async get(domain) {
      const config = await readConfig(place);
      const helper = helperFor(config, domain);
      if (helper !== undefined) return askHelper(helper, serverName(domain), place.helper);
      return fromAuths(recordAt(config, 'auths'), domain, place.path);
    },
  };
}

/** What keeps the credentials of a registry instead of the file: `docker-credential-<name>`. */
export function helperFor(config: Record<string, unknown>, domain: string): string | undefined {
  const name =
    textAt(recordAt(config, 'credHelpers'), serverName(domain)) ??
    textAt(recordAt(config, 'credHelpers'), domain) ??
    textAt(config, 'credsStore');
  if (name === undefined || name === '') return undefined;
  if (!/^[\w.-]+$/.test(name))
    fail('invalid', 'credentials.helper', `${JSON.stringify(name)} is no name of a credential helper`);
  return `docker-credential-${name}`;
}

/** Docker Hub's credentials are kept under the address of its first API. */
export function serverName(domain: string): string {
  return domain === 'docker.io' ? 'https://index.docker.io/v1/' : domain;
}

function absent(error: unknown): undefined {
  if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
  throw error;
}

export async function readConfig({
  path,
  read,
}: Pick<CredentialPlace, 'path' | 'read'>): Promise<Record<string, unknown>> {
  const bytes = await read();
  if (bytes === undefined) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (isRecord(value)) return value;
  } catch (cause) {
    return fail('invalid', 'credentials.config', `${path} is not valid JSON`, { cause });
  }
  return fail('invalid', 'credentials.config', `${path} is not a JSON object`);
}

function fromAuths(auths: Record<string, unknown>, domain: string, path: string): Credential | undefined {
  const wanted = domain === 'docker.io' ? 'index.docker.io' : domain;
  const exact = recordAt(auths, serverName(domain));
  // Keys may be whole URLs: `https://registry.example/v1/` stands for its host.
  const entry =
    Object.keys(exact).length > 0
      ? exact
      : (Object.entries(auths)
          .filter(([key]) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '') === wanted)
          .map(([, value]) => (isRecord(value) ? value : {}))[0] ?? {});
  const identity = textAt(entry, 'identitytoken');
  if (identity !== undefined && identity !== '') return { kind: 'identity', token: identity };
  const auth = textAt(entry, 'auth');
  if (auth !== undefined && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = decoded.indexOf(':');
    if (colon <= 0)
      fail('invalid', 'credentials.config', `the credentials for ${domain} in ${path} are not base64 of user:password`);
    return { kind: 'password', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  }
  const username = textAt(entry, 'username');
  const password = textAt(entry, 'password');
  if (username === undefined || username === '' || password === undefined) return undefined;
  return { kind: 'password', username, password };
}

/** `docker-credential-<name> get`: the server on stdin, `{Username, Secret}` on stdout. */
async function askHelper(program: string, server: string, run: RunHelper): Promise<Credential | undefined> {
  const { code, output } = await run(program, ['get'], server);
  if (code !== 0) {
    // The protocol has no other sign for "nothing stored here" than this sentence.
    if (/credentials not found/i.test(output)) return undefined;
    fail(
      'denied',
      'credentials.helper',
      `${program} failed with exit code ${code} for ${server}: ${printable(output)}`,
    );
  }
  try {
    const value: unknown = JSON.parse(output);
    const username = isRecord(value) ? textAt(value, 'Username') : undefined;
    const secret = isRecord(value) ? textAt(value, 'Secret') : undefined;
    if (username === undefined || secret === undefined) return undefined;
    return username === '<token>'
      ? { kind: 'identity', token: secret }
      : { kind: 'password', username, password: secret };
  } catch {
    // The output may hold the secret: it is not shown.
    return fail('denied', 'credentials.helper', `${program} did not answer with JSON for ${server}`);
  }
}

/** The secret goes through the pipe, never into the arguments. */
export function runHelper(
  program: string,
  args: readonly string[],
  { input, env }: { readonly input: string; readonly env: Env },
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'ignore'] });
    // Not spawn's own `timeout`: its timer goes on when the program cannot be started.
    const timer = setTimeout(() => child.kill(), 60_000);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (cause) => {
      clearTimeout(timer);
      try {
        fail(
          'unavailable',
          'credentials.helper',
          `cannot run the credential helper ${program}: ${errnoOf(cause) ?? 'failed'}`,
          { cause },
        );
      } catch (error) {
        reject(error);
      }
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, output: Buffer.concat(chunks).toString('utf8') });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function recordAt(value: Record<string, unknown>, key: string): Record<string, unknown> {
  const member = value[key];
  return isRecord(member) ? member : {};
}

function textAt(value: Record<string, unknown>, key: string): string | undefined {
  const member = value[key];
  return typeof member === 'string' ? member : undefined;
}
