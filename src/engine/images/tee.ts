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
  const state: State = { changed: gate(), ended: undefined };
  pump(source, queues, state).then(
    () => finish(state, {}),
    (error: unknown) => finish(state, { error }),
  );
  return queues.map((queue) => {
    const reader = read(queue, state);
    return { [Symbol.asyncIterator]: () => reader, close: () => close(queue, state) };
  });
}

interface State {
  /** Opens at the next change, and is replaced by a new one. */
  changed: Gate;
  ended: { readonly error?: unknown } | undefined;
}

async function pump(source: AsyncIterable<Uint8Array>, queues: readonly Queue[], state: State): Promise<void> {
  for await (const chunk of source) {
    for (const queue of queues) {
      if (!queue.open) continue;
      queue.chunks.push(chunk);
      queue.bytes += chunk.length;
    }
    announce(state);
    while (queues.some((queue) => queue.open && queue.bytes >= maxQueuedBytes)) await state.changed.promise;
    if (!queues.some((queue) => queue.open)) return;
  }
}

async function* read(queue: Queue, state: State): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const chunk = queue.chunks.shift();
      if (chunk !== undefined) {
        queue.bytes -= chunk.length;
        announce(state);
        yield chunk;
      } else if (state.ended === undefined && queue.open) {
        await state.changed.promise;
      } else if (state.ended !== undefined && 'error' in state.ended) {
        throw state.ended.error;
      } else {
        return;
      }
    }
  } finally {
    close(queue, state);
  }
}

function finish(state: State, end: { readonly error?: unknown }): void {
  state.ended = end;
  announce(state);
}

function close(queue: Queue, state: State): void {
  queue.open = false;
  queue.chunks.length = 0;
  queue.bytes = 0;
  announce(state);
}

function announce(state: State): void {
  const before = state.changed;
  state.changed = gate();
  before.resolve();
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
