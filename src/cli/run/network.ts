// --network, --dns, --dns-search, --add-host: Docker's checks and their words.

import { isIP } from 'node:net';
import { fail } from '../../base/errors.ts';
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

const networkKeys = ['name', 'alias', 'ip', 'ip6', 'mac-address', 'link-local-ip', 'driver-opt', 'gw-priority'];

/** A name, or the long form `name=x,alias=y`. */
export function checkNetwork(value: string): string | undefined {
  if (!value.includes('=')) return undefined;
  for (const field of value.split(',')) {
    if (!field.includes('=')) return `invalid field ${field}`;
    const key = field.split('=', 1)[0] ?? '';
    if (!networkKeys.includes(key.trim().toLowerCase())) return `invalid field key ${key}`;
  }
  return undefined;
}

/** The network mode; one network, of the four that are built. */
export function networkMode(values: readonly string[]): string {
  const [first = 'default', second] = values.map(networkName);
  if (second !== undefined)
    fail('unsupported', 'cli.refused', 'only one --network is supported yet: user networks are not built');
  if (first.startsWith('container:') && first !== 'container:') return first;
  if (['default', 'bridge', 'none', 'host', ''].includes(first)) return first === '' ? 'default' : first;
  if (first === 'container:') fail('invalid', 'cli.network', 'invalid container format container:<name|id>');
  return fail('unsupported', 'cli.refused', `network ${first} is not supported yet: user networks are not built`, {
    hint: 'bridge, none, host and container:NAME are',
  });
}

function networkName(value: string): string {
  if (!value.includes('=')) return value;
  let name = '';
  for (const field of value.split(',')) {
    const [key = '', text = ''] = field.split('=', 2);
    if (key.trim().toLowerCase() === 'name') name = text.trim();
    else fail('unsupported', 'cli.refused', `--network ${key} is not supported yet: user networks are not built`);
  }
  return name;
}

/** `container[:alias]`, as opts.ValidateLink has it. */
export function checkLink(value: string): string | undefined {
  if (value === '') return 'empty string specified for links';
  return value.split(':').length > 2 ? `bad format for links: ${value}` : undefined;
}
