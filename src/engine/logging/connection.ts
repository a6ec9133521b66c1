// A stream to a log target (TCP, TLS, a unix socket): connected when it is needed, told of its end, with Go's words for
// what goes wrong, since those are what Docker's users know.

import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { errnoOf } from '../../base/errors.ts';

export interface StreamTarget {
  readonly protocol: 'tcp' | 'tls' | 'unix';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly tls?: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly verify: boolean;
  };
}

export interface Connection {
  /** Resolves when the kernel has the bytes; rejects when the connection is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** The next bytes that the other side sends; rejects when there will be none. */
  read(): Promise<Buffer>;
  readonly closed: boolean;
  /** Once all is written. */
  close(): void;
  /** At once: what waits for it fails. */
  giveUp(why: string): void;
}

const connectMs = 10_000;

export async function connect(target: StreamTarget): Promise<Connection> {
  const socket = open(target);
  await new Promise<void>((resolve, reject) => {
    const failed = (error: unknown): void => {
      socket.destroy();
      reject(new Error(dialSentence(target, error)));
    };
    socket.setTimeout(connectMs, () => failed(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    socket.once('error', failed);
    socket.once(target.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.off('error', failed);
      socket.setTimeout(0);
      resolve();
    });
  });
  return wrap(socket);
}

function open({ protocol, host, port, path, tls: options }: StreamTarget): net.Socket {
  if (protocol === 'unix') return net.connect({ path });
  if (protocol === 'tcp') return net.connect({ host, port, noDelay: true });
  return tls.connect({
    host,
    port,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: options?.verify ?? true,
    ...(options?.ca === undefined ? {} : { ca: fileOf(options.ca, 'CA certificate') }),
    ...(options?.cert === undefined || options.key === undefined
      ? {}
      : { cert: fileOf(options.cert, 'X509 key pair'), key: fileOf(options.key, 'X509 key pair') }),
  });
}

function fileOf(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : String(errnoOf(error));
    throw new Error(`could not read ${what} "${path}": open ${path}: ${why}`);
  }
}

function wrap(socket: net.Socket): Connection {
  let gone: Error | undefined;
  const waiting = new Set<() => void>();
  const received: Buffer[] = [];
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const end = (error: Error): void => {
    gone ??= error;
    socket.destroy();
    wakeAll();
  };
  socket.on('error', end);
  socket.on('end', () => end(new Error('the target has closed the connection')));
  socket.on('close', () => end(new Error('the connection is closed')));
  socket.on('data', (chunk) => {
    // A target that talks although nobody asked it to is not listened to.
    if (received.length < 64) received.push(chunk);
    wakeAll();
  });
  return {
    get closed() {
      return gone !== undefined;
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const broken = (): void => reject(gone ?? new Error('the connection is closed'));
        if (gone !== undefined) return broken();
        const watch = (): void => {
          if (gone !== undefined) broken();
          else waiting.add(watch);
        };
        waiting.add(watch);
        socket.write(bytes, (error) => {
          waiting.delete(watch);
          if (error) reject(error);
          else resolve();
        });
      }),
    async read() {
      for (;;) {
        const chunk = received.shift();
        if (chunk !== undefined) return chunk;
        if (gone !== undefined) throw gone;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    giveUp: (why) => end(new Error(why)),
    close: () => {
      gone ??= new Error('closed');
      socket.destroySoon();
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ENOENT: 'connect: no such file or directory',
  ETIMEDOUT: 'i/o timeout',
};

/** `dial tcp 127.0.0.1:514: connect: connection refused` */
function dialSentence({ protocol, host, port, path }: StreamTarget, error: unknown): string {
  const code = errnoOf(error) ?? '';
  const network = protocol === 'unix' ? 'unix' : 'tcp';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial ${network}: lookup ${host}: no such host`;
  const address = protocol === 'unix' ? path : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const why = reasons[code];
  if (why !== undefined) return `dial ${network} ${address}: ${why}`;
  return error instanceof Error ? error.message : String(error);
}

/** One connection at a time to a target, made anew where it broke or is too old. */
export function reconnecting(target: StreamTarget, first?: Connection, maxAgeMs = Number.POSITIVE_INFINITY) {
  let current = first;
  let since = Date.now();
  return {
    async get(): Promise<Connection> {
      if (Date.now() - since > maxAgeMs) current?.close();
      if (current === undefined || current.closed) {
        current = await connect(target);
        since = Date.now();
      }
      return current;
    },
    close(): void {
      current?.close();
      current = undefined;
    },
  };
}
