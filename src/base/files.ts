// Files that are whole or absent: written to a temporary name, synced, renamed. Every document of the engine goes
// through here, so that a crash or a full disk never leaves half of one under its real name.

import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf, fail, translateWriteError } from './errors.ts';

export interface AtomicWriteOptions {
  /** Survive a power cut, not only a crash of this process (default true). */
  readonly sync?: boolean;
  /** Permission bits (default 0600). */
  readonly mode?: number;
}

/** Replaces `path` with these bytes, or leaves what was there. */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const sync = options.sync ?? true;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', options.mode ?? 0o600);
    try {
      await file.writeFile(data);
      if (sync) await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw translateWriteError(error, path);
  }
  if (sync) await syncDirectory(dirname(path));
}

export async function writeJsonAtomic(path: string, value: unknown, options: AtomicWriteOptions = {}): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`, options);
}

/** Makes a rename or a new name in this directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** The whole file; undefined when it does not exist; fails with `file.too_large` over `limit` bytes. */
export async function readFileLimited(path: string, limit: number): Promise<Buffer | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    if (size > limit) fail('too_large', 'file.too_large', `${path} has ${size} bytes, more than the ${limit} allowed`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * The same at once, without a thread: for documents of a few kilobytes, which the page cache gives in a tenth of the
 * time that the way to a thread and back takes.
 */
export function readFileNow(path: string, limit: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size > limit) fail('too_large', 'file.too_large', `${path} has ${size} bytes, more than the ${limit} allowed`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** A JSON document of our own, unchecked; undefined when there is none; fails with `document.corrupt`. */
export async function readJson(path: string, limit = 16 << 20): Promise<unknown> {
  return jsonOf(await readFileLimited(path, limit), path);
}

/** The same at once: see readFileNow. */
export function readJsonNow(path: string, limit = 16 << 20): unknown {
  return jsonOf(readFileNow(path, limit), path);
}

function jsonOf(bytes: Buffer | undefined, path: string): unknown {
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    fail('corrupt', 'document.corrupt', `${path} is not a JSON document`, { cause });
  }
}

/** Makes the directory when it is missing and removes whatever it holds. */
export async function emptyDirectory(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  const names = await readdir(path);
  await Promise.all(names.map((name) => removeTree(join(path, name))));
}

/** Removes a file or directory with all that is in it, also below directories that are read-only to their owner. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
    await makeWritable(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function makeWritable(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}
