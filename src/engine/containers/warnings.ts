// What Docker's client prints after creating a container that is not quite what was asked for. Pure.

import type { MachineFacts } from '../../sys/facts.ts';
import { logWarnings } from '../logging/options.ts';
import type { ContainerRecord } from './record.ts';

export function createWarnings({ hostConfig }: ContainerRecord, { userNamespace }: MachineFacts): readonly string[] {
  const discarded =
    hostConfig.NetworkMode === 'host' &&
    (Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts);
  const alone = userNamespace?.noWayOut !== undefined && !/^(none|container:.*)$/.test(hostConfig.NetworkMode);
  return [
    ...(discarded ? ['Published ports are discarded when using host network mode'] : []),
    ...(hostConfig.OomKillDisable && hostConfig.Memory === 0
      ? [
          'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
        ]
      : []),
    ...logWarnings(hostConfig.LogConfig),
    ...(alone ? [userNamespace.noWayOut] : []),
  ];
}
