// One HTTP exchange with a registry: keep-alive, an idle limit on every wait, proxies, redirects that never carry a
// secret to another origin. It knows nothing of registries; statuses are the caller's business.

import http from 'node:http';
import https from 'node:https';
import type tls from 'node:tls';
import { fail, HoistError } from '../../base/errors.ts';
import { networkFailure, stalled, Transient } from './failure.ts';
import { type Env, proxyFor, proxyHeaders, TunnelAgent } from './proxy.ts';
import { throwIfCancelled } from './retry.ts';
import { loadTrust } from './trust.ts';

export interface HttpOptions {
  /** Longest wait for a connection, for an answer, and for the next bytes of it. */
  readonly idleMs: number;
  readonly env: Env;
  /** Hosts (with port) whose certificates are not checked and that may be reached without TLS. */
  readonly isInsecure: (host: string) => boolean;
  /** Directories like /etc/docker/certs.d. */
  readonly certificateDirectories: readonly string[];
  readonly userAgent: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  readonly signal: AbortSignal;
}

/** A body that can be sent again: after a redirect, or by another attempt. */
export interface HttpBody {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** Read it to the end, or leave the loop: both free the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** For an answer whose body nobody wants. */
  discard(): void;
}

export interface HttpClient extends AsyncDisposable {
  /** Rejects with Transient where another attempt may help. */
  send(request: HttpRequest): Promise<HttpAnswer>;
}

const maxRedirects = 10;

export function openHttp(options: HttpOptions): HttpClient {
  const agents = new Map<string, http.Agent>();
  const trust = new Map<string, Promise<tls.SecureContext>>();

  const agentFor = (secure: boolean, proxy: URL | undefined): http.Agent => {
    const key = `${secure} ${secure ? (proxy?.href ?? '') : ''}`;
    let agent = agents.get(key);
    if (agent === undefined) {
      const settings = { keepAlive: true, maxFreeSockets: 16 };
      agent = !secure ? new http.Agent(settings) : proxy ? new TunnelAgent(proxy, settings) : new https.Agent(settings);
      agents.set(key, agent);
    }
    return agent;
  };

  const tlsOptions = async (url: URL): Promise<https.RequestOptions> => {
    if (options.isInsecure(url.host)) return { rejectUnauthorized: false };
    const known = trust.get(url.host) ?? loadTrust(url.host, options.certificateDirectories, options.env);
    trust.set(url.host, known);
    return { secureContext: await known } as https.RequestOptions;
  };

  const exchange = async (request: HttpRequest): Promise<HttpAnswer> => {
    const { url } = request;
    const secure = url.protocol === 'https:';
    const proxy = proxyFor(url, options.env);
    // A plain request through a proxy names the whole URL (RFC 9112, 3.2.2); TLS goes through a tunnel.
    const through = secure ? undefined : proxy;
    const target = through ?? url;
    return exchangeOnce(request, options.idleMs, {
      method: request.method,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port === '' ? (target.protocol === 'https:' ? 443 : 80) : Number(target.port),
      path: through === undefined ? url.pathname + url.search : url.href,
      agent: agentFor(secure, proxy),
      headers: {
        host: url.host,
        'user-agent': options.userAgent,
        'accept-encoding': 'identity',
        ...(through === undefined ? {} : proxyHeaders(through)),
        ...(request.body === undefined ? {} : { 'content-length': String(request.body.size) }),
        ...request.headers,
      },
      ...(secure ? await tlsOptions(url) : {}),
    });
  };

  return {
    send: (request) => followRedirects(request, exchange, options.isInsecure),
    async [Symbol.asyncDispose]() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

async function followRedirects(
  request: HttpRequest,
  exchange: (request: HttpRequest) => Promise<HttpAnswer>,
  isInsecure: (host: string) => boolean,
): Promise<HttpAnswer> {
  let current = request;
  for (let hops = 0; ; hops++) {
    throwIfCancelled(request.signal);
    const answer = await exchange(current);
    const { location } = answer.headers;
    if (!isRedirect(answer.status, request.method) || location === undefined) return answer;
    answer.discard();
    if (hops === maxRedirects) fail('unavailable', 'registry.redirects', `${request.url.host} redirects without end`);
    current = redirected(current, location, isInsecure);
  }
}

function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  return (status === 301 || status === 302 || status === 303) && (method === 'GET' || method === 'HEAD');
}

/** The request at its new address: without its secrets where that is another origin, and never from TLS to none. */
function redirected(request: HttpRequest, location: string, isInsecure: (host: string) => boolean): HttpRequest {
  const from = request.url;
  if (!URL.canParse(location, from.href)) fail('unavailable', 'registry.redirects', `${from.host} redirects to no URL`);
  const url = new URL(location, from);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    fail('unavailable', 'registry.redirects', `${from.host} redirects to a ${url.protocol} URL`);
  }
  if (from.protocol === 'https:' && url.protocol === 'http:' && !isInsecure(url.host)) {
    fail('denied', 'registry.downgrade', `${from.host} redirects to ${url.host} without TLS`);
  }
  url.username = '';
  url.password = '';
  if (url.origin === from.origin) return { ...request, url };
  const kept = Object.entries(request.headers ?? {}).filter(([name]) => !/^(authorization|cookie)$/i.test(name));
  return { ...request, url, headers: Object.fromEntries(kept) };
}

