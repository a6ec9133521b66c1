// hoist cp: files between a container and this machine, or a tar from stdin or to stdout.

import { posix } from 'node:path';
import { fail } from '../../../base/errors.ts';
import type { PathStat } from '../../../spec/docker/container.ts';
import type { Command, Invocation } from '../../command.ts';
import { flagTable } from '../../flags.ts';
import type { LocalKind } from '../../io.ts';
import { humanSize } from '../../render/size.ts';
import { absolute, type CopyEnd, type CopySource, destinationOf, rebased, splitEnd, splitPath } from './copy-paths.ts';

export const cp: Command = {
  names: [['cp'], ['container', 'cp']],
  summary: 'Copy files/folders between a container and the local filesystem',
  description: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  usage: `[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-
	hoist cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH`,
  args: { min: 2, max: 2 },
  flags: flagTable(`
  -a, --archive       Archive mode (copy all uid/gid information)
  -L, --follow-link   Always follow symbol link in SRC_PATH
  -q, --quiet         Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached`),
  completes: 'container',
  async run(invocation) {
    const [from = '', to = ''] = invocation.args;
    if (from === '') fail('invalid', 'cli.copy', 'source can not be empty');
    if (to === '') fail('invalid', 'cli.copy', 'destination can not be empty');
    const source = splitEnd(from);
    const target = splitEnd(to);
    if (source.container !== '' && target.container !== '')
      fail('unsupported', 'cli.copy', 'copying between containers is not supported');
    if (source.container !== '') return copyOut(invocation, source.container, source.path, target.path);
    if (target.container !== '') return copyIn(invocation, target.container, source.path, target.path);
    return fail('invalid', 'cli.copy', 'must specify at least one container source');
  },
};

const linkBit = 2 ** 27;
const directoryBit = 2 ** 31;

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

async function copyOut(invocation: Invocation, ref: string, path: string, to: string): Promise<number> {
  const { io, flags, engine } = invocation;
  const target = to === '-' ? to : absolute(io.cwd, to);
  if (to !== '-') await checkOutput(invocation, target);
  let source = { path, base: splitPath(path).base };
  if (flags.bool('follow-link')) {
    const stat = await engine.containers.statPath(ref, path).catch(() => undefined);
    if (stat && has(stat.mode, linkBit)) source = rebased(path, posix.resolve(splitPath(path).dir, stat.linkTarget));
  }
  const { stat, tar } = await engine.containers.getArchive(ref, source.path, io.signal);
  if (to === '-') {
    for await (const piece of tar) await io.stdout.write(piece);
    return 0;
  }
  const copied: CopySource = { ...source, exists: true, directory: has(stat.mode, directoryBit) };
  const { directory, name } = destinationOf(copied, await localEnd(invocation, target));
  const counted = counter(tar);
  const inArchive = splitPath(source.path).base;
  const called = name ?? (source.base === inArchive ? undefined : source.base);
  await io.trees.unpack(directory, counted.stream, {
    ...(called === undefined ? {} : { rename: { from: inArchive, to: called } }),
    signal: io.signal,
  });
  return report(invocation, counted.count(), target);
}

async function copyIn(invocation: Invocation, ref: string, from: string, to: string): Promise<number> {
  const { io, flags, engine } = invocation;
  const source = from === '-' ? from : absolute(io.cwd, from);
  const target = await containerEnd(invocation, ref, to);
  if (from === '-' && !target.directory) fail('invalid', 'cli.copy', `destination "${ref}:${to}" must be a directory`);
  const { directory, stream } =
    from === '-'
      ? { directory: target.path, stream: io.stdin.read() }
      : await localSource(invocation, source, target, flags.bool('follow-link'));
  const counted = counter(stream);
  await engine.containers.putArchive(ref, directory, counted.stream, {
    noOverwriteDirNonDir: true,
    copyUidGid: flags.bool('archive'),
  });
  return report(invocation, counted.count(), `${ref}:${target.path}`);
}

/** What is in the container already is for the engine to say, where it cannot be found out. */
async function containerEnd({ engine }: Invocation, ref: string, path: string): Promise<CopyEnd> {
  const look = (at: string): Promise<PathStat | undefined> =>
    engine.containers.statPath(ref, at).catch(() => undefined);
  let at = path;
  let stat = await look(path);
  if (stat && has(stat.mode, linkBit)) {
    at = posix.resolve('/', splitPath(path).dir, stat.linkTarget);
    stat = await look(at);
  }
  if (stat && has(stat.mode, 2 ** 26))
    fail('invalid', 'cli.copy', `destination "${ref}:${path}" must be a directory or a regular file: got a device`);
  return { path: at, exists: stat !== undefined, directory: stat !== undefined && has(stat.mode, directoryBit) };
}

async function localSource({ io }: Invocation, path: string, target: CopyEnd, followLink: boolean) {
  const { dir, base } = splitPath(path);
  const real = followLink
    ? rebased(path, await io.trees.realpath(path))
    : { path: absolute(await io.trees.realpath(dir), path.endsWith('/') ? `${base}/` : base), base };
  const kind = await io.trees.kindOf(real.path);
  if (kind === undefined) fail('not_found', 'cli.copy', `lstat ${path}: no such file or directory`);
  const source: CopySource = { ...real, exists: true, directory: kind === 'directory' };
  const { directory, name } = destinationOf(source, target);
  return { directory, stream: io.trees.pack(real.path, name ?? real.base, io.signal) };
}

/** Symlinks followed, also to what is not there yet; its directory must be. */
async function localEnd({ io }: Invocation, path: string): Promise<CopyEnd> {
  let at = path;
  let kind: LocalKind | undefined = await io.trees.kindOf(at);
  for (let links = 0; kind === 'symlink'; links++) {
    if (links > 10) fail('invalid', 'cli.copy', `too many symlinks in ${path}`);
    at = posix.resolve(posix.dirname(at), await io.trees.linkTarget(at));
    kind = await io.trees.kindOf(at);
  }
  if (kind === undefined && (await io.trees.kindOf(`${splitPath(at).dir}/.`)) !== 'directory')
    fail('not_found', 'cli.copy', `lstat ${splitPath(at).dir}: no such file or directory`);
  return { path: at, exists: kind !== undefined, directory: kind === 'directory' };
}

async function checkOutput({ io }: Invocation, path: string): Promise<void> {
  const { dir } = splitPath(path);
  const kind = await io.trees.kindOf(path.replace(/(.)\/$/, '$1'));
  if (dir !== '' && dir !== '.' && (await io.trees.kindOf(`${dir}/.`)) === undefined)
    fail('invalid', 'cli.copy', `invalid output path: directory ${JSON.stringify(dir)} does not exist`);
  if (kind === 'device')
    fail(
      'invalid',
      'cli.copy',
      `invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`,
    );
}

function counter(source: AsyncIterable<Uint8Array>): {
  readonly stream: AsyncIterable<Uint8Array>;
  count(): number;
} {
  let count = 0;
  async function* stream(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      count += piece.length;
      yield piece;
    }
  }
  return { stream: stream(), count: () => count };
}

/** Docker's client says so on a terminal alone. */
async function report({ io, flags }: Invocation, bytes: number, to: string): Promise<number> {
  const quiet = flags.has('quiet') ? flags.bool('quiet') : !io.stdout.isTTY;
  if (!quiet) await io.stderr.write(`Successfully copied ${humanSize(bytes, 3)} to ${to}\n`);
  return 0;
}
