// --network and what belongs to it: the networks that a container joins, and what it asks of its place in each.

import { fail } from '../../base/errors.ts';
import type { EndpointRequest } from '../../spec/docker/container.ts';
import type { FlagValues } from '../command.ts';
import { goQuote } from '../values.ts';
import { csvFields } from './csv.ts';

export interface Networking {
  readonly mode: string;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

interface Attachment {
  target: string;
  aliases: readonly string[];
  links: readonly string[];
  ip: string;
  ip6: string;
  mac: string;
  linkLocal: readonly string[];
  options: Readonly<Record<string, string>>;
  priority: number;
}

/** The first network is the one that --ip, --network-alias and their like speak of. */
export function networking(flags: FlagValues): Networking {
  const given = flags.list('network').map((value) => {
    const read = attachment(value);
    return typeof read === 'string' ? fail('invalid', 'cli.network', read) : read;
  });
  const [first = { ...nowhere, target: 'default' }, ...others] = given;
  const endpoints: Record<string, EndpointRequest> = {};
  let own = false;
  let shared = false;
  for (const one of [withFlags(first, flags), ...others]) {
    if (userDefined(one.target)) own = true;
    else shared = true;
    const endpoint = endpointOf(one);
    if (Object.hasOwn(endpoints, one.target)) conflict(`network ${goQuote(one.target)} is specified multiple times`);
    if (own && shared) {
      conflict('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
    }
    endpoints[one.target] = endpoint;
  }
  // Nothing is asked of the one network that was named: its name says it all.
  const plain = given.length === 1 && Object.keys(endpoints[first.target] ?? {}).length === 0;
  return { mode: first.target, endpoints: plain ? {} : endpoints };
}

export function checkNetwork(value: string): string | undefined {
  const read = attachment(value);
  return typeof read === 'string' ? read : undefined;
}

const nowhere: Attachment = {
  target: '',
  aliases: [],
  links: [],
  ip: '',
  ip6: '',
  mac: '',
  linkLocal: [],
  options: {},
  priority: 0,
};

/** A name, or the long form `name=x,alias=y`; or what is wrong with it. */
function attachment(value: string): Attachment | string {
  if (!/\w+=\w+/.test(value)) return { ...nowhere, target: value };
  const result = { ...nowhere };
  for (const field of csvFields(value) ?? []) {
    // Docker's client reads the whole field in lower case, and so do those who know it.
    const [, key = '', text = ''] = /^([^=]+)=(.*)$/s.exec(field.toLowerCase()) ?? [];
    if (key === '') return `invalid field ${field}`;
    const problem = readField(result, key.trim(), text.trim());
    if (problem !== undefined) return problem;
  }
  return result.target === '' ? 'network name/id is not specified' : result;
}

function readField(result: Attachment, key: string, value: string): string | undefined {
  if (key === 'name') result.target = value;
  else if (key === 'alias') result.aliases = [...result.aliases, value];
  else if (key === 'ip') result.ip = value;
  else if (key === 'ip6') result.ip6 = value;
  else if (key === 'mac-address') result.mac = value;
  else if (key === 'link-local-ip') result.linkLocal = [...result.linkLocal, value];
  else if (key === 'driver-opt') {
    const [, name, text = ''] = /^([^=]+)=(.*)$/s.exec(value) ?? [];
    if (name === undefined) return 'invalid key value pair format in driver options';
    result.options = { ...result.options, [name.trim()]: text.trim() };
  } else if (key === 'gw-priority') {
    if (!/^[+-]?\d+$/.test(value)) return `invalid gw-priority (${value}): invalid syntax`;
    result.priority = Number(value);
  } else return `invalid field key ${key}`;
  return undefined;
}

function withFlags(one: Attachment, flags: FlagValues): Attachment {
  const either = (own: string | readonly string[], flag: string, what: string): void => {
    if (own.length > 0 && flags.list(flag).some((value) => value !== '')) {
      conflict(`conflicting options: cannot specify both --${flag} and per-network ${what}`);
    }
  };
  either(one.aliases, 'network-alias', 'alias');
  either(one.ip, 'ip', 'IPv4 address');
  either(one.ip6, 'ip6', 'IPv6 address');
  either(one.mac, 'mac-address', 'MAC address');
  either(one.linkLocal, 'link-local-ip', 'link-local IP addresses');
  const aliases = flags.list('network-alias');
  const linkLocal = flags.list('link-local-ip');
  return {
    ...one,
    aliases: aliases.length > 0 ? aliases : one.aliases,
    links: userDefined(one.target) ? flags.list('link') : [],
    ip: flags.string('ip') || one.ip,
    ip6: flags.string('ip6') || one.ip6,
    mac: flags.string('mac-address') || one.mac,
    linkLocal: linkLocal.length > 0 ? linkLocal : one.linkLocal,
  };
}

function endpointOf(one: Attachment): EndpointRequest {
  if (one.target.trim() === '') conflict('no name set for network');
  if (!userDefined(one.target) && one.aliases.length > 0) {
    conflict('network-scoped aliases are only supported for user-defined networks');
  }
  if (one.mac !== '' && !isMac(one.mac)) conflict(`${one.mac} is not a valid mac address`);
  const addresses = {
    ...(one.ip === '' ? {} : { IPv4Address: one.ip }),
    ...(one.ip6 === '' ? {} : { IPv6Address: one.ip6 }),
    ...(one.linkLocal.length === 0 ? {} : { LinkLocalIPs: one.linkLocal }),
  };
  return {
    ...(Object.keys(addresses).length === 0 ? {} : { IPAMConfig: addresses }),
    ...(one.links.length === 0 ? {} : { Links: one.links }),
    ...(one.aliases.length === 0 ? {} : { Aliases: one.aliases }),
    ...(one.mac === '' ? {} : { MacAddress: one.mac }),
    ...(Object.keys(one.options).length === 0 ? {} : { DriverOpts: one.options }),
    ...(one.priority === 0 ? {} : { GwPriority: one.priority }),
  };
}

function userDefined(network: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(network) && !network.startsWith('container:');
}

/** 6, 8 or 20 bytes, with colons or dashes between each, or dots between pairs. */
function isMac(text: string): boolean {
  return [6, 8, 20].some((bytes) =>
    [`[0-9a-f]{2}(:[0-9a-f]{2}){${bytes - 1}}`, `[0-9a-f]{2}(-[0-9a-f]{2}){${bytes - 1}}`]
      .concat(`[0-9a-f]{4}(\\.[0-9a-f]{4}){${bytes / 2 - 1}}`)
      .some((shape) => new RegExp(`^${shape}$`, 'i').test(text)),
  );
}

function conflict(message: string): never {
  return fail('invalid', 'cli.network', message);
}
