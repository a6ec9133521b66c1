// What an endpoint of Docker's Engine API is, as data with types. The server is bound to the table of them (routes.ts),
// the client and the embedding library take their types from it: parameters, bodies and answers are written once.

import type { Filters } from '../engine/filters.ts';
import type { PathStat } from '../spec/docker/container.ts';
import type { ProgressLine } from '../spec/docker/progress.ts';

/** The digits behind `1.` of an API version: 24 to 51. */
export type ApiMinor = number;

/** Query parameters by kind. `time`: Unix seconds; on the wire also RFC 3339 or a Go duration before now. */
interface ParameterTypes {
  readonly bool: boolean;
  readonly int: number;
  readonly string: string;
  /** A parameter that may be repeated. */
  readonly strings: readonly string[];
  readonly filters: Filters;
  readonly time: number;
}
export type ParameterKind = keyof ParameterTypes;
export type Parameters = Readonly<Record<string, ParameterKind>>;

/** A JSON body: how it is read (sparse and in old forms, made whole) and written. */
export interface JsonBody<T> {
  readonly kind: 'json';
  /** `value`: what JSON.parse gave; undefined for a request without a body. Fails with kind invalid, naming the field. */
  read(value: unknown, minor: ApiMinor): T;
  write(document: T): unknown;
}

/** A body of bytes: a tar. */
export interface BytesBody {
  readonly kind: 'bytes';
}

export interface Typed<T> {
  /** Carries the type alone; never set. */
  readonly type?: T;
}
export type Answer =
  | (Typed<unknown> & { readonly kind: 'json'; readonly status: number })
  /** No body. 304 (already so) is no failure for the client. */
  | { readonly kind: 'empty'; readonly status: number }
  /** JSON documents, one per line, flushed one by one. */
  | (Typed<unknown> & { readonly kind: 'lines' })
  /** The same; a failure after the first line is a line itself. */
  | { readonly kind: 'progress' }
  | { readonly kind: 'tar' }
  /** A tar, and what it is of in the header X-Docker-Container-Path-Stat. */
  | { readonly kind: 'archive' }
  /** That header alone. */
  | { readonly kind: 'stat' }
  /** stdout and stderr, raw with a terminal, else in frames of 8 bytes and a payload. */
  | { readonly kind: 'output' }
  /** The same, with stdin the other way: `Upgrade: tcp`. */
  | { readonly kind: 'hijack' }
  | { readonly kind: 'websocket' }
  /** `OK`, and headers that tell the server's version. */
  | { readonly kind: 'ping' };

export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** `{id}` is one segment, `{name*}` may have slashes in it. */
  readonly path: string;
  readonly query?: Parameters;
  readonly body?: JsonBody<unknown> | BytesBody;
  readonly answer: Answer;
  /** The first API version that has it. */
  readonly since?: ApiMinor;
  /** Credentials for a registry come in the header X-Registry-Auth. */
  readonly auth?: true;
}

export const json = <T>(status = 200): { readonly kind: 'json'; readonly status: number } & Typed<T> => ({
  kind: 'json',
  status,
});
export const lines = <T>(): { readonly kind: 'lines' } & Typed<T> => ({ kind: 'lines' });
export const empty = (status = 204) => ({ kind: 'empty', status }) as const;
export const progress = { kind: 'progress' } as const;
export const tar = { kind: 'tar' } as const;
export const output = { kind: 'output' } as const;
export const hijack = { kind: 'hijack' } as const;
export const bytes: BytesBody = { kind: 'bytes' };

export const jsonBody = <T>(
  read: JsonBody<T>['read'],
  write: JsonBody<T>['write'] = (document) => document,
): JsonBody<T> => ({
  kind: 'json',
  read,
  write,
});

/** The names in braces. */
type Names<P extends string> = P extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Bare}*` ? Bare : Name) | Names<Rest>
  : never;
export type ParamsOf<R extends Route> = { readonly [N in Names<R['path']>]: string };

type QueryOf<R extends Route> = R extends { readonly query: infer Q extends Parameters } ? Q : Record<never, never>;
/** As a client says it. */
export type AskedOf<R extends Route> = {
  readonly [N in keyof QueryOf<R>]?: ParameterTypes[QueryOf<R>[N] & ParameterKind];
};
/** As the server reads it: '' , false, [] and {} for what was not said; undefined for numbers. */
export type ReadOf<R extends Route> = {
  readonly [N in keyof QueryOf<R>]: QueryOf<R>[N] extends 'int' | 'time'
    ? number | undefined
    : ParameterTypes[QueryOf<R>[N] & ParameterKind];
};

export type BodyOf<R extends Route> = R extends { readonly body: infer B }
  ? B extends JsonBody<infer T>
    ? T
    : AsyncIterable<Uint8Array>
  : undefined;

/** stdout and stderr of a container; `tty`: raw, all of it stdout. */
export interface OutputStream {
  readonly tty: boolean;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** What a client gets, and what a handler of the server returns. */
export type AnswerOf<R extends Route> = R['answer'] extends { readonly kind: 'json' } & Typed<infer T>
  ? T
  : R['answer'] extends { readonly kind: 'lines' } & Typed<infer T>
    ? AsyncIterable<T>
    : R['answer'] extends { readonly kind: 'progress' }
      ? AsyncIterable<ProgressLine>
      : R['answer'] extends { readonly kind: 'tar' }
        ? AsyncIterable<Uint8Array>
        : R['answer'] extends { readonly kind: 'archive' }
          ? { readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }
          : R['answer'] extends { readonly kind: 'stat' }
            ? PathStat
            : R['answer'] extends { readonly kind: 'output' }
              ? OutputStream
              : undefined;
