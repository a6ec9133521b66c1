// The options of the gelf driver. Pure.

import { hostAndPort } from './syslog-options.ts';

import type { LogOptions, Refuse } from './values.ts';

export interface GelfTarget {
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly compression: 'gzip' | 'none' | 'zlib';
  /** -1 to 9, as zlib counts. */
  readonly level: number;
  /** TCP: the wait between attempts, and how many; not said: as for every driver. */
  readonly retryMs: number | undefined;
  readonly maxRetries: number | undefined;
}

export function parseGelf(options: LogOptions, refuse: Refuse): GelfTarget {
  const address = options['gelf-address'] ?? '';
  if (address === '') refuse('gelf-address is a required parameter');
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/.exec(address) ?? [];
  if (scheme !== 'udp' && scheme !== 'tcp') refuse('gelf: endpoint needs to be TCP or UDP');
  const unclear: Refuse = () => refuse('gelf: please provide gelf-address as proto://host:port');
  const { host, port } = hostAndPort(rest, undefined, unclear);
  const { 'gelf-compression-type': type, 'gelf-compression-level': level } = options;
  if (scheme === 'tcp' && (type !== undefined || level !== undefined)) refuse('compression is only supported on UDP');
  if (type !== undefined && !['gzip', 'none', 'zlib'].includes(type))
    refuse(`unknown value "${type}" for log opt "gelf-compression-type" for gelf log driver`);
  if (level !== undefined && !/^(-1|\d)$/.test(level))
    refuse(`unknown value "${level}" for log opt "gelf-compression-level" for gelf log driver`);
  for (const name of ['gelf-tcp-max-reconnect', 'gelf-tcp-reconnect-delay']) {
    const value = options[name];
    if (value === undefined) continue;
    if (scheme === 'udp') refuse(`"${name}" is only valid for TCP`);
    if (!/^\d+$/.test(value)) refuse(`"${name}" must be a positive integer`);
  }
  return {
    protocol: scheme as 'tcp' | 'udp',
    host,
    port,
    compression: (type ?? (scheme === 'udp' ? 'gzip' : 'none')) as GelfTarget['compression'],
    level: level === undefined ? 1 : Number(level),
    retryMs: scaled(options['gelf-tcp-reconnect-delay'], 1000),
    maxRetries: scaled(options['gelf-tcp-max-reconnect'], 1),
  };
}

const scaled = (text: string | undefined, unit: number): number | undefined =>
  text === undefined ? undefined : Number(text) * unit;
