// -p and --expose: Docker's port grammar (go-connections/nat) and its words for what is wrong.

import { isIP } from 'node:net';
import { fail, isHoistError } from '../../base/errors.ts';
import type { PortBinding, PortMap, PortSet } from '../../spec/docker/container.ts';
import { parseUint } from '../values.ts';

const protocols = ['tcp', 'udp', 'sctp'];

export interface Ports {
  readonly exposed: PortSet;
  readonly bindings: PortMap;
}

export function ports(published: readonly string[], expose: readonly string[]): Ports {
  const exposed: Record<string, Record<string, never>> = {};
  const bindings: Record<string, PortBinding[]> = {};
  for (const spec of published) {
    for (const [port, binding] of publish(spec)) {
      exposed[port] = {};
      bindings[port] = [...(bindings[port] ?? []), binding];
    }
  }
  for (const spec of expose) for (const port of exposeRange(spec)) exposed[port] = {};
  return { exposed, bindings };
}

/** `[ip:][hostPort[-range]:]containerPort[-range][/proto]` */
function publish(text: string): readonly (readonly [string, PortBinding])[] {
  const spec = text.includes('=') ? longForm(text) : text;
  const parts = spec.split(':');
  const [containerPart, proto] = splitProto(parts.at(-1) ?? '');
  const hostPart = parts.length > 1 ? (parts.at(-2) ?? '') : '';
  const ip = hostAddress(parts.slice(0, -2).join(':'));
  if (containerPart === '') invalid(`no port specified: ${spec}<empty>`);
  const inside = range(containerPart) ?? invalid(`invalid containerPort: ${containerPart}`);
  const outside = hostPart === '' ? undefined : (range(hostPart) ?? invalid(`invalid hostPort: ${hostPart}`));
  const sameLength = outside === undefined || outside.end - outside.start === inside.end - inside.start;
  if (!sameLength && inside.end !== inside.start) {
    invalid(`invalid ranges specified for container and host Ports: ${containerPart} and ${hostPart}`);
  }
  if (!protocols.includes(proto)) invalid(`invalid proto: ${proto}`);
  return Array.from({ length: inside.end - inside.start + 1 }, (_, i) => {
    const HostPort = outside === undefined ? '' : sameLength ? String(outside.start + i) : hostPart;
    return [`${inside.start + i}/${proto}`, { HostIp: ip, HostPort }] as const;
  });
}

function hostAddress(text: string): string {
  const ip = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (ip !== '' && isIP(ip) === 0) invalid(`invalid IP address: ${text}`);
  return ip;
}

/** `target=80,published=8080,protocol=udp,host_ip=…` as the short form. */
function longForm(text: string): string {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const [key = '', value] = field.split('=', 2);
    if (value === undefined || value === '') invalid(`invalid field ${field}`);
    fields.set(key, value ?? '');
  }
  const host = fields.get('published') ?? '';
  return `${host === '' ? '' : `${host}:`}${fields.get('target') ?? ''}/${fields.get('protocol') ?? 'tcp'}`;
}

function exposeRange(text: string): readonly string[] {
  if (text.includes(':')) invalid(`invalid port format for --expose: ${text}`);
  const [part, proto] = splitProto(text);
  const reason = (why: string): never => invalid(`invalid range format for --expose: ${text}, error: ${why}`);
  if (part === '') reason('empty string specified for ports');
  if (!protocols.includes(proto)) invalid(`invalid proto: ${proto}`);
  try {
    const [start = 0, end = start] = part.split('-', 2).map((port) => parseUint(port, 16));
    if (end < start) reason(`invalid range specified for port: ${part}`);
    return Array.from({ length: end - start + 1 }, (_, i) => `${start + i}/${proto}`);
  } catch (error) {
    if (isHoistError(error, 'cli.value')) return reason(error.message);
    throw error;
  }
}

function splitProto(text: string): readonly [string, string] {
  const [port = '', proto = ''] = text.split('/', 2);
  return [port, proto === '' ? 'tcp' : proto.toLowerCase()];
}

function range(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const start = Number(match[1]);
  const end = match[2] === undefined ? start : Number(match[2]);
  return start > end || end > 65535 ? undefined : { start, end };
}

function invalid(message: string): never {
  return fail('invalid', 'cli.port', message);
}
