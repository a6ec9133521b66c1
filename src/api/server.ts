// The Engine API over HTTP: requests find their endpoint in the route table, handlers ask the engine, answers are written.

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { hoistVersion } from '../base/version.ts';
import type { Engine } from '../engine/engine.ts';
import { send, sendJson } from './answer.ts';
import { registryAuthOf } from './body/system.ts';
import type { Call, Upgrade } from './call.ts';
import { failureOf, Refusal } from './failure.ts';
import { handlers } from './handlers/index.ts';
import { matcher, newest, readTarget, type Target } from './path.ts';
import { readQuery } from './query.ts';
import { refusals } from './refusals.ts';
import { jsonLimit, readJson } from './request-body.ts';
import type { Route } from './route.ts';
import { type RouteName, routes } from './routes.ts';
import type { SpoolLimits } from './stream/spool.ts';
import { bodyBeforeUpgrade } from './stream/wire.ts';
import { apiVersion } from './versions.ts';

/** PEM texts. Who has no certificate of `ca` is not served. */
export interface ServerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface ApiServerOptions {
  readonly engine: () => Engine;
  /** What nobody else hears of: bugs. Never bodies, never headers. */
  readonly log: (message: string) => void;
  /** Where output waits for clients that are slow. */
  readonly spool: SpoolLimits;
}

const find = matcher(routes);
const findRefused = matcher(refusals);

export function createApiServer(options: ApiServerOptions, tls?: ServerTls): Server {
  const limits = {
    maxHeaderSize: 2 ** 20, // as Go's
    requestTimeout: 0, // a tar may take long
    keepAliveTimeout: 0, // a client that uses its connection again must not find it closed
    headersTimeout: 60_000,
  };
  const server = tls
    ? createTlsServer({
        ...limits,
        ...tls,
        allowHalfOpen: true,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
      })
    : createServer(limits);
  server.on('request', (request, response) => void serve(options, request, response, undefined));
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {}); // its end is enough
    const response = new ServerResponse(request);
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    void serve(options, request, response, { socket, head });
  });
  server.on('clientError', (error, socket) => {
    const tooLarge = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW';
    if (socket.writable && !socket.destroyed)
      socket.end(plain(tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'));
    else socket.destroy();
  });
  return server;
}

const plain = (status: string): string => {
  const body = `${JSON.stringify({ message: status.slice(4) })}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
};

interface RawUpgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

async function serve(
  { engine, log, spool }: ApiServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  raw: RawUpgrade | undefined,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => {});
  setCommonHeaders(response);
  try {
    const target = readTarget(request.url ?? '/');
    if (request.method === 'OPTIONS') return void response.writeHead(200, { 'Content-Length': 0 }).end();
    const name = endpointOf(request.method ?? '', target);
    const route: Route = routes[name.name];
    const { body, upgrade } = await bodyOf(route, request, raw, target.minor);
    const call = {
      engine: engine(),
      minor: target.minor,
      params: name.params,
      query: readQuery(target.search, route.query ?? {}),
      body,
      auth: registryAuthOf(header(request, 'x-registry-auth')),
      signal: gone.signal,
      request,
      response,
      upgrade,
      spool,
    };
    const handle = handlers[name.name] as (call: unknown) => unknown;
    const value = await handle(call satisfies Omit<Call<RouteName>, 'params' | 'query' | 'body'>);
    if (gone.signal.aborted) return;
    await send(response, route.answer, value, {
      minor: target.minor,
      signal: gone.signal,
      failed: (error) => failureOf(error, log).message,
    });
  } catch (error) {
    if (gone.signal.aborted || response.destroyed) return;
    tell(request, response, raw, failureOf(error, log));
  }
}

/** An answer that has begun can only be cut off: the client sees that it is not whole. */
function tell(
  request: IncomingMessage,
  response: ServerResponse,
  raw: RawUpgrade | undefined,
  { status, message }: { readonly status: number; readonly message: string },
): void {
  if (response.headersSent) {
    (raw?.socket ?? response).destroy();
    return;
  }
  if (status === 304) return void response.writeHead(304).end();
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = request.headers;
  if (!request.complete && (chunked !== undefined || length !== '0')) response.setHeader('Connection', 'close'); // what is left of the body is not waited for
  sendJson(response, status, { message });
}

function setCommonHeaders(response: ServerResponse): void {
  response.setHeader('Api-Version', apiVersion);
  response.setHeader('Docker-Experimental', 'false');
  response.setHeader('Ostype', 'linux');
  response.setHeader('Server', `Docker/${hoistVersion} (linux)`);
}

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

function endpointOf(
  method: string,
  { path, minor }: Target,
): { name: RouteName; params: Readonly<Record<string, string>> } {
  const found = find(method, path);
  const refused = findRefused(method, path);
  // a refusal that is more literal than the endpoint: `/plugins/privileges`
  if (found && ((routes[found.name] as Route).since ?? 0) <= (minor || newest)) return found;
  const refusal = refused && refusals[refused.name];
  throw refusal ? new Refusal(refusal.status, refusal.message) : new Refusal(404, 'page not found');
}

async function bodyOf(
  route: Route,
  request: IncomingMessage,
  raw: RawUpgrade | undefined,
  minor: number,
): Promise<{ readonly body: unknown; readonly upgrade: Upgrade | undefined }> {
  const taken = raw && (await bodyBeforeUpgrade(request, raw.socket, raw.head, jsonLimit));
  const upgrade = raw && {
    protocol: (header(request, 'upgrade') ?? '').toLowerCase(),
    socket: raw.socket,
  };
  const source: AsyncIterable<Uint8Array> = taken ? once(taken) : request;
  if (route.body?.kind === 'bytes') return { body: source, upgrade };
  if (route.body?.kind !== 'json') return { body: undefined, upgrade };
  return { body: route.body.read(await readJson(request, source), minor), upgrade };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}
