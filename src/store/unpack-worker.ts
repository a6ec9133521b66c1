// The thread that unpacks one layer: chunks come in as messages, one acknowledgement goes back for each that was taken,
// and at the end the result or the failure. Started by layers.ts; bundled as a program of its own.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type ErrorKind, HoistError } from '../base/errors.ts';
import { type UnpackJob, type UnpackResult, unpack } from './unpack.ts';

export type ToWorker = { readonly chunk: Uint8Array } | { readonly end: true };

export type FromWorker =
  | { readonly taken: true }
  | { readonly result: UnpackResult }
  | {
      readonly failure: {
        readonly kind: ErrorKind;
        readonly code: string;
        readonly message: string;
        readonly hint?: string;
      };
    }
  | { readonly bug: string };

async function* chunksFrom(port: MessagePort): AsyncGenerator<Uint8Array> {
  const queue: ToWorker[] = [];
  let wake = () => {};
  port.on('message', (message: ToWorker) => {
    queue.push(message);
    wake();
  });
  for (;;) {
    const message = queue.shift();
    if (message === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    if ('end' in message) return;
    port.postMessage({ taken: true } satisfies FromWorker);
    yield message.chunk;
  }
}

async function work(port: MessagePort): Promise<void> {
  let answer: FromWorker;
  try {
    answer = { result: await unpack(chunksFrom(port), workerData as UnpackJob) };
  } catch (error) {
    answer =
      error instanceof HoistError
        ? {
            failure: {
              kind: error.kind,
              code: error.code,
              message: error.message,
              ...(error.hint === undefined ? {} : { hint: error.hint }),
            },
          }
        : { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  port.postMessage(answer);
  port.close();
}

if (parentPort !== null) void work(parentPort);
