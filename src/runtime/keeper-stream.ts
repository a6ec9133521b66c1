// A process's streams over its keeper's socket, for whoever cannot hand descriptors over (mode S of native/keeper.h).
// A keeper waits for those that have joined: who joins must read, or the process stands still.

import { createConnection, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { demultiplexer } from '../base/multiplex.ts';

export interface StreamRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Bytes of the detach sequence; empty: none. */
  readonly detachKeys: Uint8Array;
}

/** How a joined terminal came apart. `lost`: the keeper went away without an exit status (it was killed, or never ran). */
export type StreamEnd =
  | { readonly reason: 'exited'; readonly code: number }
  | { readonly reason: 'detached' }
  | { readonly reason: 'output-closed' }
  | { readonly reason: 'lost' };

/** 1: stdout, and everything that a terminal shows; 2: stderr. */
export type OnOutput = (stream: 1 | 2, bytes: Buffer) => void;

export interface ProcessStream {
  /** To the process's stdin; `end` is the end of file. */
  readonly input: Writable;
  /** Begins to read. Resolves when all output was passed on and the stream came apart; never rejects. */
  read(onOutput: OnOutput): Promise<StreamEnd>;
  pause(): void;
  resume(): void;
  /** Leaves the process as it is. */
  close(): void;
}

/** Joins the keeper at a socket; where there is none, the stream says `lost` at once. */
export function joinStream(socketPath: string, request: StreamRequest): ProcessStream {
  const socket = createConnection(socketPath);
  const flags = (request.stdin ? 1 : 0) | (request.stdout ? 2 : 0) | (request.stderr ? 4 : 0);
  const hello = Buffer.from(['H'.charCodeAt(0), 'S'.charCodeAt(0), flags, request.detachKeys.length]);
  socket.write(Buffer.concat([hello, request.detachKeys]));
  socket.on('error', () => {}); // 'close' follows
  return {
    input: socket,
    read: (onOutput) => readStream(socket, onOutput),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.destroy(),
  };
}

function readStream(socket: Socket, onOutput: OnOutput): Promise<StreamEnd> {
  return new Promise((resolve) => {
    let ending = Buffer.alloc(0);
    const take = demultiplexer((type, bytes, left) => {
      if (type === 1 || type === 2) return onOutput(type, bytes);
      ending = Buffer.concat([ending, bytes]);
      if (left > 0) return;
      resolve(streamEnd(String.fromCharCode(type), ending.readInt32BE(0)));
      socket.destroy();
    });
    socket.on('data', take);
    socket.on('close', () => resolve({ reason: 'lost' }));
    if (socket.destroyed) resolve({ reason: 'lost' });
  });
}

/** native/keeper.h: struct ending. */
export function streamEnd(type: string, code: number): StreamEnd {
  if (type === 'X') return { reason: 'exited', code };
  if (type === 'D') return { reason: 'detached' };
  if (type === 'P') return { reason: 'output-closed' };
  return { reason: 'lost' };
}
