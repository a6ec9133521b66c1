// What an ordinary user's engine lives in, and who ends it: the holder of its namespaces and pasta, the way out of their
// network (native/user.c). They stay as long as containers run.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ContainerPool } from '../engine/containers/deps.ts';
import { isUp } from '../engine/containers/record.ts';
import { type MachineFacts, measureFacts } from '../sys/facts.ts';
import type { Place } from './place.ts';

/** Nothing where root is root, or where a container runs. */
export function endNamespace(pool: ContainerPool, place: Place): void {
  const holder = Number(process.env['HOIST_NAMESPACE'] ?? 0);
  if (!pool.deps.facts.userNamespace?.network || [...pool.live.values()].some(({ record }) => isUp(record.state)))
    return;
  end(holder, /^hoist-namespace/);
  end(Number(readQuietly(path.join(place.run, 'pasta.pid'))), /^pas(ta|st)/);
}

/** A number alone says little: another process may have it by now. */
function end(pid: number, name: RegExp): void {
  if (!(pid > 1) || !name.test(readQuietly(`/proc/${pid}/comm`))) return;
  try {
    process.kill(pid, 'SIGTERM');
  } catch {} // it has just ended
}

/** The facts of this machine, and why containers of this engine reach nobody outside. */
export function placeFacts(place: Place): MachineFacts {
  const facts = measureFacts();
  const { userNamespace } = facts;
  if (userNamespace?.network === undefined) return facts;
  return { ...facts, userNamespace: { ...userNamespace, noWayOut: whyNoWayOut(place) } };
}

function whyNoWayOut(place: Place): string | undefined {
  if (readQuietly(path.join(place.run, 'pasta.pid')) !== '') return undefined;
  const why = readQuietly(path.join(place.run, 'pasta.log')).trim().split('\n').at(-1) ?? '';
  return why === 'not installed'
    ? 'containers reach nothing outside of this engine: pasta is not installed (package passt); then: hoist engine restart'
    : `containers reach nothing outside of this engine: pasta failed: ${why}`;
}

function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
