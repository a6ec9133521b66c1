// Where lines go. A sink knows its target and its format; when to send, and how often, is decided in forward.ts.

import type { LogSubject, Message } from './message.ts';

export interface Sink {
  /** Resolves when the target, or the kernel on its behalf, has all of them. Rejects where another attempt may help. */
  send(messages: readonly Message[]): Promise<void>;
  close(): void;
}

export interface SinkOptions {
  readonly subject: LogSubject;
  /** The container is about to start: a target that cannot be reached must keep it from that. */
  readonly starting: boolean;
  /** Sends datagrams to a unix socket: Node cannot. Rejects with the errno's name in the message. */
  readonly sendDatagrams: SendDatagrams;
  /** journald's socket. */
  readonly journal: string;
}

export type SendDatagrams = (path: string, datagrams: readonly Uint8Array[]) => Promise<void>;
