// Which limits this machine can hold: looked up only where one is asked for that not every machine has.

import { existsSync } from 'node:fs';
import { fail } from '../base/errors.ts';
import type { HostFacts } from '../plan/facts.ts';
import { neededFiles } from '../plan/limits.ts';
import type { OciResources } from '../spec/oci/resources.ts';

/** Fails with `limit.unavailable`: a limit that would not hold is refused, never dropped. */
export function requireLimits(resources: OciResources, { cgroup }: HostFacts): void {
  for (const { flag, controller, files } of neededFiles(resources, cgroup.version)) {
    const refuse = (why: string): never => fail('unsupported', 'limit.unavailable', `${flag} cannot hold here: ${why}`);
    if (files.length === 0) refuse(`cgroup v${cgroup.version} has no such limit`);
    const top = cgroup.mounts[cgroup.version === 2 ? '' : controller];
    if (top === undefined || (cgroup.version === 2 && !cgroup.controllers.includes(controller)))
      refuse(`this machine has no ${controller} cgroup controller`);
    // groups have files that the top of a hierarchy lacks; these two are there since the engine started
    const groups = cgroup.version === 2 ? [`${top}/hoist/engine`] : [`${top}/hoist`];
    if (!groups.some((group) => !existsSync(group) || files.some((file) => existsSync(`${group}/${file}`))))
      refuse(`this kernel has no ${files.join(' or ')}`);
  }
}