function exchangeOnce(request: HttpRequest, idleMs: number, settings: https.RequestOptions): Promise<HttpAnswer> {
  const { url, signal } = request;
  return new Promise((resolve, reject) => {
    let outgoing: http.ClientRequest;
    try {
      outgoing = (url.protocol === 'https:' ? https : http).request({ ...settings, signal });
    } catch (error) {
      // A header with forbidden characters, say from a token that a hostile service made.
      reject(new HoistError('corrupt', 'registry.request', `cannot ask ${url.host}`, { cause: error }));
      return;
    }
    const timer = setTimeout(() => outgoing.destroy(stalled(url.host, idleMs)), idleMs);
    outgoing.once('response', (incoming) => {
      clearTimeout(timer);
      resolve(answerOf(incoming, request, idleMs));
    });
    // Errors of a body under way come out of the body; this listener keeps them from being thrown.
    outgoing.on('error', (error) => {
      clearTimeout(timer);
      reject(translate(error, request, outgoing.reusedSocket));
    });
    sendBody(outgoing, request.body, timer).catch((error: unknown) => outgoing.destroy(error as Error));
  });
}

async function sendBody(outgoing: http.ClientRequest, body: HttpBody | undefined, timer: NodeJS.Timeout) {
  for await (const chunk of body?.open() ?? []) {
    timer.refresh();
    if (outgoing.destroyed || outgoing.writableEnded) return;
    if (!outgoing.write(chunk)) await roomIn(outgoing);
  }
  timer.refresh();
  outgoing.end();
}

function roomIn(outgoing: http.ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off('drain', go).off('close', go).off('response', go);
      resolve();
    };
    outgoing.once('drain', go).once('close', go).once('response', go);
  });
}

function translate(error: unknown, request: HttpRequest, reused: boolean): unknown {
  if (request.signal.aborted) {
    try {
      throwIfCancelled(request.signal);
    } catch (cancelled) {
      return cancelled;
    }
  }
  if (error instanceof Transient || error instanceof HoistError) return error;
  const failure = networkFailure(error, request.url.host);
  // A kept connection that the server closed while idle: no failure at all, ask on a new one.
  return reused && failure instanceof Transient ? new Transient(failure.final, { afterMs: 0 }) : failure;
}

function answerOf(incoming: http.IncomingMessage, request: HttpRequest, idleMs: number): HttpAnswer {
  // Errors reach the reader through the iterator; a discarded body must not throw them into the air.
  incoming.on('error', () => {});
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    url: request.url,
    body: chunksOf(incoming, request, idleMs),
    discard() {
      const length = Number(incoming.headers['content-length'] ?? Number.NaN);
      // Reading a little is cheaper than a new connection.
      if (request.method === 'HEAD' || length <= 65_536) incoming.resume();
      else incoming.destroy();
    },
  };
}

/** The body's bytes. The idle limit counts the peer's time only, never the reader's. */
async function* chunksOf(incoming: http.IncomingMessage, request: HttpRequest, idleMs: number) {
  let waiting = true;
  const timer = setTimeout(() => {
    if (waiting) incoming.destroy(stalled(request.url.host, idleMs));
  }, idleMs);
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      waiting = false;
      yield chunk;
      waiting = true;
      timer.refresh();
    }
  } catch (error) {
    throw translate(error, request, false);
  } finally {
    clearTimeout(timer);
    if (!incoming.complete) incoming.destroy();
  }
}

/** A small body as a whole; undefined when it is longer than `limit`. */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer | undefined> {
  if (Number(answer.headers['content-length'] ?? 0) > limit) {
    answer.discard();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The start of a body, for a sentence about it; '' when even that does not come. */
export async function readStart(answer: HttpAnswer): Promise<string> {
  let text = Buffer.alloc(0);
  try {
    for await (const chunk of answer.body) {
      text = Buffer.concat([text, chunk]);
      if (text.length >= 16_384) break;
    }
  } catch {
    // The status is what matters; its words are a bonus.
  }
  return text.subarray(0, 16_384).toString('utf8');
}
