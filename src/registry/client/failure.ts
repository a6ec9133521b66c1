// What can go wrong between us and a registry, each as one sentence; and whether trying again can help.
// Words that a registry sends are shown, never trusted: control characters go, the length is bounded.

import { errnoOf, HoistError } from '../../base/errors.ts';

/** A failure that another attempt may heal; `final` is what the user reads when it does not. */
export class Transient extends Error {
  readonly final: HoistError;
  /** How long the peer asked us to wait (Retry-After); 0: at once. */
  readonly afterMs: number | undefined;
  /** Nothing came for the whole idle time: another attempt would cost as much again. */
  readonly stalled: boolean;

  constructor(final: HoistError, options: { readonly afterMs?: number; readonly stalled?: boolean } = {}) {
    super(final.message, { cause: final });
    this.final = final;
    this.afterMs = options.afterMs;
    this.stalled = options.stalled ?? false;
  }
}

/** The error of a socket, of TLS or of the HTTP parser, in words. Transient where another attempt may help. */
export function networkFailure(error: unknown, host: string): HoistError | Transient {
  const code = errnoOf(error) ?? '';
  const detail = { cause: error };
  const reason = printable(error instanceof Error ? error.message : String(error));
  const unavailable = (name: string, message: string, hint?: string) =>
    new HoistError('unavailable', name, message, hint === undefined ? detail : { ...detail, hint });
  switch (code) {
    case 'ENOTFOUND':
      return unavailable(
        'registry.unknown_host',
        `no such host: ${host}`,
        'check the name of the registry and the DNS of this machine',
      );
    case 'EAI_AGAIN':
      return new Transient(
        unavailable('registry.unknown_host', `cannot resolve ${host}: the name server does not answer`),
      );
    case 'ECONNREFUSED':
      return unavailable(
        'registry.refused',
        `${host} refuses connections`,
        'is the registry running, and is the port right?',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'ETIMEDOUT':
      return unavailable('registry.unreachable', `cannot reach ${host}: ${code}`);
    case 'EPROTO':
      return unavailable(
        'registry.tls',
        `${host} does not speak TLS on that port`,
        'a registry without TLS must be listed as insecure',
      );
    default:
  }
  if (code.startsWith('HPE_')) return unavailable('registry.not_http', `what ${host} answers is not HTTP: ${reason}`);
  if (isCertificateError(code)) {
    return unavailable(
      'registry.certificate',
      `the certificate of ${host} is not trusted: ${reason}`,
      'put its authority into /etc/docker/certs.d/<host>/ca.crt, or list the registry as insecure',
    );
  }
  return new Transient(unavailable('registry.broken', `the connection to ${host} broke: ${reason}`));
}

function isCertificateError(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|CRL_|ERR_TLS|ERR_SSL/.test(code);
}

/** The peer said nothing for the whole idle time. */
export function stalled(host: string, idleMs: number): Transient {
  const message = `${host} has not answered for ${seconds(idleMs)}`;
  return new Transient(new HoistError('unavailable', 'registry.timeout', message), { stalled: true });
}

/** What an answer that is no success means. `what` is the thing asked for: `manifest for busybox:1`. */
export interface StatusContext {
  readonly host: string;
  /** Familiar name of the repository. */
  readonly repository: string;
  readonly action: 'pull' | 'push';
  readonly what: string;
  readonly kind: 'manifest' | 'blob' | 'tags' | 'upload' | 'search';
}

export interface FailedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  /** The first bytes of the body. */
  readonly text: string;
}

export function statusFailure(answer: FailedAnswer, context: StatusContext, now = Date.now()): HoistError | Transient {
  const { status } = answer;
  const { host, repository } = context;
  const [code, words] = explain(answer);
  const said = words === '' ? '' : `: ${words}`;
  if (status === 401 || status === 403) {
    const message = `${context.action} access denied for ${repository}, repository does not exist or may require 'hoist login'${said}`;
    return new HoistError('denied', 'registry.denied', message);
  }
  if (status === 404 && code === 'name_unknown') {
    return new HoistError('not_found', 'registry.name_unknown', `repository ${repository} not found${said}`);
  }
  if (status === 404) {
    return new HoistError('not_found', `registry.${context.kind}_unknown`, `${context.what} not found${said}`);
  }
  const head = `${host} answered ${status} for the ${context.what}${said}`;
  if (status === 429) {
    const after = retryAfterMs(answer.retryAfter, now);
    const wait = after === undefined ? {} : { hint: `try again in ${seconds(after)}` };
    const final = new HoistError('unavailable', 'registry.rate_limited', head, wait);
    return new Transient(final, after === undefined ? {} : { afterMs: after });
  }
  const final = new HoistError('unavailable', 'registry.status', head);
  if (![408, 425, 500, 502, 503, 504].includes(status)) return final;
  const after = retryAfterMs(answer.retryAfter, now);
  return new Transient(final, after === undefined ? {} : { afterMs: after });
}

/** The registry's own error code and words: `{"errors":[{code,message}]}` (distribution-spec, Error Codes). */
function explain(answer: FailedAnswer): readonly [code: string, words: string] {
  if (/html/i.test(answer.contentType) || /^\s*<(!doctype|html)/i.test(answer.text)) return ['', 'a web page'];
  try {
    const body: unknown = JSON.parse(answer.text);
    const errors = field(body, 'errors');
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const code = textOf(field(first, 'code')).toLowerCase();
    const message = textOf(field(first, 'message')) || textOf(field(body, 'message')) || textOf(field(body, 'details'));
    return [code, [code.replaceAll('_', ' '), message].filter((part) => part !== '').join(': ')];
  } catch {
    return ['', printable(answer.text)];
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? printable(value) : '';
}

/** One line of printable characters: a registry must not be able to write escape sequences to a terminal. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** Retry-After is seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function seconds(ms: number): string {
  return ms < 1000 ? `${Math.ceil(ms)} ms` : `${Math.ceil(ms / 1000)} s`;
}
