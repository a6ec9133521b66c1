// --userns and userns-remap: which ids a container's root and users have on the host.

import { readFileSync } from 'node:fs';
import { fail } from '../../base/errors.ts';
import type { HostConfig } from '../../spec/docker/container.ts';
import type { OciIdMapping } from '../../spec/oci/runtime.ts';
import type { ContainerPool } from './deps.ts';
import type { IdMaps } from './record.ts';

interface Range {
  readonly start: number;
  readonly count: number;
}

const usualSize = 65536;

/** HOIST_USERNS_REMAP: `default`, or a user whose subordinate ids containers get; '' is none. */
export const remapSetting = (): string => process.env['HOIST_USERNS_REMAP'] ?? '';

/** Undefined: the engine's own user namespace. Decided when a container is made, and kept with it. */
export function idMapsFor(pool: ContainerPool, host: HostConfig): IdMaps | undefined {
  const [mode = '', options = ''] = (host.UsernsMode ?? '').split(/:(.*)/s);
  const remap = remapSetting();
  if (mode === 'host' || (mode === '' && remap === '')) return undefined;
  if (pool.deps.facts.userNamespace)
    fail(
      'unsupported',
      'userns.nested',
      `--userns ${host.UsernsMode || remap} is not supported without root: the kernel lets root alone give image layers other owners`,
      { hint: 'containers of an ordinary user are in that user’s own namespace already: leave --userns out' },
    );
  if (mode === 'keep-id' || mode === 'nomap')
    fail('invalid', 'userns.rootless_only', `--userns=${mode} is only supported in rootless mode`);
  if (!['', 'private', 'auto'].includes(mode)) fail('invalid', 'userns.mode', `invalid USER mode: ${host.UsernsMode}`);
  refuseShared(host);
  const user = remap === '' || remap === 'default' ? undefined : remap;
  if (mode === 'auto') return automatic(pool, user, sizeOf(options));
  const size = (range: Range): number => Math.min(range.count, usualSize);
  const map = (range: Range): OciIdMapping[] => [{ containerID: 0, hostID: range.start, size: size(range) }];
  const [uids, gids] = rangesOf(user);
  return { uids: map(uids), gids: map(gids) };
}

/** Docker's: what belongs to the host cannot be had from another user namespace. */
function refuseShared(host: HostConfig): void {
  const refuse = (asked: boolean, message: string): void => {
    if (asked) fail('invalid', 'userns.shared', message, { hint: '--userns=host' });
  };
  refuse(
    host.Privileged,
    'privileged mode is incompatible with user namespaces. You must run the container in the host namespace when running privileged mode',
  );
  const shared = (what: string): string => `cannot share the host's ${what} namespace when user namespaces are enabled`;
  refuse(host.NetworkMode === 'host', shared('network'));
  refuse(host.PidMode === 'host', shared('PID'));
}

function sizeOf(options: string): number {
  if (options === '') return usualSize;
  const size = Number(/^size=(\d{1,9})$/.exec(options)?.[1] ?? 0);
  if (size < 1) fail('invalid', 'userns.mode', `invalid USER mode: auto:${options}: use the form auto:size=65536`);
  return size;
}

/** The first ids that no other such container has; past those that `private` and remapped ones share, where there are more. */
function automatic(pool: ContainerPool, user: string | undefined, size: number): IdMaps {
  const taken = [...pool.live.values()].flatMap(({ record }) =>
    record.hostConfig.UsernsMode?.startsWith('auto') ? (record.idMaps?.uids ?? []) : [],
  );
  const [range] = rangesOf(user);
  const end = range.start + range.count;
  let start = range.count > usualSize ? range.start + usualSize : range.start;
  for (const one of [...taken].sort((a, b) => a.hostID - b.hostID))
    if (one.hostID < start + size && one.hostID + one.size > start) start = one.hostID + one.size;
  if (start + size > end)
    fail('conflict', 'userns.full', `no ${size} subordinate ids are free for --userns=auto: ${range.count} are all`, {
      hint: 'ask for fewer (--userns=auto:size=4096), or give the user more in /etc/subuid and /etc/subgid',
    });
  const map = [{ containerID: 0, hostID: start, size }];
  return { uids: map, gids: map };
}

/** Of the user, or of the first of those who are there for this. */
function rangesOf(user: string | undefined): readonly [uids: Range, gids: Range] {
  const names = user === undefined ? ['hoist', 'dockremap', 'containers'] : [user.split(':')[0] ?? ''];
  for (const name of names) {
    const [uids, gids] = [largest('/etc/subuid', name), largest('/etc/subgid', name)];
    if (uids && gids) return [uids, gids];
  }
  return fail(
    'invalid',
    'userns.no_ids',
    `/etc/subuid and /etc/subgid have no subordinate ids for ${names.join(', ')}`,
    { hint: `give some, for example: echo ${names[0]}:2147483648:65536000 | tee -a /etc/subuid /etc/subgid` },
  );
}

function largest(file: string, name: string): Range | undefined {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {} // a machine without any
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([who]) => who === name)
    .map(([, start, count]) => ({ start: Number(start), count: Number(count) }))
    .sort((a, b) => b.count - a.count)[0];
}
