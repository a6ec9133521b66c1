// The members of an image archive, in temporary files of our own naming: an archive's names are looked up, never opened.

import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, translateWriteError } from '../../base/errors.ts';
import { readTar } from '../../base/tar.ts';
import type { TarEntry } from '../../base/tar-entry.ts';
import { throwIfCancelled } from '../../registry/client/retry.ts';
import { decompress } from '../../store/decompress.ts';

export interface ArchiveMember {
  /** Where its bytes are. */
  readonly file: string;
  readonly size: number;
  readonly digest: string;
}

export interface Archive extends AsyncDisposable {
  /** By its path in the archive; a link is followed once. */
  find(path: string): ArchiveMember | undefined;
  /** A small document, parsed; undefined when it is not there. */
  json(path: string): Promise<unknown>;
}

export interface ArchiveLimits {
  readonly maxBytes: number;
  readonly maxMembers: number;
}

const maxDocumentBytes = 16 << 20;

interface OpenMember {
  readonly entry: TarEntry;
  readonly file: string;
  readonly hash: Hash;
  readonly pieces: Uint8Array[];
  handle: FileHandle | undefined;
  ended: boolean;
}

/** Reads the whole archive (plain, gzip or zstd) into `directory`, which is removed with the result. */
export async function openArchive(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  options: ArchiveLimits & { readonly signal: AbortSignal },
): Promise<Archive> {
  await mkdir(directory, { mode: 0o700 });
  try {
    return archiveOf(await extract(source, directory, options), directory);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw translateWriteError(error, directory);
  }
}

interface Extracted {
  readonly members: ReadonlyMap<string, ArchiveMember>;
  readonly links: ReadonlyMap<string, string>;
}

async function extract(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  options: ArchiveLimits & { readonly signal: AbortSignal },
): Promise<Extracted> {
  const members = new Map<string, ArchiveMember>();
  const links = new Map<string, string>();
  // The reader works on one chunk at a time without waiting; what it found is written before the next chunk.
  let found: OpenMember[] = [];
  let count = 0;
  let bytes = 0;
  const reader = readTar({
    entry(entry) {
      if (++count > options.maxMembers)
        fail('too_large', 'archive.too_large', `the archive has more than ${options.maxMembers} members`);
      const name = plainName(entry.path);
      if (entry.kind === 'symlink') links.set(name, join(name, '..', entry.link));
      if (entry.kind === 'hardlink') links.set(name, plainName(entry.link));
      found.push({
        entry,
        file: join(directory, String(count)),
        hash: createHash('sha256'),
        pieces: [],
        handle: undefined,
        ended: false,
      });
    },
    data(piece) {
      bytes += piece.length;
      if (bytes > options.maxBytes)
        fail('too_large', 'archive.too_large', `the archive has more than the ${options.maxBytes} bytes allowed`);
      found.at(-1)?.pieces.push(piece);
    },
    endEntry() {
      const last = found.at(-1);
      if (last !== undefined) last.ended = true;
    },
  });
  const write = async (): Promise<void> => {
    for (const member of found) await writeMember(member, members);
    found = found.filter(({ ended }) => !ended);
  };
  try {
    for await (const chunk of decompress(source, 'detect')) {
      throwIfCancelled(options.signal);
      reader.write(chunk);
      await write();
    }
    reader.end();
    await write();
  } finally {
    for (const { handle } of found) await handle?.close();
  }
  return { members, links };
}

/** Writes what has come of a member, and lists it once it is whole. */
async function writeMember(member: OpenMember, members: Map<string, ArchiveMember>): Promise<void> {
  const { entry, file, hash } = member;
  if (entry.kind !== 'file') return;
  member.handle ??= await open(file, 'wx', 0o600);
  for (const piece of member.pieces.splice(0)) {
    hash.update(piece);
    await member.handle.writeFile(piece);
  }
  if (!member.ended) return;
  await member.handle.close();
  member.handle = undefined;
  members.set(plainName(entry.path), { file, size: entry.size, digest: `sha256:${hash.digest('hex')}` });
}

function archiveOf({ members, links }: Extracted, directory: string): Archive {
  const find = (path: string): ArchiveMember | undefined => {
    const name = plainName(path);
    return members.get(name) ?? members.get(links.get(name) ?? '');
  };
  return {
    find,
    async json(path) {
      const member = find(path);
      if (member === undefined) return undefined;
      if (member.size > maxDocumentBytes)
        fail('too_large', 'archive.too_large', `${path} in the archive is larger than 16 MiB`);
      try {
        return JSON.parse(await readFile(member.file, 'utf8'));
      } catch (cause) {
        return fail('corrupt', 'archive.invalid', `${path} in the archive is not JSON`, { cause });
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Without a leading `./` and a trailing slash. */
function plainName(path: string): string {
  return path.replace(/^(?:\.?\/)+/, '').replace(/\/+$/, '');
}
