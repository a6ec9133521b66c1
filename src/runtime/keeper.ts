// The engine's end of a keeper's socket (native/keeper.h): signals, resizes, and the news of the end.
// Signals go through the keeper's pidfd: they can never reach another process that got the same pid.

import { createConnection, type Socket } from 'node:net';

export interface KeeperEnd {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

export interface KeeperLink {
  /** The process's pid on the host; 0 when the keeper went away before it said. */
  readonly pid: Promise<number>;
  /** Resolves with how the process ended; undefined: the keeper went away without saying (it was killed). */
  readonly ended: Promise<KeeperEnd | undefined>;
  kill(signal: number): void;
  resize(rows: number, columns: number): void;
  /** A terminal that was expected does not come. */
  release(): void;
  close(): void;
}

/** struct ending */
const messageBytes = 8;

const helloControl = Buffer.from(['H'.charCodeAt(0), 'C'.charCodeAt(0), 0, 0]);

function request(type: string, a = 0, b = 0): Buffer {
  const bytes = Buffer.alloc(6);
  bytes[0] = type.charCodeAt(0);
  bytes.writeUInt16LE(a, 2);
  bytes.writeUInt16LE(b, 4);
  return bytes;
}

/** Joins a keeper as the engine. Rejects (ECONNREFUSED, ENOENT) when there is none at that socket. */
export function joinKeeper(socketPath: string): Promise<KeeperLink> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(linkOver(socket));
    });
  });
}

function linkOver(socket: Socket): KeeperLink {
  socket.write(helloControl);
  let tellPid = (_pid: number): void => {};
  const pid = new Promise<number>((resolve) => {
    tellPid = resolve;
  });
  const ended = new Promise<KeeperEnd | undefined>((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (; bytes.length >= messageBytes; bytes = bytes.subarray(messageBytes)) {
        const code = bytes.readInt32LE(4);
        if (bytes[0] === 'I'.charCodeAt(0)) tellPid(code);
        else if (bytes[0] === 'X'.charCodeAt(0)) {
          resolve({ exitCode: code, oomKilled: bytes[1] === 1 });
          socket.destroy();
        }
      }
    });
    socket.on('close', () => {
      tellPid(0);
      resolve(undefined);
    });
  });
  socket.on('error', () => {}); // 'close' follows
  const send = (message: Buffer): void => {
    if (!socket.destroyed) socket.write(message);
  };
  return {
    pid,
    ended,
    kill: (signal) => send(request('K', signal)),
    resize: (rows, columns) => send(request('R', rows, columns)),
    release: () => send(request('E')),
    close: () => socket.destroy(),
  };
}
