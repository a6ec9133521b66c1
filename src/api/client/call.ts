// One request of the route table: its path, query, body and answer, typed by its name.

import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail } from '../../base/errors.ts';
import { collectBytes } from '../../base/streams.ts';
import type { PathStat } from '../../spec/docker/container.ts';
import type { RegistryAuth } from '../../spec/docker/system.ts';
import type { ParameterKind, Route } from '../route.ts';
import { type Body, type Params, type Query, type Response, type RouteName, routes } from '../routes.ts';
import { apiVersion } from '../versions.ts';
import { failureFrom } from './failure.ts';
import { jsonLines } from './lines.ts';
import type { Transport } from './transport.ts';

export type Asked<N extends RouteName> = {
  readonly params: Params<N>;
  readonly query?: Query<N>;
  readonly body?: Body<N>;
  readonly auth?: RegistryAuth | undefined;
  readonly signal?: AbortSignal;
};

/** The same of any request. */
interface Sent {
  readonly params: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly auth?: RegistryAuth | undefined;
  readonly signal?: AbortSignal;
}

export interface Caller {
  call<N extends RouteName>(name: N, asked: Asked<N>): Promise<Response<N>>;
  /** The answer itself, once its headers are here. Fails where its status tells of a failure. */
  open<N extends RouteName>(name: N, asked: Asked<N>): Promise<IncomingMessage>;
  /** Takes a connection over (`Upgrade: tcp`). */
  hijack<N extends RouteName>(name: N, asked: Asked<N>): Promise<Hijacked>;
  readonly transport: Transport;
}

export interface Hijacked {
  readonly socket: Duplex;
  /** In frames; raw otherwise. Undefined where the server does not say (before API 1.42). */
  readonly framed: boolean | undefined;
}

export interface CallerOptions {
  /** Pins the version: nothing is negotiated. */
  readonly version?: string;
  readonly userAgent: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const documentLimit = 256 << 20;

export function createCaller(transport: Transport, options: CallerOptions): Caller {
  let negotiated: Promise<string> | undefined;
  const version = (): Promise<string> => {
    negotiated ??= options.version ? Promise.resolve(options.version) : negotiate(transport, options);
    negotiated.catch(() => {
      negotiated = undefined;
    });
    return negotiated;
  };
  const send = async (name: RouteName, asked: Sent, upgrade: boolean): Promise<Answered> => {
    const route: Route = routes[name];
    const prefix = route.answer.kind === 'ping' ? '' : `/v${await version()}`;
    const path = `${prefix}${pathOf(route, asked.params)}${queryOf(route, asked.query ?? {})}`;
    return await exchange(transport, options, route, path, asked, upgrade);
  };
  const open = async (name: RouteName, asked: Sent): Promise<IncomingMessage> => {
    const { response } = await send(name, asked, false);
    await checkStatus(routes[name], response);
    return response;
  };
  return {
    transport,
    open: (name, asked) => open(name, asked as Sent),
    async call(name, asked) {
      const response = await open(name, asked as Sent);
      return (await readAnswer(routes[name], response)) as Response<typeof name>;
    },
    async hijack(name, asked) {
      const { response, socket } = await send(name, asked as Sent, true);
      if (socket === undefined) {
        await checkStatus(routes[name], response);
        response.destroy();
        return fail('unavailable', 'remote.upgrade', `the server answered ${response.statusCode} and does not upgrade`);
      }
      const type = response.headers['content-type'] ?? '';
      return { socket, framed: type.includes('multiplexed') ? true : undefined };
    },
  };
}

/** The lesser of both versions, as the answer to a ping tells it. */
async function negotiate(transport: Transport, options: CallerOptions): Promise<string> {
  const asked = { params: {} };
  const { response } = await exchange(transport, options, routes.SystemPing, '/_ping', asked, false);
  await checkStatus(routes.SystemPing, response);
  response.resume();
  const theirs = String(response.headers['api-version'] ?? '1.24');
  const minor = (version: string): number => Number(version.split('.')[1] ?? 24);
  return minor(theirs) < minor(apiVersion) ? theirs : apiVersion;
}

interface Answered {
  readonly response: IncomingMessage;
  readonly socket?: Duplex;
}

async function exchange(
  transport: Transport,
  { userAgent, headers }: CallerOptions,
  route: Route,
  path: string,
  asked: Sent,
  upgrade: boolean,
): Promise<Answered> {
  const json = route.body?.kind === 'json' ? route.body.write(asked.body as never) : undefined;
  const text = json === undefined ? undefined : JSON.stringify(json);
  const bytes = route.body?.kind === 'bytes' ? (asked.body as AsyncIterable<Uint8Array> | undefined) : undefined;
  const request = httpRequest({
    agent: transport.agent,
    method: route.method,
    path,
    ...(asked.signal ? { signal: asked.signal } : {}),
    headers: {
      ...headers,
      Host:
        transport.address.kind === 'tcp' ? `${transport.address.host}:${transport.address.port}` : 'api.moby.localhost',
      'User-Agent': userAgent,
      ...(asked.auth ? { 'X-Registry-Auth': authHeader(asked.auth) } : {}),
      ...(text === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
      ...(bytes === undefined ? {} : { 'Content-Type': 'application/x-tar' }),
      ...(text === undefined && bytes === undefined && route.method === 'POST' ? { 'Content-Length': 0 } : {}),
      ...(upgrade ? { Connection: 'Upgrade', Upgrade: 'tcp' } : {}),
    },
  });
  const answered = answerTo(request, transport, asked.signal);
  if (bytes === undefined) request.end(text);
  else void pipeline(bytes, request).catch((error) => request.destroy(error)); // told by the answer
  return await answered;
}

function answerTo(request: ClientRequest, transport: Transport, signal: AbortSignal | undefined): Promise<Answered> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => resolve({ response }));
    request.on('upgrade', (response, socket, head) => {
      socket.on('error', () => {}); // 'close' follows
      if (head.length > 0) socket.unshift(head);
      resolve({ response, socket });
    });
    request.on('error', (error) => reject(signal?.aborted === true ? cancelled() : transport.explain(error)));
  });
}

