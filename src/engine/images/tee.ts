// One pass over a stream for several readers: the network is read once, the blob is kept and unpacked at the same time.

/** A reader that stops early closes its branch; the others go on. */
export interface Branch extends AsyncIterable<Uint8Array> {
  /** No more bytes for this one. Must be called where the reader may never have started. */
  close(): void;
}

interface Queue {
  readonly chunks: Uint8Array[];
  bytes: number;
  open: boolean;
}

/** How far one reader may be ahead of another: it evens out their bursts, and bounds the memory. */
const maxQueuedBytes = 4 << 20;

export function tee(source: AsyncIterable<Uint8Array>, count: number): readonly Branch[] {
  const queues: readonly Queue[] = Array.from({ length: count }, () => ({ chunks: [], bytes: 0, open: true }));
  let ended: { readonly error?: unknown } | undefined;
  let changed = gate();

  const announce = (): void => {
    const before = changed;
    changed = gate();
    before.resolve();
  };

  const pump = async (): Promise<void> => {
    for await (const chunk of source) {
      for (const queue of queues) {
        if (!queue.open) continue;
        queue.chunks.push(chunk);
        queue.bytes += chunk.length;
      }
      announce();
      while (queues.some((queue) => queue.open && queue.bytes >= maxQueuedBytes)) await changed.promise;
      if (!queues.some((queue) => queue.open)) return;
    }
  };

  const finish = (end: { readonly error?: unknown }): void => {
    ended = end;
    announce();
  };
  pump().then(
    () => finish({}),
    (error: unknown) => finish({ error }),
  );

  const close = (queue: Queue): void => {
    queue.open = false;
    queue.chunks.length = 0;
    queue.bytes = 0;
    announce();
  };

  async function* read(queue: Queue): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = queue.chunks.shift();
        if (chunk !== undefined) {
          queue.bytes -= chunk.length;
          announce();
          yield chunk;
        } else if (ended === undefined && queue.open) {
          await changed.promise;
        } else if (ended !== undefined && 'error' in ended) {
          throw ended.error;
        } else {
          return;
        }
      }
    } finally {
      close(queue);
    }
  }

  return queues.map((queue) => {
    const reader = read(queue);
    return { [Symbol.asyncIterator]: () => reader, close: () => close(queue) };
  });
}

interface Gate {
  readonly promise: Promise<void>;
  resolve(): void;
}

function gate(): Gate {
  let open = (): void => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, resolve: open };
}
