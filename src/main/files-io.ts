// The files of an Io: as the user names them, relative to the user's directory.

import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errnoOf, fail, translateWriteError } from '../base/errors.ts';
import type { Io } from '../cli/io.ts';

type Files = 'readFile' | 'openFile' | 'writeFile' | 'replaceFile' | 'listDirectory' | 'removeTree';

/** `pid`: whose files /dev/stdin, /dev/fd/63 and /proc/self are: the command's, not this process's. */
export function filesIn(cwd: string, pid: number): Pick<Io, Files> {
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
    async listDirectory(directory) {
      try {
        return await readdir(absolute(directory));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return [];
        throw error;
      }
    },
    removeTree: (directory) => rm(absolute(directory), { recursive: true, force: true }),
    async replaceFile(file, data, { mode, makeDirectory }) {
      const target = await realpath(absolute(file)).catch(() => absolute(file)); // a link stays one
      const before = await stat(target).catch(() => undefined);
      if (before !== undefined && !before.isFile()) return pipeline(data, createWriteStream(target));
      if (makeDirectory === true) await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
      await replace(target, data, before === undefined ? mode : before.mode & 0o777);
    },
  };
}

async function replace(target: string, data: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await using handle = await open(temporary, 'wx', mode);
    for await (const chunk of data) await handle.writeFile(chunk);
    await handle.datasync();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw translateWriteError(error, target);
  }
}
