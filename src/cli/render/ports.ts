// The PORTS column: `443/tcp, 0.0.0.0:9000-9002->9000-9002/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`.

import type { PortSummary } from '../../spec/docker/container.ts';

interface Range {
  first: number;
  last: number;
}

/** Neighbouring ports with the same address and distance become a range, as in Docker's client. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const groups = new Map<string, Range>();
  const done: string[] = [];
  const hosts: string[] = [];
  const order: string[] = [];
  const text = (key: string, range: Range): string => {
    const [ip = '', proto = ''] = key.split(' ');
    const span = range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
    return ip === '' ? `${span}/${proto}` : `${bracketed(ip)}:${span}->${span}/${proto}`;
  };
  for (const port of [...ports].sort(comparePorts)) {
    const { IP = '', PublicPort = 0, PrivatePort, Type } = port;
    if (IP !== '' && PublicPort !== PrivatePort) {
      hosts.push(`${bracketed(IP)}:${PublicPort}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = `${IP} ${Type}`;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { first: PrivatePort, last: PrivatePort });
      order.push(key);
    } else if (PrivatePort === group.last + 1) group.last = PrivatePort;
    else {
      done.push(text(key, group));
      groups.set(key, { first: PrivatePort, last: PrivatePort });
    }
  }
  const rest = order.map((key) => text(key, groups.get(key) ?? { first: 0, last: 0 }));
  return [...done, ...rest, ...hosts].join(', ');
}

function bracketed(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compare(a.IP ?? '', b.IP ?? '') ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compare(a.Type, b.Type)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
