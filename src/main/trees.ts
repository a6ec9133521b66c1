// The user's own files as `cp` takes and leaves them: whole trees as archives, by absolute paths.

import { lstat, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail } from '../base/errors.ts';
import type { LocalKind, LocalTrees } from '../cli/io.ts';
import { pack } from '../engine/files/pack.ts';
import { readXattrs, specialFiles } from '../engine/files/special.ts';
import { openTree } from '../engine/files/tree.ts';
import { type SpecialFiles, unpackInto } from '../engine/files/unpack.ts';
import type { Executor } from '../sys/executor.ts';

/** `executor`: for what Node cannot do; there is none without an engine. */
export function localTrees(executor: () => Executor | undefined): LocalTrees {
  return {
    kindOf: (file) => look(file, async () => kindOf(await lstat(file))),
    linkTarget: (file) => readlink(file),
    realpath: async (file) =>
      (await look(file, () => realpath(file))) ?? fail('not_found', 'cli.file', `lstat ${file}: ${words['ENOENT']}`),
    async *pack(file, as, signal) {
      const clean = path.normalize(file).replace(/(.)\/$/, '$1');
      const itself = path.basename(file) === '.' || clean === '/';
      using directory = openTree(itself ? clean : path.dirname(clean));
      const name = itself ? '.' : binary(path.basename(clean));
      const native = executor();
      const xattrs = native === undefined ? new Map() : await readXattrs(native, directory.fd, name);
      yield* pack(directory.fd, name, { as: binary(as), xattrs, signal });
    },
    async unpack(directory, tar, { rename, signal }) {
      using root = openTree(directory);
      const native = executor();
      await unpackInto(root, tar, {
        shown: directory,
        noOverwriteDirNonDir: true,
        owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        special: native === undefined ? nothingSpecial : specialFiles(native),
        ...(rename === undefined ? {} : { rename: { from: binary(rename.from), to: binary(rename.to) } }),
        signal,
      });
    },
  };
}

const nothingSpecial: SpecialFiles = {
  mknod: async (_, name) =>
    fail('unsupported', 'cli.special', `${Buffer.from(name, 'latin1')} is a device or a pipe, which needs an engine`),
  setxattrs: async () => undefined,
};

function binary(name: string): string {
  return Buffer.from(name).toString('latin1');
}

function kindOf(stats: Awaited<ReturnType<typeof lstat>>): LocalKind {
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFile()) return 'file';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'device' : 'other';
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  ELOOP: 'too many levels of symbolic links',
};

/** Undefined where there is nothing. */
async function look<T>(file: string, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const code = errnoOf(error) ?? '';
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR') fail('invalid', 'cli.file', 'not a directory', { cause: error });
    return fail('system', 'cli.file', `lstat ${file}: ${words[code] ?? code}`, { cause: error });
  }
}
