// The files of an Io: as the user names them, relative to the user's directory.

import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail } from '../base/errors.ts';
import type { Io } from '../cli/io.ts';

/** `pid`: whose files /dev/stdin, /dev/fd/63 and /proc/self are: the command's, not this process's. */
export function filesIn(cwd: string, pid: number): Pick<Io, 'readFile' | 'openFile' | 'writeFile'> {
  const absolute = (file: string): string =>
    path
      .resolve(cwd, file)
      .replace(
        /^\/dev\/(stdin|stdout|stderr)$/,
        (_, name: string) => `/dev/fd/${['stdin', 'stdout', 'stderr'].indexOf(name)}`,
      )
      .replace(/^\/dev\/fd\//, '/proc/self/fd/')
      .replace(/^\/proc\/self\//, `/proc/${pid}/`);
  return {
    readFile: (file) => readFile(absolute(file)),
    openFile: (file) => createReadStream(absolute(file), { highWaterMark: 1 << 20 }),
    async writeFile(file, data, { exclusive }) {
      try {
        await writeFile(absolute(file), data, { flag: exclusive ? 'wx' : 'w' });
      } catch (error) {
        if (errnoOf(error) === 'EEXIST') fail('conflict', 'file.exists', `${file} exists already`, { cause: error });
        throw error;
      }
    },
  };
}
