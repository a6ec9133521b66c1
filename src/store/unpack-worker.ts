// The thread that unpacks layers, one after the other: a job comes as a message, then its bytes, and one acknowledgement
// goes back for each piece that was taken, and at the end the result or the failure. Bundled as a program of its own.

import { type MessagePort, parentPort } from 'node:worker_threads';
import { type ErrorKind, HoistError } from '../base/errors.ts';
import { type UnpackJob, type UnpackResult, unpack } from './unpack.ts';

export type ToWorker = { readonly job: UnpackJob } | { readonly chunk: Uint8Array } | { readonly end: true };

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

/** What has come for one job and was not taken yet. */
interface Inbox {
  readonly waiting: Exclude<ToWorker, { readonly job: UnpackJob }>[];
  wake: () => void;
}

function serve(port: MessagePort): void {
  let inbox: Inbox | undefined;
  port.on('message', (message: ToWorker) => {
    if ('job' in message) {
      inbox = { waiting: [], wake: () => {} };
      void work(message.job, inbox, port);
    } else {
      inbox?.waiting.push(message);
      inbox?.wake();
    }
  });
}

async function* chunksFrom(inbox: Inbox, port: MessagePort): AsyncGenerator<Uint8Array> {
  for (;;) {
    const message = inbox.waiting.shift();
    if (message === undefined) {
      await new Promise<void>((resolve) => {
        inbox.wake = resolve;
      });
      continue;
    }
    if ('end' in message) return;
    port.postMessage({ taken: true } satisfies FromWorker);
    yield message.chunk;
  }
}

async function work(job: UnpackJob, inbox: Inbox, port: MessagePort): Promise<void> {
  let answer: FromWorker;
  try {
    answer = { result: await unpack(chunksFrom(inbox, port), job) };
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
}

if (parentPort !== null) serve(parentPort);