const cancelled = (): unknown => {
  try {
    return fail('cancelled', 'remote.cancelled', 'the request was cancelled');
  } catch (error) {
    return error;
  }
};

const authHeader = (auth: RegistryAuth): string => Buffer.from(JSON.stringify(auth)).toString('base64url');

async function checkStatus(route: Route, response: IncomingMessage): Promise<void> {
  const status = response.statusCode ?? 0;
  if ((status >= 200 && status < 300) || status === 304 || status === 101) return;
  const text = await collectBytes(response, 1 << 20, 'the answer').catch(() => new Uint8Array(0));
  throw failureFrom(route, status, Buffer.from(text).toString('utf8'));
}

async function readAnswer(route: Route, response: IncomingMessage): Promise<unknown> {
  switch (route.answer.kind) {
    case 'json': {
      const bytes = await collectBytes(response, documentLimit, 'the answer');
      const text = Buffer.from(bytes).toString('utf8');
      return text.trim() === '' ? undefined : JSON.parse(text);
    }
    case 'lines':
    case 'progress':
      return jsonLines(response);
    case 'tar':
      return bytesOf(response);
    case 'archive':
      return { stat: statOf(response), tar: bytesOf(response) };
    case 'stat':
      response.resume();
      return statOf(response);
    default:
      response.resume();
      return undefined;
  }
}

/** A body that breaks off is a failure, not an end. */
async function* bytesOf(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  yield* response as AsyncIterable<Uint8Array>;
}

function statOf(response: IncomingMessage): PathStat {
  const header = String(response.headers['x-docker-container-path-stat'] ?? '');
  return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as PathStat;
}

export function pathOf(route: Route, params: Readonly<Record<string, string>>): string {
  return route.path.replace(/\{(\w+)(\*?)\}/g, (_, name: string, slashes: string) => {
    const text = encodeURIComponent(params[name] ?? '');
    return slashes === '' ? text : text.replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
  });
}

export function queryOf(route: Route, asked: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, kind] of Object.entries(route.query ?? {})) {
    for (const text of textsOf(kind, asked[name])) search.append(name, text);
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** What says nothing is left out. */
function textsOf(kind: ParameterKind, value: unknown): readonly string[] {
  if (value === undefined || value === '' || value === false) return [];
  if (kind === 'bool') return ['1'];
  if (kind === 'strings') return value as readonly string[];
  if (kind === 'time')
    return value === 0
      ? []
      : [
          Number(value)
            .toFixed(9)
            .replace(/\.?0+$/, ''),
        ];
  if (kind !== 'filters') return [String(value)];
  const filters = Object.entries(value as Readonly<Record<string, readonly string[]>>).filter(
    ([, all]) => all.length > 0,
  );
  if (filters.length === 0) return [];
  const document = filters.map(([key, all]) => [key, Object.fromEntries(all.map((one) => [one, true]))]);
  return [JSON.stringify(Object.fromEntries(document))];
}
