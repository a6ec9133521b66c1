// The Io of a process of its own: its own descriptors, signals and directory. Terminals are joined to a keeper by
// carrying the bytes here (mode S of native/keeper.h), since Node cannot hand descriptors over.

import { createConnection } from 'node:net';
import type { AttachEnd, AttachRequest, Io, Output } from '../cli/io.ts';
import type { AttachPoint } from '../engine/engine.ts';
import { filesIn } from './files-io.ts';
import { attachEnd } from './hosted.ts';

const relayed = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGCONT'] as const;

export function processIo(): Io {
  const abort = new AbortController();
  const signalListeners = new Set<(signal: string) => void>();
  for (const name of relayed) {
    process.on(name, () => {
      if (signalListeners.size > 0) for (const listener of signalListeners) listener(name);
      else if (name !== 'SIGCONT' && name !== 'SIGUSR2' && name !== 'SIGALRM') abort.abort(name);
    });
  }
  return {
    stdout: output(process.stdout),
    stderr: output(process.stderr),
    stdin: { isTTY: Boolean(process.stdin.isTTY), read: () => process.stdin as AsyncIterable<Uint8Array> },
    env: process.env,
    cwd: process.cwd(),
    size: () => (process.stdout.isTTY ? { rows: process.stdout.rows, columns: process.stdout.columns } : undefined),
    onResize(listener) {
      process.stdout.on('resize', listener);
      return () => process.stdout.off('resize', listener);
    },
    onSignal(listener) {
      signalListeners.add(listener);
      return () => signalListeners.delete(listener);
    },
    signal: abort.signal,
    attach: carry,
    ...filesIn(process.cwd(), process.pid),
  };
}

function output(stream: NodeJS.WriteStream): Output {
  stream.on('error', () => {}); // told to the writer below
  return {
    isTTY: Boolean(stream.isTTY),
    write: (data) =>
      new Promise((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve()))),
  };
}

/** Joins a keeper and carries its frames to stdout and stderr, and stdin to it. */
function carry(point: AttachPoint, request: AttachRequest): Promise<AttachEnd> {
  return new Promise((resolve) => {
    const flags = (request.stdin ? 1 : 0) | (request.stdout ? 2 : 0) | (request.stderr ? 4 : 0);
    const raw = point.tty && request.stdin && process.stdin.isTTY;
    const socket = createConnection(point.socket);
    const finish = (end: AttachEnd): void => {
      if (raw) process.stdin.setRawMode(false);
      process.stdin.unpipe(socket);
      process.stdin.pause();
      socket.destroy();
      resolve(end);
    };
    socket.write(
      Buffer.concat([
        Buffer.from(['H'.charCodeAt(0), 'S'.charCodeAt(0), flags, request.detachKeys.length]),
        request.detachKeys,
      ]),
    );
    if (raw) process.stdin.setRawMode(true);
    if (request.stdin) process.stdin.pipe(socket);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 8 && rest.length - 8 >= rest.readUInt32BE(4)) {
        const length = rest.readUInt32BE(4);
        const type = rest[0] ?? 0;
        const body = rest.subarray(8, 8 + length);
        rest = rest.subarray(8 + length);
        if (type > 2) return finish(attachEnd(String.fromCharCode(type), body.readInt32BE(0)));
        const target = type === 2 ? process.stderr : process.stdout;
        if (!target.write(body)) {
          socket.pause();
          target.once('drain', () => socket.resume());
        }
      }
    });
    socket.on('error', () => finish({ reason: 'lost' }));
    socket.on('close', () => finish({ reason: 'lost' }));
  });
}
