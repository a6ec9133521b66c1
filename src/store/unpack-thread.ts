// Runs unpack jobs in worker threads and feeds them: large pieces of shared memory, never more than a few on the way.
// A thread takes longer to start than to unpack a small layer, so those that are done wait a while for the next one.

import { Worker } from 'node:worker_threads';
import { HoistError } from '../base/errors.ts';
import { abortable, batches } from '../base/streams.ts';
import type { UnpackJob, UnpackResult } from './unpack.ts';
import type { FromWorker, ToWorker } from './unpack-worker.ts';

const batchSize = 512 << 10;
const maxOnTheWay = 4;
const idleMs = 5_000;

export type Unpack = (source: AsyncIterable<Uint8Array>, job: UnpackJob, signal: AbortSignal) => Promise<UnpackResult>;

/** As many threads as there are jobs at once. Those that wait do not keep the process alive. */
export function unpackThreads(url: URL): Unpack {
  const idle = new Map<Worker, NodeJS.Timeout>();

  function take(): Worker {
    const [waiting] = [...idle].reverse();
    if (waiting === undefined) return new Worker(url, { name: 'unpack' });
    const [worker, timer] = waiting;
    clearTimeout(timer);
    idle.delete(worker);
    worker.ref();
    return worker;
  }

  function giveBack(worker: Worker): void {
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
    const stop = () => {
      idle.delete(worker);
      void worker.terminate();
    };
    worker.on('error', stop).on('exit', stop);
    worker.unref();
    idle.set(worker, setTimeout(stop, idleMs).unref());
  }

  return async (source, job, signal) => {
    const worker = take();
    let whole = false;
    try {
      const result = await unpackIn(worker, source, { job, signal });
      whole = true;
      return result;
    } finally {
      // One that failed may be anywhere in its work. Waited for, so that nothing writes into the directory that the
      // caller is about to remove.
      if (whole) giveBack(worker);
      else await worker.terminate();
    }
  };
}

async function unpackIn(
  worker: Worker,
  source: AsyncIterable<Uint8Array>,
  options: { readonly job: UnpackJob; readonly signal: AbortSignal },
): Promise<UnpackResult> {
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
      worker.postMessage({ chunk } satisfies ToWorker);
    }
    // Nor may this reach the thread's next job, where an archive was over before its stream.
    if (!stop.signal.aborted) worker.postMessage({ end: true } satisfies ToWorker);
  }

  worker.postMessage({ job: options.job } satisfies ToWorker);
  const fed = feed();
  try {
    // A source that fails ends the work; one that has ended waits for the result.
    await Promise.race([finished, fed]);
    return await abortable(finished, options.signal);
  } finally {
    stop.abort();
    wake();
    fed.catch(() => {});
    finished.catch(() => {});
  }
}
