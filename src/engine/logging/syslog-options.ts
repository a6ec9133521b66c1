// The options of the syslog driver. Pure but for one look: whether a named socket is there.

import { statSync } from 'node:fs';
import { goBool, type LogOptions, type Refuse } from './values.ts';

export interface SyslogTarget {
  /** `''`: the machine's own, wherever it listens. */
  readonly protocol: '' | 'tcp' | 'tls' | 'udp' | 'unix' | 'unixgram';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly facility: number;
  readonly format: '' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly verify: boolean;
  };
}

const facilities = 'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp'.split(' ');
const formats = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const;

export function parseSyslog(options: LogOptions, refuse: Refuse): SyslogTarget {
  const address = addressOf(options['syslog-address'] ?? '', refuse);
  const facility = facilityOf(options['syslog-facility'], refuse);
  const format = formats.find((one) => one === (options['syslog-format'] ?? '')) ?? refuse('Invalid syslog format');
  const skip = options['syslog-tls-skip-verify'];
  return {
    ...address,
    facility,
    format,
    tls: {
      ca: options['syslog-tls-ca-cert'],
      cert: options['syslog-tls-cert'],
      key: options['syslog-tls-key'],
      // As Docker: that it is given is what counts, unless it says no.
      verify: skip === undefined || skip === '' || !goBool(skip, () => true as never),
    },
  };
}

function addressOf(text: string, refuse: Refuse): Pick<SyslogTarget, 'protocol' | 'host' | 'port' | 'path'> {
  const none = { host: '', port: 0, path: '' };
  if (text === '') return { ...none, protocol: '' };
  const [, scheme = '', rest = ''] = /^([a-z+]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' || scheme === 'unixgram') {
    try {
      statSync(rest);
    } catch {
      refuse(`stat ${rest}: no such file or directory`);
    }
    return { ...none, protocol: scheme, path: rest };
  }
  const protocol = { udp: 'udp', tcp: 'tcp', 'tcp+tls': 'tls' }[scheme] as 'udp' | 'tcp' | 'tls' | undefined;
  if (protocol === undefined) return refuse(`unsupported scheme: '${scheme}'`);
  const { host, port } = hostAndPort(rest, 514, refuse);
  return { protocol, host, port, path: '' };
}

/** `host`, `host:port`, `[::1]:port`. */
export function hostAndPort(
  text: string,
  defaultPort: number | undefined,
  refuse: Refuse,
): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:/]*))(?::(\d{1,5}))?\/?$/.exec(text);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (match === null || port === undefined || port > 65_535) return refuse(`address ${text}: missing port in address`);
  return { host: match[1] ?? match[2] ?? '', port };
}

function facilityOf(text: string | undefined, refuse: Refuse): number {
  if (text === undefined || text === '') return facilities.indexOf('daemon');
  if (facilities.includes(text)) return facilities.indexOf(text);
  const local = /^local([0-7])$/.exec(text);
  if (local !== null) return 16 + Number(local[1]);
  return /^\d{1,2}$/.test(text) && Number(text) <= 23 ? Number(text) : refuse('invalid syslog facility');
}
