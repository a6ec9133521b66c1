// One command of a native client, run here in the engine: its frames become the Io that CLI modules see.

import type { Socket } from 'node:net';
import os from 'node:os';
import { HoistError } from '../base/errors.ts';
import type { AttachEnd, Io, LocalTrees, Output } from '../cli/io.ts';
import type { Plan } from '../plan/ops.ts';
import { runHelper } from '../registry/client/credentials.ts';
import { streamEnd } from '../runtime/keeper-stream.ts';
import type { CarriedOut } from '../runtime/oci/world.ts';
import { type Carrier, createCarrier } from './carrier.ts';
import { filesIn } from './files-io.ts';
import { drained, encodeFrame, type Frame, type Hello, parseHello, readFrames } from './frames.ts';
import { findPlugin } from './plugins.ts';

export interface HostedRun {
  readonly hello: Hello;
  readonly io: Io;
  /** Has the client itself carry a plan out. `follow`: it waits for the process; `ended` tells how that ends. */
  carryOut(plan: Plan, follow: boolean): Promise<CarriedOut>;
  /** The client does it again, with a Node process of its own. */
  decline(): void;
}

const signalNames = new Map(Object.entries(os.constants.signals).map(([name, number]) => [number, name]));
const stdinCredit = 256 * 1024;

/** Serves a connection: waits for its hello, runs `run` and sends the exit code. Other first frames go to `onOther`. */
export function serveClient(
  socket: Socket,
  run: (run: HostedRun) => Promise<number>,
  onOther: (frame: Frame) => void,
  trees: LocalTrees,
): void {
  let client: ClientIo | undefined;
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => client?.vanish());
  readFrames(socket, (frame) => {
    if (client) client.take(frame);
    else if (frame.type === 'H') {
      const hello = parseHello(frame.payload);
      socket.write(encodeFrame('G')); // a client that never hears it may try again: nothing was done
      const started = new ClientIo(socket, hello, trees);
      client = started;
      const decline = (): void => void socket.write(encodeFrame('Y'));
      void run({ hello, io: started.io, carryOut: started.carrier.carryOut, decline }).then((code) =>
        socket.end(encodeFrame('X', Buffer.from([code & 255]))),
      );
    } else onOther(frame);
  });
}

class ClientIo {
  readonly io: Io;
  readonly carrier: Carrier;
  readonly #socket: Socket;
  readonly #abort = new AbortController();
  readonly #signalListeners = new Set<(signal: string) => void>();
  readonly #resizeListeners = new Set<() => void>();
  #size: { rows: number; columns: number } | undefined;
  #attached: ((end: AttachEnd) => void) | undefined;
  #input: ((bytes: Buffer) => void) | undefined;
  constructor(socket: Socket, hello: Hello, trees: LocalTrees) {
    this.#socket = socket;
    this.carrier = createCarrier(socket, () => this.#nextEnd());
    this.#size = hello.rows > 0 ? { rows: hello.rows, columns: hello.columns } : undefined;
    this.io = {
      stdout: this.#output('O', hello.tty[1]),
      stderr: this.#output('E', hello.tty[2]),
      stdin: {
        isTTY: hello.tty[0],
        read: (unseen = false) => this.#readStdin(unseen),
      },
      env: hello.env,
      cwd: hello.cwd,
      size: () => this.#size,
      onResize: (listener) => subscribe(this.#resizeListeners, listener),
      onSignal: (listener) => subscribe(this.#signalListeners, listener),
      signal: this.#abort.signal,
      attach: (point, request) => {
        const flags =
          (request.stdin ? 1 : 0) | (request.stdout ? 2 : 0) | (request.stderr ? 4 : 0) | (point.tty ? 8 : 0);
        const ended = this.#nextEnd();
        socket.write(
          encodeFrame(
            'P',
            Buffer.concat([
              Buffer.from([flags, request.detachKeys.length]),
              request.detachKeys,
              Buffer.from(point.socket),
            ]),
          ),
        );
        return ended;
      },
      // A plugin wants the user's own process, with its terminal: the client runs the command again there.
      plugin: async (name) => {
        if (findPlugin(name, { ...hello.env }) === undefined) return undefined;
        socket.write(encodeFrame('Y'));
        return 0;
      },
      ...filesIn(hello.cwd, hello.pid),
      trees,
      helper: (program, args, input) => runHelper(program, args, { input, env: hello.env }),
    };
  }

  take({ type, payload }: Frame): void {
    switch (type) {
      case 'I':
        this.#input?.(Buffer.from(payload));
        break;
      case 'S':
        this.#signal(signalNames.get(payload[0] ?? 0) ?? 'SIGTERM');
        break;
      case 'W':
        this.#size =
          payload.readUInt16LE(0) > 0 ? { rows: payload.readUInt16LE(0), columns: payload.readUInt16LE(2) } : undefined;
        for (const listener of this.#resizeListeners) listener();
        break;
      case 'A':
        this.#attached?.(streamEnd(String.fromCharCode(payload[0] ?? 0), payload.readInt32LE(1)));
        break;
      case '\x01':
      case '\x02':
      case '\x03':
        this.carrier.take(type.charCodeAt(0), payload.subarray(4));
        break;
    }
  }

  /** The client is gone: its terminal was closed, or it was killed. */
  vanish(): void {
    this.#abort.abort('SIGHUP');
    this.#attached?.({ reason: 'detached' });
    this.#input?.(Buffer.alloc(0));
    this.carrier.vanish();
  }

  #nextEnd(): Promise<AttachEnd> {
    return new Promise((resolve) => {
      this.#attached = resolve;
    });
  }

  #signal(name: string): void {
    if (this.#signalListeners.size > 0) for (const listener of this.#signalListeners) listener(name);
    else if (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].includes(name)) this.#abort.abort(name);
  }

  #output(type: 'O' | 'E', isTTY: boolean): Output {
    const socket = this.#socket;
    return {
      isTTY,
      async write(data) {
        if (socket.destroyed) throw new HoistError('cancelled', 'output.closed', 'the command is gone');
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        for (let at = 0; at < bytes.length; at += 1 << 20) {
          if (!socket.write(encodeFrame(type, bytes.subarray(at, at + (1 << 20))))) await drained(socket);
        }
      },
    };
  }

  /** Asks for input piece by piece: a command that does not read leaves it to whoever comes next. */
  async *#readStdin(unseen: boolean): AsyncGenerator<Uint8Array> {
    const queue: Buffer[] = [];
    let wake = (): void => {};
    this.#input = (bytes) => {
      queue.push(bytes);
      wake();
    };
    const credit = Buffer.alloc(5, unseen ? 1 : 0);
    credit.writeUInt32LE(stdinCredit);
    try {
      for (let asked = 0; ; ) {
        if (asked <= 0) {
          this.#socket.write(encodeFrame('R', credit));
          asked = stdinCredit;
        }
        if (queue.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const bytes = queue.shift() ?? Buffer.alloc(0);
        if (bytes.length === 0) return;
        asked -= bytes.length;
        yield bytes;
      }
    } finally {
      this.#input = undefined;
      this.#socket.write(encodeFrame('R', Buffer.alloc(4))); // what is typed from now on is for whoever comes next
    }
  }
}

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => set.delete(listener);
}
