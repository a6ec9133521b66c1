// Volumes on disk: one directory each, made whole or not at all.
//
//   <root>/volumes/<name>/      volume.json, _data (the content); _new.…, _ready, _joining while content is copied into it
//   <root>/volumes/.<random>/   half-made, or on its way out: removed when an engine starts
//
// A volume's content is never removed for a document that cannot be read.

import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fail, translateWriteError } from '../base/errors.ts';
import { exists, readJson, removeTree, syncDirectory } from '../base/files.ts';

export const volumeSchema = 1;

export interface VolumeDocument {
  readonly schema: typeof volumeSchema;
  readonly name: string;
  readonly driver: 'local';
  /** RFC 3339, seconds. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
}

export interface VolumePaths {
  readonly dir: string;
  readonly data: string;
  /** Content that is being copied: the beginning of its name. */
  readonly fresh: string;
  /** Content that was copied as a whole, and waits for its place. */
  readonly ready: string;
  /** Copied content whose entries move one by one into a volume that is in use. */
  readonly joining: string;
}

export interface VolumeStore {
  /** In memory: the engine is the only writer. */
  readonly volumes: ReadonlyMap<string, VolumeDocument>;
  paths(name: string): VolumePaths;
  /** `sync`: waits for the disk. */
  create(document: VolumeDocument, options: { readonly sync: boolean }): Promise<void>;
  /** Takes it out of the store at once; returns the directory whose content is still to be removed. */
  remove(name: string): string;
  /** Left over by an engine that was killed. */
  readonly rubbish: readonly string[];
}

/** Reads all of them. `warn` is told of documents that cannot be read: those volumes are kept, without labels. */
export async function openVolumeStore(root: string, warn: (message: string) => void): Promise<VolumeStore> {
  const base = path.join(root, 'volumes');
  await mkdir(base, { recursive: true, mode: 0o701 });
  const names = await readdir(base);
  const volumes = new Map<string, VolumeDocument>();
  for (const document of await Promise.all(
    names.filter((name) => !name.startsWith('.')).map((name) => loadOne(base, name, warn)),
  ))
    if (document) volumes.set(document.name, document);
  const aside = (): string => path.join(base, `.${randomBytes(8).toString('hex')}`);
  const dirOf = (name: string): string => path.join(base, name);
  return {
    volumes,
    rubbish: names.filter((name) => name.startsWith('.')).map((name) => path.join(base, name)),
    paths(name) {
      const dir = dirOf(name);
      return {
        dir,
        data: path.join(dir, '_data'),
        fresh: path.join(dir, '_new'),
        ready: path.join(dir, '_ready'),
        joining: path.join(dir, '_joining'),
      };
    },
    async create(document, { sync }) {
      const temporary = aside();
      try {
        // Synchronous on purpose, as for containers: a few system calls take less time than a thread pool's turn.
        mkdirSync(temporary, { mode: 0o701 });
        mkdirSync(path.join(temporary, '_data'), { mode: 0o755 });
        writeFileSync(path.join(temporary, 'volume.json'), `${JSON.stringify(document, undefined, 2)}\n`, {
          mode: 0o600,
        });
        if (sync) await syncFile(path.join(temporary, 'volume.json'));
        renameSync(temporary, dirOf(document.name));
      } catch (error) {
        await removeTree(temporary);
        throw translateWriteError(error, base);
      }
      volumes.set(document.name, document);
      if (sync) await syncDirectory(base);
    },
    remove(name) {
      if (!volumes.has(name)) fail('not_found', 'volume.not_found', `get ${name}: no such volume`);
      const temporary = aside();
      try {
        renameSync(dirOf(name), temporary);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
      }
      volumes.delete(name);
      return temporary;
    },
  };
}

async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, 'r');
  await handle.datasync();
}

async function loadOne(
  base: string,
  name: string,
  warn: (message: string) => void,
): Promise<VolumeDocument | undefined> {
  const file = path.join(base, name, 'volume.json');
  const document = await readJson(file).catch(() => undefined);
  if (isDocument(document, name)) return document;
  if (!(await exists(path.join(base, name, '_data')))) return undefined;
  warn(`${file} cannot be read: the volume is kept, without its labels and options`);
  return { schema: volumeSchema, name, driver: 'local', createdAt: nowInSeconds(), labels: null, options: null };
}

function isDocument(document: unknown, name: string): document is VolumeDocument {
  return (
    typeof document === 'object' &&
    document !== null &&
    'schema' in document &&
    document.schema === volumeSchema &&
    'name' in document &&
    document.name === name
  );
}

export function nowInSeconds(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
