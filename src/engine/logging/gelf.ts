// The gelf driver: Graylog's JSON, over UDP (compressed, in chunks) or TCP (ended by a NUL).

import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { type Connection, connect, reconnecting } from './connection.ts';
import { type GelfTarget, parseGelf } from './gelf-options.ts';
import { type LogSubject, type Message, nanoseconds } from './message.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { udpSender } from './udp.ts';
import { type LogOptions, refuseStart } from './values.ts';

/** What passes every network in one piece. */
const chunkBytes = 1420;
const maxChunks = 128;

export async function gelfSink(options: LogOptions, { subject, starting }: SinkOptions): Promise<Sink> {
  const target = parseGelf(options, refuseStart);
  const { host, port } = target;
  if (target.protocol === 'udp') {
    const udp = udpSender(target);
    return {
      async send(messages) {
        for (const message of messages) {
          if (message.line.length === 0) continue;
          for (const datagram of gelfDatagrams(compressed(target, gelfJson(subject, message))))
            await udp.send(datagram);
        }
      },
      close: () => udp.close(),
    };
  }
  const stream = { protocol: 'tcp', host, port, path: '' } as const;
  let first: Connection | undefined;
  if (starting) {
    first = await connect(stream).catch((error: Error) =>
      refuseStart(`gelf: cannot connect to GELF endpoint: ${host}:${port} ${error.message}`),
    );
  }
  const connection = reconnecting(stream, first);
  return {
    async send(messages) {
      const bytes = messages
        .filter(({ line }) => line.length > 0)
        .flatMap((message) => [gelfJson(subject, message), Buffer.of(0)]);
      if (bytes.length > 0) await (await connection.get()).write(Buffer.concat(bytes));
    },
    close: () => connection.close(),
  };
}

const levels = { stdout: 6, stderr: 3 } as const;

function gelfJson(subject: LogSubject, { stream, time, line }: Message): Buffer {
  const extra = Object.entries(subject.extra).map(([name, value]) => [`_${name}`, value] as const);
  return Buffer.from(
    JSON.stringify({
      version: '1.1',
      host: subject.hostname,
      short_message: Buffer.from(line).toString('utf8'),
      timestamp: Number(nanoseconds(time) / 1_000_000n) / 1000,
      level: levels[stream],
      _command: subject.command,
      _container_id: subject.id,
      _container_name: subject.name,
      _created: subject.created,
      _image_id: subject.imageId,
      _image_name: subject.imageName,
      _tag: subject.tag,
      ...Object.fromEntries(extra),
    }),
  );
}

function compressed({ compression, level }: GelfTarget, json: Buffer): Buffer {
  if (compression === 'none') return json;
  return compression === 'gzip' ? zlib.gzipSync(json, { level }) : zlib.deflateSync(json, { level });
}

/** In pieces with a head of 12 bytes: magic, an id, number, count. More than 128 are not allowed: such a line is left out. */
function gelfDatagrams(message: Buffer): readonly Buffer[] {
  if (message.length <= chunkBytes) return [message];
  const room = chunkBytes - 12;
  const count = Math.ceil(message.length / room);
  if (count > maxChunks) return [];
  const id = randomBytes(8);
  return Array.from({ length: count }, (_, i) =>
    Buffer.concat([Buffer.of(0x1e, 0x0f), id, Buffer.of(i, count), message.subarray(i * room, (i + 1) * room)]),
  );
}
