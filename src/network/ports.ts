// Host ports: from what -p, -P and EXPOSE ask for to the ports that a starting container gets. Pure: which ports are held
// by other containers, and which by programs of the host, comes in.

import { fail } from '../base/errors.ts';
import type { PortMap, PortSet } from '../spec/docker/container.ts';
import { formatAddress, parseAddress } from './address.ts';

export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  /** `0.0.0.0` for every address. */
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface PortRequest {
  readonly bindings: PortMap;
  /** Published on ports of our choice with -P. */
  readonly exposed: PortSet;
  readonly publishAll: boolean;
  /** Whether the container has an IPv6 address to publish. */
  readonly ipv6: boolean;
  /** Where ports are published that name no address of the host (default 0.0.0.0). */
  readonly anyAddress?: string;
}

export interface PortsInUse {
  /** Published by containers that run. */
  readonly held: readonly PublishedPort[];
  /** Used by programs of the host: see `hostPorts`. Looked at only where there is a choice. */
  readonly host: (protocol: PublishedPort['protocol']) => ReadonlySet<number>;
}

/** IANA's dynamic ports, as Docker falls back on; below them are the ones that the kernel gives to clients. */
const firstDynamic = 49153;
const lastPort = 65535;

/**
 * Fails with `port.invalid`, and with `port.allocated` where another container has the port. Whether a program of the host
 * has it shows when the keeper binds it.
 */
export function assignPorts(request: PortRequest, inUse: PortsInUse): PublishedPort[] {
  const { anyAddress = '0.0.0.0' } = request;
  const assigned: PublishedPort[] = [];
  const wanted = Object.entries(request.bindings).flatMap(([spec, list]) =>
    (list ?? []).map((binding) => ({
      ...parseSpec(spec),
      address: hostAddress(binding.HostIp || anyAddress, request.ipv6),
      ...parseRange(binding.HostPort),
    })),
  );
  if (request.publishAll) {
    for (const spec of Object.keys(request.exposed)) {
      if (request.bindings[spec]?.length) continue;
      wanted.push({ ...parseSpec(spec), address: anyAddress, ...parseRange('') });
    }
  }
  // What is asked for exactly goes first, so that a choice never takes it away
  for (const one of wanted.sort((a, b) => a.last - a.first - (b.last - b.first) || a.containerPort - b.containerPort)) {
    assigned.push(assign(one, [...inUse.held, ...assigned], inUse.host));
  }
  return assigned.sort((a, b) => a.containerPort - b.containerPort || a.hostPort - b.hostPort);
}

interface Wanted {
  readonly containerPort: number;
  readonly protocol: PublishedPort['protocol'];
  readonly address: string;
  readonly first: number;
  readonly last: number;
}

function assign(wanted: Wanted, held: readonly PublishedPort[], host: PortsInUse['host']): PublishedPort {
  const { containerPort, protocol, address, first, last } = wanted;
  const taken = new Set<number>();
  for (const one of held) {
    if (one.protocol === protocol && (one.hostIp === address || isAny(one.hostIp) || isAny(address)))
      taken.add(one.hostPort);
  }
  if (first === last) {
    if (taken.has(first))
      fail('conflict', 'port.allocated', `Bind for ${withPort(address, first)} failed: port is already allocated`);
    return { containerPort, protocol, hostIp: address, hostPort: first };
  }
  const busy = host(protocol);
  for (let port = first; port <= last; port++) {
    if (!taken.has(port) && !busy.has(port)) return { containerPort, protocol, hostIp: address, hostPort: port };
  }
  return fail(
    'conflict',
    'port.allocated',
    `Bind for ${withPort(address, first)}-${last} failed: all ports are allocated`,
  );
}

/** Ports in a table of /proc/net (tcp, tcp6, udp, udp6): those that somebody is bound to on this side. */
export function hostPorts(table: string): Set<number> {
  const ports = new Set<number>();
  for (const [, port] of table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm))
    ports.add(Number.parseInt(port ?? '', 16));
  return ports;
}

/** `0.0.0.0:8080`, `[::1]:8080` */
export function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** `80/tcp`, `80` */
function parseSpec(spec: string): Pick<Wanted, 'containerPort' | 'protocol'> {
  const [, port = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(\w+))?$/.exec(spec) ?? [];
  if (!isPort(Number(port)) || port === '')
    fail('invalid', 'port.invalid', `invalid container port ${JSON.stringify(spec)}: use the form 80/tcp`);
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')
    fail('invalid', 'port.invalid', `invalid proto: ${protocol}`);
  return { containerPort: Number(port), protocol };
}

/** '' and 0 mean any. */
function parseRange(text: string): Pick<Wanted, 'first' | 'last'> {
  if (text === '' || text === '0') return { first: firstDynamic, last: lastPort };
  const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === '' || !isPort(first) || !isPort(last) || first > last) {
    fail(
      'invalid',
      'port.invalid',
      `invalid host port ${JSON.stringify(text)}: use a number from 1 to 65535, or a range of them`,
    );
  }
  return { first, last };
}

function isPort(port: number): boolean {
  return port >= 1 && port <= lastPort;
}

function hostAddress(text: string, ipv6: boolean): string {
  if (text === '') return '0.0.0.0';
  const address = parseAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (address === undefined) fail('invalid', 'port.invalid', `invalid IP address: ${text}`);
  if (address.length === 16 && !ipv6) {
    fail('unsupported', 'port.no_ipv6', `cannot publish a port on ${text}: the container has no IPv6 address`);
  }
  return formatAddress(address);
}
