// One request on its way through the server: what a handler is given, and what it gives back.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Engine } from '../engine/engine.ts';
import type { RegistryAuth } from '../spec/docker/system.ts';
import type { ApiMinor } from './route.ts';
import type { Body, Params, ReadQuery, Response, RouteName } from './routes.ts';
import type { SpoolLimits } from './stream/spool.ts';

/** The client asks for another protocol on this connection. What it sends behind its body is read from the socket. */
export interface Upgrade {
  /** `tcp`, `websocket`, `h2c`: the header, in lower case. */
  readonly protocol: string;
  readonly socket: Duplex;
}

export interface Call<N extends RouteName> {
  readonly engine: Engine;
  readonly minor: ApiMinor;
  readonly params: Params<N>;
  readonly query: ReadQuery<N>;
  readonly body: Body<N>;
  /** X-Registry-Auth. */
  readonly auth: RegistryAuth | undefined;
  /** Aborted when the client is gone before it has its answer. */
  readonly signal: AbortSignal;
  readonly request: IncomingMessage;
  /** Written by handlers of `hijack` and `websocket` alone; others return what is to be sent. */
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | undefined;
  /** For output that a client does not read in time. */
  readonly spool: SpoolLimits;
}

/** `hijack`, `websocket`: a promise of the end. What fails before the first byte becomes an error document. */
export type Handler<N extends RouteName> = (call: Call<N>) => Response<N> | Promise<Response<N>>;
