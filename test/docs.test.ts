// The documentation names what is there: files, sections, and the few files of one `run`.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)];
const read = (page: string): string => readFileSync(path.join(root, page), 'utf8');

/** As GitHub names sections. */
function sections(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

for (const page of pages) {
  test(`${page}: links lead to files and sections that are there`, () => {
    for (const [, link = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', section] = link.split('#');
      const target = file === '' ? page : path.join(path.dirname(page), file);
      assert.ok(existsSync(path.join(root, target)), `${link} does not exist`);
      if (section !== undefined) assert.ok(sections(target).includes(section), `${link}: no such section`);
    }
  });

  test(`${page}: files that it names are there`, () => {
    for (const [, name = ''] of read(page).matchAll(/`((?:src|native|test|tools|bench)\/[\w./-]+)`/g))
      assert.ok(existsSync(path.join(root, name)), `${name} does not exist`);
  });
}

test('docs/security.md: tests that it names are there', () => {
  const page = read('docs/security.md').replace(/\s*\n(?!\n)\s*/g, ' ');
  let file = '';
  let named = 0;
  for (const [, path = '', title = ''] of page.matchAll(/`([\w/.-]+\.test\.ts)`(?=:)|"([^"]+)"/g)) {
    if (path !== '') file = path;
    else if (file !== '') {
      assert.ok(read(file).includes(title), `${file} has no test "${title}"`);
      named++;
    }
  }
  assert.ok(named > 20, `${named} tests named`);
});

test('to follow one run, a reader opens at most 12 files with less than 2,500 lines', () => {
  const walk = read('docs/architecture.md')
    .split(/^## /m)
    .find((part) => part.startsWith('One `hoist run`'));
  const files = [...(walk ?? '').matchAll(/^\d+\. \[([^\]]+)\]/gm)].map(([, file = '']) => file);
  assert.ok(files.length >= 8 && files.length <= 12, `${files.length} files`);
  const lines = files.reduce((sum, file) => sum + read(file).split('\n').length - 1, 0);
  assert.ok(lines < 2500, `${lines} lines`);
});
