// How a registry wants to know who asks: Basic, or Bearer with a token service (distribution-spec "token").
// A secret goes only to the registry it belongs to and to the token service that this registry names, over TLS
// unless the registry itself is reached without.

import { fail } from '../../base/errors.ts';
import type { Credential } from './credentials.ts';
import { type StatusContext, statusFailure } from './failure.ts';
import { type HttpAnswer, type HttpClient, readBody, readStart } from './http.ts';
import { type RetryPolicy, withRetries } from './retry.ts';

export interface Authorizer {
  /** The Authorization header for the next request; undefined while nobody asked for one. */
  header(): string | undefined;
  /**
   * Answers a 401. `used` is the header that was refused: when another request has renewed it meanwhile, nothing is
   * asked again. False: there is nothing more that we could say.
   */
  answer(challenge: string | undefined, used: string | undefined, signal: AbortSignal): Promise<boolean>;
}

export interface AuthorizerOptions {
  readonly http: HttpClient;
  readonly policy: RetryPolicy;
  /** Of the registry: `https://registry-1.docker.io`. */
  readonly origin: () => URL;
  /** `repository:library/busybox:pull`; several for a push that mounts. */
  readonly scopes: readonly string[];
  readonly credential: () => Promise<Credential | undefined>;
  readonly context: StatusContext;
  readonly onRefreshToken?: (token: string) => void;
}

export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  let current: string | undefined;
  let renewal: Promise<string | undefined> | undefined;

  const renew = async (challenges: readonly Challenge[], signal: AbortSignal): Promise<string | undefined> => {
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    const credential = await options.credential();
    if (bearer !== undefined && credential?.kind === 'bearer') return `Bearer ${credential.token}`;
    if (bearer !== undefined) return `Bearer ${await fetchToken(bearer, options, signal)}`;
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined;
    return credential?.kind === 'password' ? basic(credential) : undefined;
  };

  return {
    header: () => current,
    async answer(challenge, used, signal) {
      if (current !== used) return true;
      renewal ??= renew(parseChallenges(challenge ?? ''), signal).finally(() => {
        renewal = undefined;
      });
      const next = await renewal;
      // The same Basic header again would only be refused again.
      if (next === undefined || next === used) return false;
      current = next;
      return true;
    },
  };
}

function basic(credential: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

async function fetchToken(challenge: Challenge, options: AuthorizerOptions, signal: AbortSignal): Promise<string> {
  const realm = challenge.parameters['realm'] ?? '';
  const origin = options.origin();
  if (!URL.canParse(realm)) fail('unavailable', 'registry.challenge', `${origin.host} names no token service`);
  const url = new URL(realm);
  if (url.protocol !== 'https:' && (url.protocol !== 'http:' || origin.protocol === 'https:')) {
    fail('denied', 'registry.downgrade', `${origin.host} wants a token from ${url.host} without TLS`);
  }
  const credential = await options.credential();
  const { service } = challenge.parameters;
  const scopes = [...new Set([...options.scopes, ...(challenge.parameters['scope'] ?? '').split(' ')])].filter(
    (s) => s !== '',
  );
  const context = { ...options.context, host: url.host, what: 'token' };
  return withRetries(options.policy, signal, async () => {
    const answer =
      credential?.kind === 'identity'
        ? await postForToken(url, credential.token, { service, scopes }, options.http, signal)
        : await getToken(
            url,
            credential?.kind === 'password' ? credential : undefined,
            { service, scopes, offline: options.onRefreshToken !== undefined },
            options.http,
            signal,
          );
    if (answer.status !== 200) {
      const { status, headers } = answer;
      const text = await readStart(answer);
      throw statusFailure(
        { status, contentType: headers['content-type'] ?? '', retryAfter: headers['retry-after'], text },
        context,
      );
    }
    const body = await readBody(answer, 1 << 20);
    const refresh = tokenAt(body, ['refresh_token']);
    if (refresh !== undefined) options.onRefreshToken?.(refresh);
    return (
      tokenAt(body, ['token', 'access_token']) ??
      fail('unavailable', 'registry.token', `the token service ${url.host} did not answer with a token`)
    );
  });
}

interface TokenRequest {
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  /** Also wanted: a token that stands for the password from now on. */
  readonly offline?: boolean;
}

function getToken(
  realm: URL,
  credential: Extract<Credential, { kind: 'password' }> | undefined,
  request: TokenRequest,
  http: HttpClient,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const url = new URL(realm);
  if (request.service !== undefined) url.searchParams.set('service', request.service);
  for (const scope of request.scopes) url.searchParams.append('scope', scope);
  if (credential !== undefined) url.searchParams.set('account', credential.username);
  if (request.offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', 'hoist');
  }
  const headers: Record<string, string> = credential === undefined ? {} : { authorization: basic(credential) };
  return http.send({ method: 'GET', url, headers, signal });
}

function postForToken(
  url: URL,
  refreshToken: string,
  request: TokenRequest,
  http: HttpClient,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: 'hoist',
    scope: request.scopes.join(' '),
    ...(request.service === undefined ? {} : { service: request.service }),
  });
  const bytes = Buffer.from(form.toString());
  return http.send({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: {
      size: bytes.length,
      async *open() {
        yield bytes;
      },
    },
    signal,
  });
}

/** The first of these members that is a token. */
function tokenAt(body: Buffer | undefined, names: readonly string[]): string | undefined {
  try {
    const answer = JSON.parse(body?.toString('utf8') ?? '') as Record<string, unknown> | null;
    const token = names.map((name) => answer?.[name]).find((value) => value !== undefined);
    // Visible ASCII only: what else could be smuggled into a header.
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
  } catch {
    return undefined;
  }
}

/** WWW-Authenticate: several challenges, each a scheme with `name="value"` pairs (RFC 9110, 11.6.1). */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /\s*,?\s*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/y;
  for (;;) {
    const match = token.exec(header);
    if (match === null) return challenges;
    const [, name = '', quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else {
      const parameters = challenges.at(-1)?.parameters;
      if (parameters !== undefined) parameters[name.toLowerCase()] = value;
    }
  }
}
