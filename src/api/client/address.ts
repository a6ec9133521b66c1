// Where an engine's API is: the addresses that -H, DOCKER_HOST and contexts name, and what may be sent to them.

import { fail } from '../../base/errors.ts';

export type Address =
  | { readonly kind: 'unix'; readonly text: string; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly text: string;
      readonly host: string;
      readonly port: number;
      readonly secure: boolean;
    }
  | {
      readonly kind: 'ssh';
      readonly text: string;
      readonly user: string;
      readonly host: string;
      readonly port: string;
      /** Of the socket there; '' for its usual one. */
      readonly path: string;
    };

/** Certificates and keys, as PEM. */
export interface Tls {
  readonly ca?: string | Uint8Array;
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Whether the server's certificate is checked. */
  readonly verify: boolean;
}

/** An engine somewhere, and how it is talked to. */
export interface Connection {
  readonly address: Address;
  readonly tls?: Tls;
  /** The user has said that plain text may go over the network. */
  readonly insecure?: boolean;
}

/** Fails with `cli.host`, in Docker's words. */
export function parseAddress(text: string): Address {
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === undefined) fail('invalid', 'cli.host', `unable to parse docker host \`${text}\``);
  if (scheme === 'unix') return { kind: 'unix', text, path: rest === '' ? '/var/run/docker.sock' : rest };
  if (scheme === 'ssh') return sshAddress(text);
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    const url = urlOf(text, rest);
    if (url.pathname !== '' && url.pathname !== '/')
      fail('invalid', 'cli.host', `invalid address ${text}: a path is not supported`);
    const host = url.hostname.replace(/^\[|\]$/g, '') || 'localhost';
    const port = Number(url.port) || (scheme === 'https' ? 2376 : 2375);
    return { kind: 'tcp', text, host, port, secure: scheme === 'https' };
  }
  if (scheme === 'npipe') fail('unsupported', 'cli.host', 'protocol not available');
  return fail('invalid', 'cli.host', `invalid bind address format: ${text}`);
}

/** `http:` keeps the port apart; other schemes would let anything pass for a host. */
function urlOf(text: string, rest: string): URL {
  const port = /:([^\]:/]*)(?:\/.*)?$/.exec(rest)?.[1];
  if (port !== undefined && !/^\d{0,5}$/.test(port) && !rest.endsWith(']'))
    fail('invalid', 'cli.host', `parse "${text}": invalid port ":${port}" after host`);
  try {
    return new URL(`foo://${rest}`);
  } catch (cause) {
    return fail('invalid', 'cli.host', `unable to parse docker host \`${text}\``, { cause });
  }
}

function sshAddress(text: string): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    return fail('invalid', 'cli.host', `unable to parse docker host \`${text}\``, { cause });
  }
  const bad = (what: string): never => fail('invalid', 'cli.host', `invalid SSH URL: ${what}`);
  if (url.password !== '') bad('plain-text password is not supported');
  if (url.hostname === '') bad('hostname is empty');
  if (url.search !== '' || url.hash !== '') bad('query parameters and fragments are not allowed');
  // a word that begins with - would be an option of ssh
  const user = decodeURIComponent(url.username);
  if (url.hostname.startsWith('-') || user.startsWith('-')) bad('a name cannot begin with -');
  const path = url.pathname === '/' ? '' : decodeURIComponent(url.pathname);
  return { kind: 'ssh', text, user, host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port, path };
}

/** Whoever can read or change what is sent to an engine owns its machine: in plain text it stays on this one. */
export function refusePlainText({ address, tls, insecure }: Connection): void {
  if (address.kind !== 'tcp' || address.secure || tls !== undefined || insecure === true) return;
  if (address.host === 'localhost' || address.host === '::1' || /^127(\.\d+){3}$/.test(address.host)) return;
  fail(
    'denied',
    'cli.insecure',
    `${address.text} is plain text over the network: whoever sees it has root on that machine`,
    {
      hint: 'use TLS (--tlsverify, --tlscacert, --tlscert, --tlskey) or ssh://, or say --insecure',
    },
  );
}
