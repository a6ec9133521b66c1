// The body of commit: a container's configuration, of which only what is there counts.

import type { ContainerConfig } from '../../spec/docker/container.ts';
import { jsonBody } from '../route.ts';
import { readConfig } from './container.ts';
import { fields, member } from './read.ts';

export const commitBody = jsonBody<Partial<ContainerConfig>>((value) => {
  const given = fields(value, '');
  const whole = readConfig(given, '');
  const asked = Object.entries(whole).filter(([name]) => {
    const one = member(given, name);
    return one !== undefined && one !== null;
  });
  return Object.fromEntries(asked);
});
