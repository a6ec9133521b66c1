// Every endpoint's handler, by its name in the route table.

import type { Handler } from '../call.ts';
import type { RouteName } from '../routes.ts';
import { containerAttach, containerAttachWebsocket } from './attach.ts';
import { containerHandlers } from './containers.ts';
import { systemEvents } from './events.ts';
import { execHandlers } from './execs.ts';
import { filesystemHandlers } from './filesystem.ts';
import { imageHandlers } from './images.ts';
import { lifeHandlers } from './life.ts';
import { containerLogs } from './logs.ts';
import { networkHandlers } from './networks.ts';
import { containerStats } from './stats.ts';
import { systemHandlers } from './system.ts';
import { transferHandlers } from './transfer.ts';
import { volumeHandlers } from './volumes.ts';

export const handlers: { readonly [N in RouteName]: Handler<N> } = {
  ...systemHandlers,
  ...containerHandlers,
  ...lifeHandlers,
  ...filesystemHandlers,
  ...execHandlers,
  ...imageHandlers,
  ...transferHandlers,
  ...networkHandlers,
  ...volumeHandlers,
  ContainerAttach: containerAttach,
  ContainerAttachWebsocket: containerAttachWebsocket,
  ContainerLogs: containerLogs,
  ContainerStats: containerStats,
  SystemEvents: systemEvents,
};
