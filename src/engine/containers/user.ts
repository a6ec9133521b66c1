// Who the process is: USER of the image or --user, looked up in the container's own passwd(5) and group(5).

import { fail } from '../../base/errors.ts';
import type { HostFacts } from '../../plan/facts.ts';
import type { OciUser } from '../../spec/oci/runtime.ts';

export interface ResolvedUser extends OciUser {
  /** The home directory that passwd gives, or '/'. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const maxId = 2 ** 31 - 1;

function fields(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.trimEnd().split(':'));
}

/** Lines that are not as the manual says are passed over, as the C library does: a hostile file gives nobody rights. */
function parsePasswd(text: string): PasswdEntry[] {
  return fields(text)
    .map(([name = '', , uid = '', gid = '', , home = '']) => ({ name, uid: number(uid), gid: number(gid), home }))
    .filter((entry) => entry.name !== '' && Number.isInteger(entry.uid) && Number.isInteger(entry.gid));
}

function parseGroup(text: string): { name: string; gid: number; members: string[] }[] {
  return fields(text)
    .map(([name = '', , gid = '', members = '']) => ({ name, gid: number(gid), members: members.split(',') }))
    .filter((entry) => entry.name !== '' && Number.isInteger(entry.gid));
}

function number(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= maxId ? value : Number.NaN;
}

/**
 * `user[:group]` by name or number; '' is root. Names must exist; numbers need not.
 * Fails with `user.unknown`, `group.unknown`.
 */
export function resolveUser(
  user: string,
  groupAdd: readonly string[],
  passwdText: string,
  groupText: string,
): ResolvedUser {
  const passwd = parsePasswd(passwdText);
  const groups = parseGroup(groupText);
  const [who = '', group] = user.split(':', 2);
  const entry =
    who === ''
      ? passwd.find(({ uid }) => uid === 0)
      : (passwd.find(({ name }) => name === who) ?? passwd.find(({ uid }) => uid === number(who)));
  const uid = who === '' ? 0 : (entry?.uid ?? number(who));
  if (Number.isNaN(uid)) {
    fail('invalid', 'user.unknown', `unable to find user ${who}: no matching entries in passwd file`, {
      hint: 'name a user that the image knows, or a number',
    });
  }
  const findGroup = (name: string): number => {
    const gid = groups.find((one) => one.name === name)?.gid ?? number(name);
    if (Number.isNaN(gid))
      fail('invalid', 'group.unknown', `unable to find group ${name}: no matching entries in group file`);
    return gid;
  };
  const gid = group !== undefined && group !== '' ? findGroup(group) : (entry?.gid ?? 0);
  // With an explicit group a user has that one alone, as login would not give it others either (Docker, runc).
  const own =
    group === undefined && entry
      ? groups.filter(({ members }) => members.includes(entry.name)).map((one) => one.gid)
      : [];
  // The primary group is among them: otherwise a set-gid program could shed a group that denies something (CVE-2022-36109).
  const additionalGids = [...new Set([gid, ...own, ...groupAdd.map(findGroup)])];
  return { uid, gid, additionalGids, home: entry?.home || '/' };
}

/** In a user namespace there are as many users as the engine's own has ids. */
export function requireMapped({ uid, gid, additionalGids }: ResolvedUser, { userNamespace }: HostFacts): void {
  if (!userNamespace) return;
  const { uids, gids } = userNamespace;
  const group = [gid, ...additionalGids].find((one) => one >= gids);
  if (uid < uids && group === undefined) return;
  const what = uid < uids ? `group ${group}` : `user ${uid}`;
  fail(
    'invalid',
    'user.unmapped',
    `the container's ${what} has no id on this host: here are ${uids} uids, ${gids} gids`,
    {
      hint: 'the user who runs Hoist needs subordinate ids: package uidmap, and lines in /etc/subuid and /etc/subgid (usermod --add-subuids 100000-165535 --add-subgids 100000-165535 NAME), then: hoist engine restart',
    },
  );
}
