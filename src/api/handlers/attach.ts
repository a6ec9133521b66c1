// Joining a container's streams: on the request's own connection, or by websocket.

import { fail } from '../../base/errors.ts';
import type { Handler } from '../call.ts';
import { attachSession } from '../stream/attach.ts';
import { acceptWebsocket } from '../stream/websocket.ts';
import { takeSocket, wireOf } from './wire.ts';

export const containerAttach: Handler<'ContainerAttach'> = async (call) => {
  const session = await attachSession(call.engine.containers, call.params.id, call.query, call.spool);
  await session.serve(wireOf(call, session.tty));
  return undefined;
};

export const containerAttachWebsocket: Handler<'ContainerAttachWebsocket'> = async (call) => {
  const { engine, params, query, request, response, upgrade, minor, spool } = call;
  if (upgrade === undefined) return fail('invalid', 'websocket.handshake', 'not a websocket handshake');
  const session = await attachSession(engine.containers, params.id, query, { ...spool, raw: true });
  const wire = acceptWebsocket(request, upgrade.socket, Buffer.alloc(0), minor); // refuses as an answer
  takeSocket(response, upgrade);
  await session.serve(wire);
  return undefined;
};
