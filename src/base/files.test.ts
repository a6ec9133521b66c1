import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { isHoistError } from './errors.ts';
import { emptyDirectory, exists, readFileLimited, readJson, writeFileAtomic, writeJsonAtomic } from './files.ts';

async function scratch(t: { after(f: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hoist-files-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('a document is replaced whole, with its mode, and leaves no temporary file', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'a.json');
  await writeJsonAtomic(path, { version: 1 });
  await writeJsonAtomic(path, { version: 2 }, { mode: 0o644, sync: false });
  assert.deepEqual(await readJson(path), { version: 2 });
  assert.equal((await stat(path)).mode & 0o777, 0o644);
  assert.deepEqual(await readdir(directory), ['a.json']);
});

test('a write that fails leaves the old document and nothing else', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'taken');
  await mkdir(join(path, 'full'), { recursive: true });
  await assert.rejects(writeFileAtomic(path, 'x'));
  assert.deepEqual(await readdir(directory), ['taken']);
});

test('many writers of one document: one of them wins, whole', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'a');
  const texts = Array.from({ length: 20 }, (_, i) => String(i).repeat(5000));
  await Promise.all(texts.map((text) => writeFileAtomic(path, text, { sync: false })));
  assert.ok(texts.includes(await readFile(path, 'utf8')));
  assert.deepEqual(await readdir(directory), ['a']);
});

test('reading: absent, too large, not JSON', async (t) => {
  const directory = await scratch(t);
  const path = join(directory, 'a');
  assert.equal(await readJson(path), undefined);
  assert.equal(await exists(path), false);
  await writeFile(path, '{"half":');
  assert.equal(await exists(path), true);
  await assert.rejects(
    readJson(path),
    (error) => isHoistError(error, 'document.corrupt') && error.message.includes(path),
  );
  await assert.rejects(readFileLimited(path, 3), (error) => isHoistError(error, 'file.too_large'));
});

test('emptying a directory also takes what is read-only', async (t) => {
  const directory = await scratch(t);
  await mkdir(join(directory, 'a/b'), { recursive: true });
  await writeFile(join(directory, 'a/b/c'), '');
  await chmod(join(directory, 'a/b'), 0o500);
  await chmod(join(directory, 'a'), 0o500);
  await emptyDirectory(directory);
  assert.deepEqual(await readdir(directory), []);
});
