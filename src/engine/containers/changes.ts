// diff: what a container has made of its image's files. The writable layer says what was touched; what the image had there
// says whether it changed. Docker's rules: parents of changes are changed, of what was deleted only the top is named.

import { closeSync, existsSync, fstatSync, type Stats } from 'node:fs';
import type { FilesystemChange } from '../../spec/docker/container.ts';
import { pacer } from '../files/pace.ts';
import type { XattrMap } from '../files/pack.ts';
import { readXattrs } from '../files/special.ts';
import { handle, namesIn, openDirectory, openTree } from '../files/tree.ts';
import { openImageRoot } from './archive-root.ts';
import { opaqueMarks } from './commit.ts';
import type { ContainerPool, Live } from './deps.ts';
import { pathsOf } from './record.ts';

export async function changesOf(pool: ContainerPool, live: Live): Promise<readonly FilesystemChange[]> {
  const { upper } = pathsOf(pool.deps.paths, live.record.id);
  if (!existsSync(upper)) return [];
  using changed = openTree(upper);
  await using image = await openImageRoot(pool, live);
  const marks = await readXattrs(pool.deps.executor(), changed.fd, '.', true);
  const comparing: Comparing = { marks, pace: pacer(undefined), found: [] };
  await compareDirectory(comparing, { upper: changed.fd, lower: image.tree.fd, path: '', opaque: false });
  return comparing.found;
}

interface Comparing {
  readonly marks: XattrMap;
  readonly pace: ReturnType<typeof pacer>;
  readonly found: FilesystemChange[];
}

interface Pair {
  readonly upper: number;
  /** What the image has there, where that is a directory too. */
  readonly lower: number | undefined;
  /** Binary, without a slash in front. */
  readonly path: string;
  /** Nothing of the image shows through. */
  readonly opaque: boolean;
}

async function compareDirectory(comparing: Comparing, pair: Pair): Promise<void> {
  const names = namesIn(pair.upper);
  for (const name of names) {
    await compareEntry(comparing, pair, name);
    if (comparing.pace.due()) await comparing.pace.rest();
  }
  if (!pair.opaque || pair.lower === undefined) return;
  const there = new Set(names);
  for (const name of namesIn(pair.lower)) if (!there.has(name)) note(comparing, join(pair.path, name), 2);
}

async function compareEntry(comparing: Comparing, pair: Pair, name: string): Promise<void> {
  const path = join(pair.path, name);
  const fd = handle(pair.upper, name);
  try {
    const stats = fstatSync(fd);
    const before = pair.lower === undefined ? undefined : statOf(pair.lower, name);
    if (isWhiteout(stats)) {
      if (before) note(comparing, path, 2);
      return;
    }
    const at = comparing.found.length;
    if (stats.isDirectory()) await compareBelow(comparing, pair, { name, path });
    const inside = comparing.found.length > at;
    const kind = before === undefined ? 1 : inside || differs(before, stats) ? 0 : undefined;
    if (kind !== undefined) comparing.found.splice(at, 0, { Path: shown(path), Kind: kind });
    if (before?.isDirectory() && !stats.isDirectory()) noteContents(comparing, pair.lower, { name, path });
  } finally {
    closeSync(fd);
  }
}

async function compareBelow(comparing: Comparing, pair: Pair, { name, path }: Named): Promise<void> {
  const upper = openDirectory(pair.upper, name);
  const lower = pair.lower === undefined ? undefined : openDirectory(pair.lower, name);
  const opaque = pair.opaque || opaqueMarks.some((mark) => comparing.marks.get(path)?.has(mark));
  try {
    if (upper !== undefined) await compareDirectory(comparing, { upper, lower, path, opaque });
  } finally {
    if (upper !== undefined) closeSync(upper);
    if (lower !== undefined) closeSync(lower);
  }
}

interface Named {
  readonly name: string;
  readonly path: string;
}

/** A directory of the image that is something else now. */
function noteContents(comparing: Comparing, lower: number | undefined, { name, path }: Named): void {
  const directory = lower === undefined ? undefined : openDirectory(lower, name);
  if (directory === undefined) return;
  try {
    for (const child of namesIn(directory)) note(comparing, join(path, child), 2);
  } finally {
    closeSync(directory);
  }
}

function note({ found }: Comparing, path: string, kind: FilesystemChange['Kind']): void {
  found.push({ Path: shown(path), Kind: kind });
}

function statOf(dir: number, name: string): Stats | undefined {
  let fd: number;
  try {
    fd = handle(dir, name);
  } catch {
    return undefined;
  }
  try {
    return fstatSync(fd);
  } finally {
    closeSync(fd);
  }
}

export function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}

/** Size and time of a directory say nothing. */
function differs(before: Stats, now: Stats): boolean {
  if (before.mode !== now.mode || before.uid !== now.uid || before.gid !== now.gid || before.rdev !== now.rdev)
    return true;
  return !now.isDirectory() && (before.size !== now.size || before.mtimeMs !== now.mtimeMs);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

function shown(path: string): string {
  return `/${Buffer.from(path, 'latin1').toString()}`;
}
