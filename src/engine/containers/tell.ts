// Events of containers: every one carries the labels, the image's name and the container's.

import type { ContainerPool } from './deps.ts';
import type { ContainerRecord } from './record.ts';

export function tell(
  { deps }: Pick<ContainerPool, 'deps'>,
  { id, name, config }: ContainerRecord,
  action: string,
  more: Readonly<Record<string, string>> = {},
): void {
  deps.events.emit('container', action, id, { ...config.Labels, ...more, image: config.Image, name });
}
