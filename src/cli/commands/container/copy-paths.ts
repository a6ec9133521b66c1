// The rules by which `cp` decides what a copy is called where it arrives. Pure; Docker's client has them from cp(1).

import { posix } from 'node:path';
import { fail } from '../../../base/errors.ts';

export interface CopyEnd {
  readonly path: string;
  readonly exists: boolean;
  readonly directory: boolean;
}

export interface CopySource extends CopyEnd {
  /** What its archive calls it. */
  readonly base: string;
}

/** `container:path`; a local one begins with a slash or a dot, or has no colon. */
export function splitEnd(text: string): { readonly container: string; readonly path: string } {
  const colon = text.indexOf(':');
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return { container: '', path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** Directory and last name; `a/.` keeps its dot. */
export function splitPath(path: string): { readonly dir: string; readonly base: string } {
  const clean = cleaned(path);
  const whole = namesItself(path) ? `${clean}/.` : clean;
  const slash = whole.lastIndexOf('/');
  if (slash < 0) return { dir: '.', base: whole };
  return { dir: cleaned(whole.slice(0, slash) || '/'), base: whole.slice(slash + 1) || '/' };
}

function cleaned(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** `.`, `a/.` */
function namesItself(path: string): boolean {
  return posix.basename(path) === '.';
}

/** Absolute, with the slash or dot that the user put at its end. */
export function absolute(cwd: string, path: string): string {
  const whole = posix.resolve(cwd, path);
  if (namesItself(path)) return whole === '/' ? '/.' : `${whole}/.`;
  return path.endsWith('/') && whole !== '/' ? `${whole}/` : whole;
}

/** A link's target under the name that was asked for; `base` where that differs. */
export function rebased(path: string, target: string): { readonly path: string; readonly base: string } {
  const dot = namesItself(path) && !namesItself(target) ? `${target}/.` : target;
  const whole = path.endsWith('/') && !dot.endsWith('/') ? `${dot}/` : dot;
  return { path: whole, base: splitPath(path).base };
}

/** Into which directory a copy goes, and what it is called there (undefined: as in the archive). */
export function destinationOf(
  source: CopySource,
  target: CopyEnd,
): { readonly directory: string; readonly name: string | undefined } {
  if (target.exists && target.directory) return { directory: target.path, name: undefined };
  const { dir, base } = splitPath(target.path);
  if (target.exists && source.directory) fail('invalid', 'cli.copy', 'cannot copy directory');
  if (!target.exists && !source.directory && (target.path.endsWith('/') || namesItself(target.path)))
    fail('invalid', 'cli.copy', 'no such directory');
  return { directory: dir, name: base };
}
