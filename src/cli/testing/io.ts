// An Io in memory: what a command wrote, where, and in which order. For tests.

import { HoistError } from '../../base/errors.ts';
import type { AttachPoint } from '../../engine/engine.ts';
import type { AttachEnd, AttachRequest, Io } from '../io.ts';

export interface FakeIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
  readonly files: Map<string, string>;
  readonly attached: { readonly point: AttachPoint; readonly request: AttachRequest }[];
  /** Sends a signal to whoever listens; false where nobody does. */
  raise(signal: string): boolean;
  resized(): void;
  readonly abort: AbortController;
}

export interface FakeIoOptions {
  readonly tty?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly attach?: (point: AttachPoint, request: AttachRequest) => Promise<AttachEnd>;
  readonly size?: { readonly rows: number; readonly columns: number };
  readonly stdin?: string;
  readonly helper?: Io['helper'];
}

export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const written: Record<'out' | 'err', Buffer[]> = { out: [], err: [] };
  const files = new Map(Object.entries(options.files ?? {}));
  const attached: { readonly point: AttachPoint; readonly request: AttachRequest }[] = [];
  const signals = new Set<(signal: string) => void>();
  const resizes = new Set<() => void>();
  const abort = new AbortController();
  const isTTY = options.tty === true;
  const output = (name: 'out' | 'err') => ({
    isTTY,
    write: async (data: string | Uint8Array) => void written[name].push(Buffer.from(data)),
  });
  const readFile = async (path: string): Promise<Uint8Array> => {
    const text = files.get(path);
    if (path === '.') throw Object.assign(new Error(`EISDIR: ${path}`), { code: 'EISDIR' });
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return Buffer.from(text);
  };
  const listen = <T>(set: Set<T>, listener: T): (() => void) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  async function* stream(text: string): AsyncIterable<Uint8Array> {
    yield Buffer.from(text);
  }
  return {
    stdout: output('out'),
    stderr: output('err'),
    stdin: { isTTY, read: () => stream(options.stdin ?? '') },
    env: { HOME: '/root', ...options.env },
    cwd: '/home/ada',
    size: () => options.size ?? (isTTY ? { rows: 24, columns: 80 } : undefined),
    onResize: (listener) => listen(resizes, listener),
    onSignal: (listener) => listen(signals, listener),
    signal: abort.signal,
    async attach(point, request) {
      attached.push({ point, request });
      return (await options.attach?.(point, request)) ?? { reason: 'exited', code: 0 };
    },
    readFile,
    async *openFile(path) {
      yield await readFile(path);
    },
    async writeFile(path, data, { exclusive }) {
      if (exclusive && files.has(path)) throw new HoistError('conflict', 'file.exists', `${path} is there already`);
      files.set(path, data);
    },
    async replaceFile(path, data) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of data) chunks.push(chunk);
      files.set(path, Buffer.concat(chunks).toString('latin1'));
    },
    listDirectory: async (path) =>
      [
        ...new Set(
          [...files.keys()].filter((name) => name.startsWith(`${path}/`)).map((name) => name.slice(path.length + 1)),
        ),
      ].map((name) => name.split('/')[0] ?? ''),
    async removeTree(path) {
      for (const name of files.keys()) if (name === path || name.startsWith(`${path}/`)) files.delete(name);
    },
    trees: {
      kindOf: async (path) => (files.has(path) ? 'file' : undefined),
      linkTarget: async (path) => path,
      realpath: async (path) => path,
      pack: (path) => stream(files.get(path) ?? ''),
      async unpack(directory, tar) {
        for await (const piece of tar) files.set(directory, Buffer.from(piece).toString('latin1'));
      },
    },
    helper: options.helper ?? (async () => ({ code: 1, output: 'credentials not found in native keychain' })),
    out: () => Buffer.concat(written.out).toString(),
    err: () => Buffer.concat(written.err).toString(),
    files,
    attached,
    raise(signal) {
      for (const listener of signals) listener(signal);
      return signals.size > 0;
    },
    resized() {
      for (const listener of resizes) listener();
    },
    abort,
  };
}
