// The options of the fluentd driver. Pure.

import { goBool, goDuration, goInt, goSize, type LogOptions, type Refuse } from './values.ts';

export interface FluentdTarget {
  readonly protocol: 'tcp' | 'tls' | 'unix';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** The start does not wait for a connection. */
  readonly async: boolean;
  readonly acknowledged: boolean;
  readonly subSecond: boolean;
  readonly retryWaitMs: number;
  readonly maxRetries: number;
  /** A connection older than this is made anew: its name may lead elsewhere by now. */
  readonly reconnectMs: number | undefined;
  /** How long the target may take to take what is sent; 0: for ever. */
  readonly writeMs: number;
}

export function parseFluentd(options: LogOptions, refuse: Refuse): FluentdTarget {
  const bool = (name: string): boolean => options[name] !== undefined && goBool(options[name] ?? '', refuse);
  const { 'fluentd-retry-wait': wait, 'fluentd-max-retries': retries, 'fluentd-buffer-limit': limit } = options;
  const { 'fluentd-async-reconnect-interval': interval, 'fluentd-write-timeout': timeout } = options;
  if (limit !== undefined) goSize(limit, refuse);
  let reconnectMs: number | undefined;
  if (interval !== undefined) {
    const named: Refuse = (why) => refuse(`invalid value for fluentd-async-reconnect-interval: ${why}`);
    reconnectMs = goDuration(interval, named);
    if (reconnectMs < 100 || reconnectMs > 10_000)
      named(`value (${JSON.stringify(interval)}) must be between 100ms and 10s`);
  }
  const noDuration: Refuse = (why) =>
    refuse(`invalid value for fluentd-write-timeout: value must be a duration: ${why}`);
  return {
    ...addressOf(options['fluentd-address'] ?? '', refuse),
    async: bool('fluentd-async'),
    acknowledged: bool('fluentd-request-ack'),
    subSecond: bool('fluentd-sub-second-precision'),
    retryWaitMs: wait === undefined || wait === '' ? 1000 : goDuration(wait, refuse),
    maxRetries:
      retries === undefined || retries === '' ? Number.POSITIVE_INFINITY : goInt(retries, refuse, 'ParseUint'),
    reconnectMs,
    writeMs: timeout === undefined ? 0 : Math.max(0, goDuration(timeout, noDuration)),
  };
}

function addressOf(text: string, refuse: Refuse): Pick<FluentdTarget, 'protocol' | 'host' | 'port' | 'path'> {
  const local = { protocol: 'tcp', host: '127.0.0.1', port: 24_224, path: '' } as const;
  if (text === '') return local;
  const full = text.includes('://') ? text : `tcp://${text}`;
  const invalid = (why: string): never => refuse(`invalid fluentd-address (${text}): ${why}`);
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(full) ?? [];
  if (scheme === 'unix') return rest === '' ? invalid('path is empty') : { ...local, protocol: 'unix', path: rest };
  if (scheme !== 'tcp' && scheme !== 'tls') return invalid('unsupported scheme');
  const match = /^(?:\[([^\]]*)\]|([^:/]*))(?::([^/]*))?(\/.*)?$/.exec(rest);
  if (match?.[4] !== undefined && match[4] !== '/') return invalid('should not contain a path element');
  const port = match?.[3] ?? '24224';
  if (!/^\d{1,5}$/.test(port)) return invalid(`parse ${JSON.stringify(full)}: invalid port ":${port}" after host`);
  const host = match?.[1] ?? match?.[2] ?? '';
  return { protocol: scheme, host: host === '' ? '127.0.0.1' : host, port: Number(port), path: '' };
}
