// Published ports of a container: what puts them into the firewall's maps and takes them out, and the sockets by which its
// keeper holds them against other programs of the host. Ops, computed purely; `sweepPorts` runs some.

import { HoistError } from '../base/errors.ts';
import { forgetFlowsTo, forgetUnansweredUdp } from '../plan/conntrack.ts';
import { dumpPublications, type Publication, publish, readPublications, unpublish } from '../plan/nftables.ts';
import { k, type Op, op } from '../plan/ops.ts';
import { errnoName } from '../sys/errno.ts';
import type { Executor } from '../sys/executor.ts';
import { formatAddress, parseAddress } from './address.ts';
import { type Bridge, runOps } from './bridge.ts';
import { isAny, type PublishedPort, withPort } from './ports.ts';

/** Who has ports: an address in a container. */
export interface Publisher {
  readonly address: string;
  readonly ports?: readonly PublishedPort[];
}

export function publishOps(bridge: Bridge, { address, ports = [] }: Publisher): Op[] {
  const bytes = parseAddress(address);
  if (bytes === undefined || ports.length === 0) return [];
  return [
    publish(bridge.table, publications(bytes, ports), `published: ${describePorts(ports)}`),
    ...ports
      .filter(({ protocol }) => protocol === 'udp')
      .map(({ hostPort }) =>
        forgetUnansweredUdp(hostPort, bytes, `clients that sent to ${hostPort}/udp before find it now`),
      ),
  ];
}

/** What outlives the network namespace: its ports. The veth goes with the namespace, by itself. */
export function unpublishOps(bridge: Bridge, { address, ports = [] }: Publisher): Op[] {
  const bytes = parseAddress(address);
  if (bytes === undefined || ports.length === 0) return [];
  const udp = ports.some(({ protocol }) => protocol === 'udp');
  return [
    unpublish(bridge.table, publications(bytes, ports), `no longer published: ${describePorts(ports)}`),
    ...(udp ? [forgetFlowsTo(bytes, `clients of ${address} that keep sending are to find the next container`)] : []),
  ];
}

/** Takes away ports that no container holds any more: those of keepers that were killed. Returns how many. */
export async function sweepPorts(
  executor: Executor,
  bridge: Bridge,
  holders: () => readonly Publisher[],
): Promise<number> {
  // looked at before `holders` is asked: who publishes meanwhile is among them
  const found = (await runOps(executor, dumpPublications(bridge.table))).flatMap(readPublications);
  const key = (one: Publication): string =>
    [
      one.protocol,
      one.hostAddress?.join('.') ?? '',
      one.hostPort,
      one.containerAddress.join('.'),
      one.containerPort,
    ].join(' ');
  const held = new Set(
    holders().flatMap(({ address, ports = [] }) => publications(parseAddress(address) ?? none, ports).map(key)),
  );
  const leaked = found.filter((one) => !held.has(key(one)));
  if (leaked.length > 0) await runOps(executor, [unpublish(bridge.table, leaked, 'ports of containers that are gone')]);
  return leaked.length;
}

/**
 * The sentence for a failed op of `bindOps`, in the words of Docker; undefined where the failure is no affair of ports.
 */
export function explainPortFailure(failed: Op | undefined, errno: number): HoistError | undefined {
  if (failed?.op !== 'bindPort') return undefined;
  const place = `${withPort(formatAddress(failed.address), failed.port)}/${failed.type === k.SOCK_DGRAM ? 'udp' : 'tcp'}`;
  if (errno === k.EADDRINUSE) {
    return new HoistError('conflict', 'port.in_use', `failed to bind host port ${place}: address already in use`, {
      hint: 'another program of this host has the port: `ss -lnp` names it',
    });
  }
  if (errno === k.EACCES) {
    return new HoistError('invalid', 'port.privileged', `failed to bind host port ${place}: permission denied`, {
      hint: `ports below net.ipv4.ip_unprivileged_port_start are root's: take one above, or let root run: sysctl -w net.ipv4.ip_unprivileged_port_start=${failed.port}`,
    });
  }
  if (errno === EADDRNOTAVAIL) {
    return new HoistError(
      'invalid',
      'port.no_such_address',
      `failed to bind host port ${place}: this host has no such address`,
    );
  }
  return new HoistError('system', 'port.not_bound', `failed to bind host port ${place}: ${errnoName(errno)}`);
}

const EADDRNOTAVAIL = 99;

/** The keeper holds the host's port by a bound socket as long as the container runs: no program can take it meanwhile. */
export function bindOps({ protocol, hostIp, hostPort }: PublishedPort, index: number, listens = false): Op[] {
  const address = parseAddress(hostIp);
  // Node and the op table know no SCTP sockets; the map alone keeps two containers apart there
  if (address === undefined || protocol === 'sctp') return [];
  const type = protocol === 'udp' ? k.SOCK_DGRAM : k.SOCK_STREAM;
  const family = address.length === 4 ? k.AF_INET : k.AF_INET6;
  const reuse = listens && protocol === 'tcp' ? 1 : 0;
  const why = `no other program takes ${withPort(hostIp, hostPort)}/${protocol} meanwhile`;
  return [op('bindPort', { family, type, address, port: hostPort, reuse, out: `port${index}` }, why)];
}

/** For a bridge that the host's own packets do not reach: what comes to the ports of `bindOps` is passed on. */
export function forwardOps({ address, ports = [] }: Publisher): Op[] {
  const bytes = parseAddress(address);
  const held = ports.flatMap(({ protocol, containerPort }, index) =>
    protocol === 'sctp' ? [] : [{ index, containerPort }],
  );
  if (bytes?.length !== 4 || held.length === 0) return [];
  const from = held.map(({ index }, place) => ({ offset: place * 6, slot: `port${index}` }));
  const to = Buffer.concat(
    held.map(({ containerPort }) => Buffer.from([...bytes, containerPort >> 8, containerPort & 0xff])),
  );
  return [op('forward', { from, to }, `passed on from the host: ${describePorts(ports)}`)];
}

function publications(containerAddress: Uint8Array, ports: readonly PublishedPort[]): Publication[] {
  return ports.map(({ protocol, hostIp, hostPort, containerPort }) => ({
    protocol,
    hostAddress: isAny(hostIp) ? undefined : parseAddress(hostIp),
    hostPort,
    containerAddress,
    containerPort,
  }));
}

function describePorts(ports: readonly PublishedPort[]): string {
  return ports.map((one) => `${withPort(one.hostIp, one.hostPort)}->${one.containerPort}/${one.protocol}`).join(', ');
}

const none = new Uint8Array();
