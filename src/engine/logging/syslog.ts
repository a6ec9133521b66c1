// The syslog driver: RFC 3164 and 5424, over UDP, TCP, TLS and unix sockets.

import { existsSync } from 'node:fs';
import { type Connection, connect, reconnecting } from './connection.ts';
import type { LogSubject, Message } from './message.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { parseSyslog, type SyslogTarget } from './syslog-options.ts';
import { udpSender } from './udp.ts';
import { type LogOptions, refuseStart } from './values.ts';

/** Where a machine's own syslog listens. */
const localSockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];

export async function syslogSink(
  options: LogOptions,
  { subject, starting, sendDatagrams }: SinkOptions,
): Promise<Sink> {
  const target = withLocal(parseSyslog(options, refuseStart));
  const frame = (message: Message): Uint8Array => framed(target, formatSyslog(target, subject, message));
  switch (target.protocol) {
    case 'udp': {
      const udp = udpSender(target);
      return {
        async send(messages) {
          for (const message of messages) await udp.send(frame(message));
        },
        close: () => udp.close(),
      };
    }
    case 'unix':
    case 'unixgram':
      return unixSink(target.path, frame, { starting, sendDatagrams });
    case 'tcp':
    case 'tls': {
      const { host, port, path, tls } = target;
      return streamSink({ protocol: target.protocol, host, port, path, tls }, frame, starting);
    }
    default:
      return refuseStart('Unix syslog delivery error');
  }
}

function withLocal(target: SyslogTarget): SyslogTarget {
  if (target.protocol !== '') return target;
  const path = localSockets.find((name) => existsSync(name));
  return path === undefined ? target : { ...target, protocol: 'unix', path };
}

async function streamSink(
  target: Parameters<typeof connect>[0],
  frame: (message: Message) => Uint8Array,
  starting: boolean,
): Promise<Sink> {
  let first: Connection | undefined;
  if (starting) first = await connect(target).catch((error: Error) => refuseStart(error.message));
  const connection = reconnecting(target, first);
  return {
    async send(messages) {
      await (await connection.get()).write(Buffer.concat(messages.map(frame)));
    },
    close: () => connection.close(),
  };
}

/** Most daemons have a datagram socket, some a stream: whichever takes it. */
async function unixSink(
  path: string,
  frame: (message: Message) => Uint8Array,
  { starting, sendDatagrams }: Pick<SinkOptions, 'sendDatagrams' | 'starting'>,
): Promise<Sink> {
  const stream = reconnecting({ protocol: 'unix', host: '', port: 0, path });
  let kind: 'datagram' | 'stream' | undefined;
  const find = async (): Promise<'datagram' | 'stream'> => {
    try {
      await stream.get();
      return 'stream';
    } catch {
      await sendDatagrams(path, []);
      return 'datagram';
    }
  };
  if (starting) kind = await find().catch(() => refuseStart('Unix syslog delivery error'));
  return {
    async send(messages) {
      kind ??= await find();
      if (kind === 'datagram') await sendDatagrams(path, messages.map(frame));
      else await (await stream.get()).write(Buffer.concat(messages.map(frame)));
    },
    close: () => stream.close(),
  };
}

/** Each message ends with a newline, which is what separates them in a stream; TLS counts its octets (RFC 5425). */
function framed({ protocol, format }: SyslogTarget, message: Buffer): Uint8Array {
  const line = message.at(-1) === 10 ? message : Buffer.concat([message, Buffer.from('\n')]);
  if (protocol !== 'tls' || !format.startsWith('rfc5424')) return line;
  return Buffer.concat([Buffer.from(`${line.length} `), line]);
}

const severities = { stdout: 6, stderr: 3 } as const;

function formatSyslog(
  { protocol, facility, format }: Pick<SyslogTarget, 'facility' | 'format' | 'protocol'>,
  subject: Pick<LogSubject, 'hostname' | 'tag'>,
  { stream, time, line }: Message,
): Buffer {
  const priority = facility * 8 + severities[stream];
  const { tag } = subject;
  const { pid } = process;
  const local = format === '' && (protocol === 'unix' || protocol === 'unixgram');
  const head =
    format === 'rfc5424' || format === 'rfc5424micro'
      ? `<${priority}>1 ${rfc3339(time, format === 'rfc5424micro')} ${subject.hostname} ${tag} ${pid} ${tag} - `
      : local
        ? `<${priority}>${stamp(time)} ${tag}[${pid}]: `
        : `<${priority}>${stamp(time)} ${subject.hostname} ${tag}[${pid}]: `;
  return Buffer.concat([Buffer.from(head), line]);
}

function rfc3339(time: string, micro: boolean): string {
  return micro ? `${time.slice(0, 19)}.${time.slice(20, 26).padEnd(6, '0')}Z` : `${time.slice(0, 19)}Z`;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `Nov  2 15:04:05`, local time: the old format knows no other. */
function stamp(time: string): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}
