// Frames between the native client and the engine (drawn at the top of native/client.c): u32 length, u8 type, payload.

import type { Socket } from 'node:net';

export interface Frame {
  readonly type: string;
  readonly payload: Buffer;
}

export function encodeFrame(type: string, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const frame = Buffer.allocUnsafe(5 + payload.length);
  frame.writeUInt32LE(payload.length + 1, 0);
  frame[4] = type.charCodeAt(0);
  frame.set(payload, 5);
  return frame;
}

const maxFrame = 32 << 20;

/** Calls `onFrame` for every whole frame; a length that no client sends ends the connection. */
export function readFrames(socket: Socket, onFrame: (frame: Frame) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 5) {
      const length = rest.readUInt32LE(at);
      if (length < 1 || length > maxFrame) {
        socket.destroy();
        return;
      }
      if (rest.length - at - 4 < length) break;
      onFrame({ type: String.fromCharCode(rest[at + 4] ?? 0), payload: rest.subarray(at + 5, at + 4 + length) });
      at += 4 + length;
    }
    rest = rest.subarray(at);
  });
}

export interface Hello {
  readonly build: string;
  readonly cwd: string;
  readonly root: string;
  /** Whether 0, 1, 2 are terminals. */
  readonly tty: readonly [boolean, boolean, boolean];
  readonly rows: number;
  readonly columns: number;
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** NUL-ended fields, in the order of hello() in native/client.c. */
export function parseHello(payload: Buffer): Hello {
  const fields = payload.toString('utf8').split('\0');
  const [build = '', cwd = '/', root = '', bits = '0', rows = '0', columns = '0', pid = '0', count = '0'] = fields;
  const argv = fields.slice(8, 8 + Number(count));
  const env: Record<string, string> = {};
  for (const entry of fields.slice(8 + Number(count), -1)) {
    const equals = entry.indexOf('=');
    if (equals > 0) env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  const tty = Number(bits);
  return {
    build,
    cwd,
    root,
    tty: [(tty & 1) !== 0, (tty & 2) !== 0, (tty & 4) !== 0],
    rows: Number(rows),
    columns: Number(columns),
    pid: Number(pid),
    argv,
    env,
  };
}

/** Resolves when it takes more, or nothing any more. */
export function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
