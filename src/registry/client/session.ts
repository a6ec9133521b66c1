// Requests to one repository of one registry: which address it has, who we are there, and what its refusals mean.

import { familiarRepository, type Reference } from '../../spec/oci/reference.ts';
import { createAuthorizer } from './auth.ts';
import type { CredentialSource } from './credentials.ts';
import { type StatusContext, statusFailure, Transient } from './failure.ts';
import { type HttpAnswer, type HttpBody, type HttpClient, type HttpRequest, readStart } from './http.ts';
import { isLoopback } from './proxy.ts';
import { type RetryPolicy, throwIfCancelled, withRetries } from './retry.ts';

export interface SessionOptions {
  readonly http: HttpClient;
  readonly policy: RetryPolicy;
  readonly ref: Pick<Reference, 'domain' | 'path'>;
  readonly isInsecure: (host: string) => boolean;
  readonly credentials: CredentialSource;
  readonly action: 'pull' | 'push';
  readonly mountFrom?: readonly string[];
  /** What is asked of a token service; those of the repository where nothing is said. */
  readonly scopes?: readonly string[];
  /** Asks the token service for a token that stands for the password, and gets it here. */
  readonly onRefreshToken?: (token: string) => void;
}

export interface Question {
  readonly method: HttpRequest['method'];
  /** Below `/v2/<name>/`; with a slash in front, below the root; or a whole URL that the registry named (an upload's Location). */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
  /** For the sentence about a failure. */
  readonly what: string;
  readonly kind: StatusContext['kind'];
  /** Statuses that are an answer; every other one is thrown as a failure. */
  readonly expect: readonly number[];
  readonly signal: AbortSignal;
}

export interface Session {
  /** Familiar name of the repository. */
  readonly name: string;
  /** One question with authorization; rejects with Transient where another attempt may help. */
  ask(question: Question): Promise<HttpAnswer>;
  retrying<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T>;
}

export function openSession(options: SessionOptions): Session {
  const { http, policy, ref } = options;
  const name = familiarRepository({ ...ref });
  let origin: Promise<URL> | undefined;
  let resolved: URL | undefined;
  const context = (question: Pick<Question, 'what' | 'kind'>): StatusContext => ({
    host: resolved?.host ?? ref.domain,
    repository: name,
    action: options.action,
    what: question.what,
    kind: question.kind,
  });
  const auth = createAuthorizer({
    http,
    policy,
    origin: () => resolved ?? new URL(`https://${ref.domain}`),
    ...(options.onRefreshToken === undefined ? {} : { onRefreshToken: options.onRefreshToken }),
    scopes: options.scopes ?? [
      `repository:${ref.path}:${options.action === 'push' ? 'pull,push' : 'pull'}`,
      ...(options.mountFrom ?? []).map((path) => `repository:${path}:pull`),
    ],
    credential: () => options.credentials.get(ref.domain),
    context: context({ what: 'token', kind: 'manifest' }),
  });

  const originOf = async (signal: AbortSignal): Promise<URL> => {
    origin ??= findOrigin(options, signal);
    try {
      resolved = await origin;
      return resolved;
    } catch (error) {
      origin = undefined;
      throw error;
    }
  };

  return {
    name,
    retrying: (signal, attempt) => withRetries(policy, signal, attempt),
    async ask(question) {
      const base = await originOf(question.signal);
      const url = urlOf(question.path, ref.path, base);
      for (let attempt = 0; ; attempt++) {
        // An upload's Location may be at another origin, which has no claim to our secrets.
        const authorization = url.origin === base.origin ? auth.header() : undefined;
        const answer = await http.send({
          method: question.method,
          url,
          headers: { ...question.headers, ...(authorization === undefined ? {} : { authorization }) },
          ...(question.body === undefined ? {} : { body: question.body }),
          signal: question.signal,
        });
        if (question.expect.includes(answer.status)) return answer;
        const challenge = answer.headers['www-authenticate'];
        // Two answers at most: an expired token, then one that asks for more. Only the registry itself may ask.
        if (answer.status === 401 && attempt < 2 && answer.url.origin === base.origin) {
          if (await auth.answer(challenge, authorization, question.signal)) {
            answer.discard();
            continue;
          }
        }
        throw await refusal(answer, question.method, context(question));
      }
    },
  };
}

function urlOf(path: string | URL, repository: string, base: URL): URL {
  if (typeof path !== 'string') return path;
  return new URL(path.startsWith('/') ? path : `/v2/${repository}/${path}`, base);
}

async function refusal(answer: HttpAnswer, method: HttpRequest['method'], context: StatusContext): Promise<Error> {
  const { status, headers } = answer;
  const text = method === 'HEAD' ? '' : await readStart(answer);
  return statusFailure(
    { status, contentType: headers['content-type'] ?? '', retryAfter: headers['retry-after'], text },
    context,
  );
}

/** Docker Hub's API has an address of its own; an insecure registry may or may not speak TLS. */
async function findOrigin(options: SessionOptions, signal: AbortSignal): Promise<URL> {
  const { domain } = options.ref;
  const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
  const secure = new URL(`https://${host}`);
  if (!options.isInsecure(host)) return secure;
  const plain = new URL(`http://${host}`);
  // On loopback TLS is the exception; elsewhere it is never given up untried.
  if (isLoopback(plain.hostname) && (await speaks(options.http, plain, signal)) === 'yes') return plain;
  return (await speaks(options.http, secure, signal)) === 'yes' ? secure : plain;
}

/** Whether a registry answers there. A port that speaks TLS breaks a plain connection, or says so (Go's server). */
async function speaks(http: HttpClient, base: URL, signal: AbortSignal): Promise<'yes' | 'no'> {
  try {
    const answer = await http.send({ method: 'GET', url: new URL('/v2/', base), signal });
    if (answer.status !== 400) {
      answer.discard();
      return 'yes';
    }
    return /HTTPS server/i.test(await readStart(answer)) ? 'no' : 'yes';
  } catch (error) {
    throwIfCancelled(signal);
    if (error instanceof Transient && error.stalled) throw error.final;
    if (error instanceof Transient || base.protocol === 'https:') return 'no';
    if (error instanceof Error && 'code' in error && error.code === 'registry.not_http') return 'no';
    throw error;
  }
}
