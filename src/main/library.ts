// `import { connect } from 'hoist'`: the engine for programs in TypeScript. The verbs and their documents are those of the
// Engine interface, over the API's route table; what is added here is what a program wants to say in one line.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Connection, parseAddress, type Tls } from '../api/client/address.ts';
import { remoteEngine } from '../api/client/engine.ts';
import { fail } from '../base/errors.ts';
import { hoistVersion } from '../base/version.ts';
import { resolveEngine } from '../cli/contexts/resolve.ts';
import { parseFlags } from '../cli/parse.ts';
import { rootFlags } from '../cli/root.ts';
import type { Engine } from '../engine/engine.ts';
import type { EventMessage } from '../spec/docker/system.ts';
import { filesIn } from './files-io.ts';
import { type Container, containerOf, type RunRequest, runContainer } from './library-container.ts';
import { nativeBinary } from './native.ts';

export { type ErrorKind, HoistError, isHoistError } from '../base/errors.ts';
export type * from '../engine/engine.ts';
export type * from '../spec/docker/container.ts';
export type * from '../spec/docker/image.ts';
export type * from '../spec/docker/network.ts';
export type * from '../spec/docker/system.ts';
export type * from '../spec/docker/volume.ts';
export type { Container, ExecOptions, Output, Process, RunRequest } from './library-container.ts';
export type { Tls };

export interface ConnectOptions {
  /** `unix:///…`, `tcp://…`, `ssh://…`. Without it: DOCKER_HOST, the current context, or this machine's engine. */
  readonly host?: string;
  readonly tls?: Tls;
  /** Plain text over the network, on purpose. */
  readonly insecure?: boolean;
}

export interface Hoist extends Engine, AsyncDisposable {
  /** Makes a container and starts it; its image is pulled where it is missing. */
  run(request: RunRequest): Promise<Container>;
  /** One that exists, by its name or id. Disposing of it does nothing. */
  container(ref: string): Promise<Container>;
  /** What happens from now on. */
  events(options?: {
    readonly filters?: Readonly<Record<string, readonly string[]>>;
    readonly signal?: AbortSignal;
  }): AsyncIterable<EventMessage>;
  close(): void;
}

/** Finds the engine, and starts it where this machine's does not run. Fails where nobody answers. */
export async function connect(options: ConnectOptions = {}): Promise<Hoist> {
  const connection = await connectionOf(options);
  const remote = remoteEngine(connection, { userAgent: `hoist-library/${hoistVersion}` });
  await remote.system.version();
  const { containers, execs, images, networks, volumes, system } = remote;
  return {
    ...{ containers, execs, images, networks, volumes, system },
    run: (request) => runContainer(remote, request),
    container: async (ref) => containerOf(remote, (await containers.inspect(ref)).Id, false),
    events: ({ filters = {}, signal = new AbortController().signal } = {}) => system.events({ filters, signal }),
    close: () => remote.close(),
    [Symbol.asyncDispose]: async () => remote.close(),
  };
}

async function connectionOf({ host, tls, insecure = false }: ConnectOptions): Promise<Connection> {
  if (host !== undefined) return { address: parseAddress(host), insecure, ...(tls ? { tls } : {}) };
  const place = { env: process.env, readFile: filesIn(process.cwd(), process.pid).readFile };
  const { flags } = parseFlags(rootFlags(process.env['HOME'] ?? ''), [], true);
  const named = await resolveEngine(place, flags);
  return named ?? { address: parseAddress(await localSocket()) };
}

/** The native command knows where this machine's engine is, and starts it where it does not run. */
async function localSocket(): Promise<string> {
  const { DOCKER_HOST: _, HOIST_NO_ENGINE: __, ...env } = process.env;
  const args = ['--context', 'default', 'context', 'inspect', '--format', '{{.Endpoints.docker.Host}}', 'default'];
  try {
    return (await promisify(execFile)(nativeBinary(), args, { env })).stdout.trim();
  } catch (cause) {
    const said = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr).trim() : '';
    return fail('unavailable', 'engine.start', said || `cannot run ${nativeBinary()}: ${cause}`, { cause });
  }
}
