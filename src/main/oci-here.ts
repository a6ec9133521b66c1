// The OCI commands in the engine: for a client that sees the same files and processes.

import { readlinkSync } from 'node:fs';
import type { OciWorld } from '../runtime/oci/world.ts';
import { buildId } from './build.ts';
import type { HostedRun } from './hosted.ts';
import { runOci } from './oci.ts';

/** A client of another build or another world does it again in a Node process of its own. */
export async function runOciHere(
  { hello, io, carryOut, decline }: HostedRun,
  { facts, compileSeccomp }: Pick<OciWorld, 'facts' | 'compileSeccomp'>,
): Promise<number> {
  if (hello.build === buildId && sharesOurView(hello.pid))
    return await runOci(hello.argv.slice(1), io, { facts, compileSeccomp, carryOut });
  decline();
  return 0;
}

function sharesOurView(pid: number): boolean {
  try {
    return ['mnt', 'pid', 'user', 'cgroup'].every(
      (name) => readlinkSync(`/proc/${pid}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`),
    );
  } catch {
    return false; // a pid of another namespace
  }
}
