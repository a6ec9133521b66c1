// --link, --dns, --dns-search, --add-host: Docker's checks and their words.

import { isIP } from 'node:net';
import { goQuote } from '../values.ts';

export function checkDns(value: string): string | undefined {
  return isIP(value.trim()) === 0 ? `IP address is not correctly formatted: ${value}` : undefined;
}

export function checkDnsSearch(value: string): string | undefined {
  const name = value.trim();
  if (name === '.' || name === '') return undefined;
  const valid = /^(?:[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.(?:[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?))*\.?$/;
  return valid.test(name) && name.length < 255 ? undefined : `${name} is not a valid domain`;
}

/** `host:ip`, `host=ip`, with IPv6 in brackets or not, or `host:host-gateway`. */
export function checkExtraHost(value: string): string | undefined {
  const host = splitExtraHost(value);
  if (host === undefined || host.name === '') return `bad format for add-host: ${goQuote(value)}`;
  if (host.address !== 'host-gateway' && isIP(host.address) === 0) {
    return `invalid IP address in add-host: ${goQuote(host.address)}`;
  }
  return undefined;
}

export function extraHosts(values: readonly string[]): readonly string[] {
  return values.map((value) => {
    const host = splitExtraHost(value);
    return host === undefined ? value : `${host.name}:${host.address}`;
  });
}

function splitExtraHost(value: string): { readonly name: string; readonly address: string } | undefined {
  const equals = value.indexOf('=');
  const at = equals >= 0 ? equals : value.indexOf(':');
  if (at < 0) return undefined;
  const address = value.slice(at + 1);
  return { name: value.slice(0, at), address: /^\[.*\]$/.test(address) ? address.slice(1, -1) : address };
}

/** `container[:alias]`, as opts.ValidateLink has it. */
export function checkLink(value: string): string | undefined {
  if (value === '') return 'empty string specified for links';
  return value.split(':').length > 2 ? `bad format for links: ${value}` : undefined;
}
