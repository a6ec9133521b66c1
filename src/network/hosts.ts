// The three files that tell a container who it is and whom to ask: /etc/hosts, /etc/resolv.conf, /etc/hostname. Pure texts.

import { fail } from '../base/errors.ts';
import { parseAddress } from './address.ts';

export interface HostsOptions {
  /** The container's own addresses; none with --network none. */
  readonly addresses: readonly string[];
  readonly hostname: string;
  readonly domainname: string;
  /** --add-host: `name:ip`, `name=ip`; the ip may be `host-gateway`. */
  readonly extraHosts: readonly string[];
  /** What `host-gateway` stands for: the bridge's address. */
  readonly hostGateway: string | undefined;
  /** --link: other containers and their names. */
  readonly links?: readonly { readonly address: string; readonly names: readonly string[] }[];
}

/** Fails with `network.bad_host` for an --add-host that is none. */
export function hostsFile({
  addresses,
  hostname,
  domainname,
  extraHosts,
  hostGateway,
  links = [],
}: HostsOptions): string {
  const names = domainname === '' ? hostname : `${hostname}.${domainname} ${hostname}`;
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    ...extraHosts.map((entry) => extraHost(entry, hostGateway)),
    ...links.map((link) => `${link.address}\t${link.names.join(' ')}`),
    ...addresses.map((address) => `${address}\t${names}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** --network host: the host's own file, and what --add-host adds. */
export function hostsFileOfHost(host: string, extraHosts: readonly string[]): string {
  const own = host === '' || host.endsWith('\n') ? host : `${host}\n`;
  return own + extraHosts.map((entry) => `${extraHost(entry, '127.0.0.1')}\n`).join('');
}

function extraHost(entry: string, hostGateway: string | undefined): string {
  const [, name = '', value = ''] = /^([^:=\s]+)[:=](\S+)$/.exec(entry) ?? [];
  if (name === '') fail('invalid', 'network.bad_host', `bad format for add-host: ${JSON.stringify(entry)}`);
  if (value === 'host-gateway') {
    if (hostGateway === undefined) {
      fail(
        'invalid',
        'network.bad_host',
        `unable to derive the IP value for host-gateway in add-host ${JSON.stringify(entry)}`,
      );
    }
    return `${hostGateway}\t${name}`;
  }
  const address = value.replace(/^\[(.*)\]$/, '$1');
  if (parseAddress(address) === undefined)
    fail('invalid', 'network.bad_host', `invalid IP address in add-host: ${JSON.stringify(value)}`);
  return `${address}\t${name}`;
}

export interface ResolvOptions {
  /** Text of the host's /etc/resolv.conf, '' where there is none. */
  readonly host: string;
  /** Text of /run/systemd/resolve/resolv.conf, used where the host's names only the local stub 127.0.0.53. */
  readonly resolved: string | undefined;
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
  /** Who passes questions on to what the host itself asks, where that is on its loopback (pasta). */
  readonly forwarder?: string | undefined;
  /** Whether the container can reach IPv6 nameservers. */
  readonly ipv6: boolean;
}

/** resolv.conf of a container with a network namespace of its own: a loopback nameserver of the host is of no use there. */
export function resolvFile({ host, resolved, dns, search, options, ipv6, forwarder }: ResolvOptions): string {
  let source = parseResolv(host);
  if (
    resolved !== undefined &&
    source.nameservers.length > 0 &&
    source.nameservers.every((one) => one === '127.0.0.53')
  ) {
    source = parseResolv(resolved);
  }
  const usable = source.nameservers.filter((one) => !isLoopback(one) && (ipv6 || !one.includes(':')));
  const nameservers = dns.length > 0 ? dns : usable.length > 0 ? usable : forwarder ? [forwarder] : fallbackNameservers;
  return writeResolv(nameservers, override(search, source.search), override(options, source.options));
}

/** --network host: the host's file as it is, unless something is asked for. */
export function resolvFileOfHost({
  host,
  dns,
  search,
  options,
}: Pick<ResolvOptions, 'host' | 'dns' | 'search' | 'options'>): string {
  if (dns.length + search.length + options.length === 0) return host;
  const source = parseResolv(host);
  return writeResolv(
    dns.length > 0 ? dns : source.nameservers,
    override(search, source.search),
    override(options, source.options),
  );
}

/** resolv.conf of a container with name service: the engine answers, and asks others for what it does not know. */
export function resolvFileOfEngine({
  host,
  search,
  options,
}: Pick<ResolvOptions, 'host' | 'search' | 'options'>): string {
  const source = parseResolv(host);
  const own = override(options, source.options);
  const dots = own.some((one) => one.startsWith('ndots:')) ? [] : ['ndots:0'];
  return writeResolv(['127.0.0.11'], override(search, source.search), [...own, ...dots]);
}

/** The name servers of a resolv.conf. */
export function nameserversOf(text: string): readonly string[] {
  return parseResolv(text).nameservers;
}

export function hostnameFile(hostname: string): string {
  return `${hostname}\n`;
}

/** Docker's: where the host has nothing to offer, a public resolver. */
const fallbackNameservers: readonly string[] = ['8.8.8.8', '8.8.4.4'];

/** `--dns-search .` means none at all. */
function override(asked: readonly string[], own: readonly string[]): readonly string[] {
  return asked.length === 0 ? own : asked.filter((one) => one !== '.');
}

function writeResolv(nameservers: readonly string[], search: readonly string[], options: readonly string[]): string {
  const lines = [
    '# Generated by Hoist from the host file and the --dns flags.',
    ...nameservers.map((one) => `nameserver ${one}`),
  ];
  if (search.length > 0) lines.push(`search ${search.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/** resolv.conf(5): the last `search` (or `domain`) counts, options add up. */
function parseResolv(text: string): { nameservers: string[]; search: string[]; options: string[] } {
  const found = { nameservers: [] as string[], search: [] as string[], options: [] as string[] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined && parseAddress(values[0].replace(/%.*$/, '')))
      found.nameservers.push(values[0]);
    else if (keyword === 'search' || keyword === 'domain') found.search = values;
    else if (keyword === 'options') found.options.push(...values);
  }
  return found;
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
