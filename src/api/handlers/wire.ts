// The connection of a request that becomes a stream in both directions.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Upgrade } from '../call.ts';
import { hijack, plainStream, streamType, type Wire } from '../stream/wire.ts';

export interface Connection {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | undefined;
  readonly minor: number;
}

/** Sends the header. Nothing can be refused after it. */
export function wireOf({ request, response, upgrade, minor }: Connection, tty: boolean): Wire {
  if (upgrade === undefined) return plainStream(request, response);
  return hijack(takeSocket(response, upgrade), Buffer.alloc(0), streamType(tty, minor));
}

/** From here on the response has nothing to do with the connection. */
export function takeSocket(response: ServerResponse, { socket }: Upgrade): Upgrade['socket'] {
  response.detachSocket(socket as Socket);
  return socket;
}
