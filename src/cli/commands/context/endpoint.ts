// `--docker host=…,ca=…,cert=…,key=…,skip-tls-verify=…` of context create and update.

import { parseAddress } from '../../../api/client/address.ts';
import { errnoOf, fail, isHoistError } from '../../../base/errors.ts';
import type { FlagValues } from '../../command.ts';
import { type Context, type TlsFile, tlsFiles } from '../../contexts/store.ts';
import type { Io } from '../../io.ts';
import { parseBool } from '../../values.ts';

export const endpointHelp = `Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation`;

export function exampleOf(verb: string): string {
  return `Example:

$ hoist context ${verb} my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"`;
}

/** What is wrong with the flag's value, in pflag's words. */
export function checkPairs(text: string): string | undefined {
  const wrong = text.split(',').find((pair) => pair !== '' && !pair.includes('='));
  return wrong === undefined ? undefined : `${wrong} must be formatted as key=value`;
}

export interface Endpoint {
  readonly host: string;
  readonly skipTlsVerify: boolean;
  readonly tls: Context['tls'];
  /** A context to copy from instead. */
  readonly from: string;
}

export async function endpointOf(io: Io, flags: FlagValues): Promise<Endpoint> {
  const given = new Map<string, string>();
  for (const pair of flags.list('docker').flatMap((text) => text.split(','))) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    given.set(pair.slice(0, equals).trim(), pair.slice(equals + 1));
  }
  const known = ['from', 'host', 'skip-tls-verify', ...tlsFiles];
  const unknown = [...given.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) refuse(`unrecognized config key: ${unknown}`);
  const host = given.get('host') ?? '';
  if (host !== '') checkHost(host);
  const tls = new Map<TlsFile, Uint8Array>();
  for (const kind of tlsFiles) {
    const path = given.get(kind) ?? '';
    if (path !== '') tls.set(kind, await pem(io, kind, path));
  }
  return { host, skipTlsVerify: skipOf(given.get('skip-tls-verify') ?? ''), tls, from: given.get('from') ?? '' };
}

function checkHost(host: string): void {
  try {
    parseAddress(host);
  } catch (error) {
    if (!isHoistError(error)) throw error;
    const ssh = host.startsWith('ssh://') ? 'invalid docker endpoint options: ssh host connection is not valid' : '';
    refuse(`${ssh || 'unable to apply docker endpoint options'}: ${error.message}`);
  }
}

function skipOf(text: string): boolean {
  if (text === '') return false;
  try {
    return parseBool(text);
  } catch {
    return refuse(`skip-tls-verify: parsing "${text}": invalid syntax`);
  }
}

async function pem(io: Io, kind: TlsFile, path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await io.readFile(path);
  } catch (error) {
    return refuse(
      `open ${path}: ${errnoOf(error) === 'ENOENT' ? 'no such file or directory' : (errnoOf(error) ?? error)}`,
    );
  }
  if (!Buffer.from(bytes).includes('-----BEGIN '))
    refuse(`invalid docker endpoint options: failed to retrieve context tls info: ${kind}.pem seems invalid`);
  return bytes;
}

function refuse(why: string): never {
  return fail('invalid', 'cli.plain', `unable to create docker endpoint config: ${why}`);
}
