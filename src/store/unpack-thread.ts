// Runs an unpack job in a worker thread and feeds it: large copied batches, handed over without another copy, never more
// than a few on the way.

import { Worker } from 'node:worker_threads';
import { HoistError } from '../base/errors.ts';
import { abortable, batches } from '../base/streams.ts';
import type { UnpackJob, UnpackResult } from './unpack.ts';
import type { FromWorker, ToWorker } from './unpack-worker.ts';

const batchSize = 512 << 10;
const maxOnTheWay = 4;

export async function unpackInWorker(
  source: AsyncIterable<Uint8Array>,
  options: { readonly job: UnpackJob; readonly url: URL; readonly signal: AbortSignal },
): Promise<UnpackResult> {
  const { job, url, signal } = options;
  const worker = new Worker(url, { workerData: job, name: 'unpack' });
  const stop = new AbortController();
  let onTheWay = 0;
  let wake = () => {};

  const finished = new Promise<UnpackResult>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if ('taken' in message) {
        onTheWay--;
        wake();
      } else if ('result' in message) {
        resolve(message.result);
      } else if ('failure' in message) {
        const { kind, code, message: sentence, hint } = message.failure;
        reject(new HoistError(kind, code, sentence, hint === undefined ? {} : { hint }));
      } else {
        reject(new Error(`the unpacking thread failed: ${message.bug}`));
      }
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the unpacking thread ended with code ${code}`)));
  });

  async function feed(): Promise<void> {
    for await (const chunk of batches(source, batchSize)) {
      while (onTheWay >= maxOnTheWay && !stop.signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (stop.signal.aborted) return;
      onTheWay++;
      worker.postMessage({ chunk } satisfies ToWorker, [chunk.buffer]);
    }
    worker.postMessage({ end: true } satisfies ToWorker);
  }

  const fed = feed();
  try {
    // A source that fails ends the work; one that has ended waits for the result.
    await Promise.race([finished, fed]);
    return await abortable(finished, signal);
  } finally {
    stop.abort();
    wake();
    fed.catch(() => {});
    finished.catch(() => {});
    // Waited for, so that nothing writes into the directory that the caller is about to remove.
    await worker.terminate();
  }
}
