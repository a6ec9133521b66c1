// A container as a value of a program: it is waited for, listened to, worked in, and gone when its block ends.

import { PassThrough, type Writable } from 'node:stream';
import { containerCreateBody } from '../api/body/container.ts';
import { isHoistError } from '../base/errors.ts';
import type { Engine, LogLine } from '../engine/engine.ts';
import type { ProcessStream } from '../runtime/keeper-stream.ts';
import type { ContainerConfig, ContainerInspect, ExecCreate, HostConfig } from '../spec/docker/container.ts';
import type { ContainerStats } from '../spec/docker/system.ts';

export interface RunRequest {
  readonly image: string;
  readonly command?: readonly string[];
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whatever else Docker's documents have. */
  readonly config?: Partial<ContainerConfig>;
  readonly hostConfig?: Partial<HostConfig>;
  readonly platform?: string;
}

/** A piece of what a process wrote. */
export interface Output {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
  readonly privileged?: boolean;
  /** With a terminal all output is stdout. */
  readonly tty?: boolean;
  /** Whether `input` is connected. */
  readonly stdin?: boolean;
}

/** One more process in a container. What it writes is read once: as pieces, or as text. */
export interface Process extends AsyncIterable<Output> {
  /** Its stdin; `end` is the end of file. */
  readonly input: Writable;
  /** Once it has ended, and its output was read. */
  exitCode(): Promise<number>;
  /** Everything, at the end. */
  text(): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;
}

export interface Container extends AsyncDisposable {
  readonly id: string;
  inspect(): Promise<ContainerInspect>;
  /** The exit code of its process. */
  wait(signal?: AbortSignal): Promise<number>;
  /** Lines of stdout and stderr, to the container's end (`follow`, the default) or to now. */
  logs(options?: {
    readonly follow?: boolean;
    readonly tail?: number;
    readonly since?: number;
    readonly signal?: AbortSignal;
  }): AsyncIterable<LogLine>;
  stats(signal?: AbortSignal): AsyncIterable<ContainerStats>;
  exec(command: readonly string[], options?: ExecOptions): Promise<Process>;
  stop(options?: { readonly signal?: string; readonly timeout?: number }): Promise<void>;
  kill(signal?: string): Promise<void>;
  remove(): Promise<void>;
}

const never = (): AbortSignal => new AbortController().signal;

const variables = (env: Readonly<Record<string, string>> = {}): readonly string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

export async function runContainer(engine: Engine, request: RunRequest): Promise<Container> {
  const { image, command, name = '', env, config, hostConfig, platform = '' } = request;
  const sparse = {
    Image: image,
    ...(command === undefined ? {} : { Cmd: command }),
    ...config,
    Env: [...(config?.Env ?? []), ...variables(env)],
    HostConfig: hostConfig ?? {},
  };
  const document = containerCreateBody.read(sparse, 51);
  const create = () => engine.containers.create(document, { name, platform });
  let made: Awaited<ReturnType<typeof create>>;
  try {
    made = await create();
  } catch (error) {
    if (!isHoistError(error, 'image.not_found')) throw error;
    await engine.images.pull(image, { platform, onProgress: () => {}, signal: never() });
    made = await create();
  }
  const container = containerOf(engine, made.Id, true);
  try {
    await engine.containers.start(made.Id);
  } catch (error) {
    await container.remove();
    throw error;
  }
  return container;
}

/** `owned`: removed when it is disposed of. */
export function containerOf(engine: Engine, id: string, owned: boolean): Container {
  const { containers } = engine;
  const remove = async (): Promise<void> => {
    try {
      await containers.remove(id, { force: true, volumes: true, link: false });
    } catch (error) {
      if (!isHoistError(error) || error.kind !== 'not_found') throw error; // --rm was faster
    }
  };
  return {
    id,
    inspect: () => containers.inspect(id),
    wait: async (signal = never()) => (await containers.wait(id, 'not-running', signal)).StatusCode,
    logs: ({ follow = true, tail, since = 0, signal = never() } = {}) =>
      containers.logs(id, {
        follow,
        since,
        until: 0,
        ...(tail === undefined ? {} : { tail }),
        stdout: true,
        stderr: true,
        signal,
      }),
    stats: (signal = never()) => containers.stats(id, { stream: true, oneShot: false, signal }),
    exec: (command, options = {}) => startProcess(engine, id, command, options),
    stop: (options = {}) => containers.stop(id, options),
    kill: (signal = 'SIGKILL') => containers.kill(id, signal),
    remove,
    [Symbol.asyncDispose]: async () => {
      if (owned) await remove();
    },
  };
}

async function startProcess(
  { execs }: Engine,
  container: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<Process> {
  const stdin = options.stdin ?? false;
  const request: ExecCreate = {
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: options.tty ?? false,
    Env: variables(options.env),
    Cmd: command,
    User: options.user ?? '',
    WorkingDir: options.workingDir ?? '',
    Privileged: options.privileged ?? false,
  };
  const id = await execs.create(container, request);
  let joined: Promise<ProcessStream> | undefined;
  await execs.start(id, {
    onAttachable(point) {
      joined = point.open?.({ stdin, stdout: true, stderr: true, detachKeys: new Uint8Array(0) });
    },
  });
  const stream = await joined;
  return processOver(stream, () => execs.wait(id));
}

function processOver(stream: ProcessStream | undefined, wait: () => Promise<number>): Process {
  const pieces = new PassThrough({ objectMode: true, highWaterMark: 64 });
  const ended = stream?.read((from, data) => {
    if (pieces.write({ stream: from === 2 ? 'stderr' : 'stdout', data } satisfies Output)) return;
    stream.pause();
    pieces.once('drain', () => stream.resume());
  });
  void ended?.then(() => pieces.end());
  const process: Process = {
    input: stream?.input ?? new PassThrough(),
    async *[Symbol.asyncIterator]() {
      try {
        yield* pieces as AsyncIterable<Output>;
      } finally {
        stream?.close();
      }
    },
    async exitCode() {
      await ended;
      return await wait();
    },
    async text() {
      const chunks: Record<Output['stream'], Uint8Array[]> = { stdout: [], stderr: [] };
      for await (const { stream: from, data } of process) chunks[from].push(data);
      const text = (from: Output['stream']): string => Buffer.concat(chunks[from]).toString('utf8');
      return { exitCode: await wait(), stdout: text('stdout'), stderr: text('stderr') };
    },
  };
  return process;
}
