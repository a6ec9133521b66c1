// The fluentd driver: the forward protocol (https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1),
// one event for each line.

import { randomBytes } from 'node:crypto';
import { type Connection, connect, reconnecting } from './connection.ts';
import { type FluentdTarget, parseFluentd } from './fluentd-options.ts';
import { type LogSubject, type Message, nanoseconds } from './message.ts';
import { acknowledged, type Packable, pack } from './msgpack.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { type LogOptions, refuseStart } from './values.ts';

export async function fluentdSink(options: LogOptions, { subject, starting }: SinkOptions): Promise<Sink> {
  const target = parseFluentd(options, refuseStart);
  let first: Connection | undefined;
  if (starting && !target.async) first = await connect(target).catch((error: Error) => refuseStart(error.message));
  const connection = reconnecting(target, first, target.reconnectMs);
  return {
    async send(messages) {
      const open = await connection.get();
      const write = (bytes: Buffer): Promise<void> => inTime(open, open.write(bytes), target.writeMs);
      if (!target.acknowledged) {
        await write(Buffer.concat(messages.map((message) => fluentdEvent(target, subject, message))));
        return;
      }
      for (const message of messages) {
        const chunk = randomBytes(16).toString('base64');
        await write(fluentdEvent(target, subject, message, chunk));
        await answered(open, chunk);
      }
    },
    close: () => connection.close(),
  };
}

/** A connection that takes nothing for so long is given up. */
async function inTime(open: Connection, work: Promise<void>, ms: number): Promise<void> {
  if (ms === 0) return work;
  const timer = setTimeout(() => open.giveUp('i/o timeout'), ms);
  try {
    await work;
  } finally {
    clearTimeout(timer);
  }
}

async function answered(open: Connection, chunk: string): Promise<void> {
  let bytes = Buffer.alloc(0);
  while (!acknowledged(bytes, chunk)) {
    bytes = Buffer.concat([bytes, await open.read()]);
    if (bytes.length > 4096) throw new Error('fluentd answers with something else than an acknowledgement');
  }
}

function fluentdEvent(
  { subSecond }: Pick<FluentdTarget, 'subSecond'>,
  subject: LogSubject,
  { stream, time, line, partial }: Message,
  chunk?: string,
): Buffer {
  const at = nanoseconds(time);
  const seconds = Number(at / 1_000_000_000n);
  const record = new Map<string, Packable>([
    ['container_id', subject.id],
    ['container_name', `/${subject.name}`],
    ['source', stream],
    ['log', line],
    ...Object.entries(subject.extra),
    ...(partial ? ([['partial_message', 'true']] as const) : []),
  ]);
  const when: Packable = subSecond ? { seconds, nanoseconds: Number(at % 1_000_000_000n) } : seconds;
  const event: Packable[] = [subject.tag, when, record];
  return pack(chunk === undefined ? event : [...event, new Map([['chunk', chunk]])]);
}
