// Which seccomp profile a container gets: Docker's default, a file's, or none.

import { defaultSeccompProfile } from '../../plan/seccomp-policy.ts';
import { parseDockerSeccomp, resolveProfile } from '../../plan/seccomp-profile.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { SeccompProfile } from '../../spec/oci/seccomp.ts';
import type { MachineFacts } from '../../sys/facts.ts';
import { securityOptions } from './security.ts';

/** undefined: no filter. A profile comes as its JSON text: the client read the file. */
export function seccompOf(host: HostConfig, capabilities: bigint, facts: MachineFacts): SeccompProfile | undefined {
  const option = securityOptions(host.SecurityOpt ?? []).seccomp;
  if (option === 'unconfined' || (option === undefined && host.Privileged)) return undefined;
  const profile =
    option === undefined || option === 'builtin'
      ? defaultSeccompProfile()
      : parseDockerSeccomp(option, 'seccomp profile');
  return resolveProfile(profile, { arch: facts.arch, capabilities, kernel: facts.kernelRelease });
}
