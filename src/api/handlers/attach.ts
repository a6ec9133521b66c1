// Joining a container's streams: on the request's own connection, or by websocket.

import { unbuilt } from '../../engine/unbuilt.ts';
import type { Handler } from '../call.ts';

export const containerAttach: Handler<'ContainerAttach'> = async () => unbuilt('attach');

export const containerAttachWebsocket: Handler<'ContainerAttachWebsocket'> = async () => unbuilt('attach/ws');
