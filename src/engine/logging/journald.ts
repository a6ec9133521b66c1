// The journald driver: its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), one datagram for each line.

import { existsSync } from 'node:fs';
import type { LogSubject, Message } from './message.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { refuseStart } from './values.ts';

export async function journaldSink({ subject, starting, sendDatagrams, journal }: SinkOptions): Promise<Sink> {
  if (starting && !existsSync(journal)) refuseStart('journald is not enabled on this host');
  return {
    send: (messages) =>
      sendDatagrams(
        journal,
        messages.map((message) => journalEntry(subject, message)),
      ),
    close() {},
  };
}

const priorities = { stdout: '6', stderr: '3' } as const;

function journalEntry(subject: LogSubject, { stream, time, line, partial }: Message): Uint8Array {
  const extra = Object.entries(subject.extra).flatMap(([name, value]) => {
    const field = fieldName(name);
    return field === '' ? [] : [[field, value] as const];
  });
  const fields: readonly (readonly [string, string | Uint8Array])[] = [
    ['MESSAGE', line],
    ['PRIORITY', priorities[stream]],
    ['SYSLOG_IDENTIFIER', subject.tag],
    ['SYSLOG_TIMESTAMP', time],
    ['CONTAINER_ID', subject.id.slice(0, 12)],
    ['CONTAINER_ID_FULL', subject.id],
    ['CONTAINER_NAME', subject.name],
    ['CONTAINER_TAG', subject.tag],
    ['IMAGE_NAME', subject.imageName],
    ...(partial ? ([['CONTAINER_PARTIAL_MESSAGE', 'true']] as const) : []),
    ...extra,
  ];
  return Buffer.concat(fields.map(([name, value]) => journalField(name, Buffer.from(value))));
}

/** A value with a newline comes with its length in front. */
function journalField(name: string, value: Buffer): Buffer {
  if (!value.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from('\n')]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), size, value, Buffer.from('\n')]);
}

/** Capitals, digits and underscores, none of these in front: journald throws everything else away. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '_')
    .replace(/^_+/, '')
    .slice(0, 64);
}
