// npm run check: what a reader of this repository may rely on, one line per finding. Seconds, no root, no network.
// The layers, the lengths and the exceptions with their reasons are the tables below; docs/ points here.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';

/** Lowest first. A folder of src/ imports from lower rows and from itself; folders of one row never import each other. */
const layers = [
  ['base'],
  ['spec'],
  ['plan'],
  ['sys'],
  ['runtime', 'store', 'registry', 'network', 'volumes'],
  ['build', 'apptainer'],
  ['engine'],
  ['api', 'cri', 'compose'],
  ['cli', 'dashboard'],
  ['main'],
];

/** Pure folders: no file, process, socket or clock of the machine comes in through these. */
const pure = new Set(['spec', 'plan']);
const impureModules = /^node:(?!assert|buffer|crypto|os$|path|util|url)/;

const limits = { source: 300, native: 400, nativeTotal: 4200, nativeAim: 2500 };

/** Longer than the limit, each for a reason that a reader can judge; a file that has become shorter must leave. */
const longFiles = {};

/** Tests are lists of cases: longer files are allowed, not without bound. */
const testLimit = 500;

const findings = [];
const found = (path, text) => findings.push(`${path}: ${text}`);
const isTest = (path) => /\.(test|fixture)\.ts$/.test(path) || path.startsWith('test/') || path.includes('/testing/');

function walk(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => !['node_modules', '.git', '.build', 'bin', 'dist'].includes(entry.name))
    .flatMap((entry) =>
      entry.isDirectory() ? walk(join(dir, entry.name)) : entry.isFile() ? [join(dir, entry.name)] : [],
    );
}

const files = walk('.');
const text = new Map(files.map((path) => [path, readFileSync(path, 'utf8')]));
const sources = files.filter((path) => /^(src|test)\/.*\.ts$/.test(path));

/** What a file imports: [specifier, the text of the statement]. */
function importsOf(path) {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*'([^'\n]+)'|(?:^|\n)\s*import\s*'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'\s*\)/g;
  return [...text.get(path).matchAll(pattern)].map((m) => m[1] ?? m[2] ?? m[3]);
}

const folderOf = (path) => (path.startsWith('src/') ? path.split('/')[1] : undefined);
const rank = (folder) => layers.findIndex((row) => row.includes(folder));

function checkImport(path, specifier) {
  const from = folderOf(path);
  if (!specifier.startsWith('.')) {
    if (pure.has(from) && !isTest(path) && impureModules.test(specifier))
      found(path, `src/${from} is pure: it does not import ${specifier}`);
    return undefined;
  }
  if (!/\.(ts|json)$/.test(specifier)) found(path, `an import of a local file ends in .ts: ${specifier}`);
  const target = normalize(join(dirname(path), specifier));
  if (!text.has(target)) return undefined; // tsc says so
  const to = folderOf(target);
  if (isTest(target) && !isTest(path)) found(path, `imports ${target}, which is a test's`);
  if (from === undefined || from === to) return target;
  if (to === undefined) found(path, `src/ imports nothing from ${target}`);
  else if (rank(to) > rank(from)) found(path, `${from} is below ${to}: it does not import ${target}`);
  else if (rank(to) === rank(from)) found(path, `${from} and ${to} are siblings: no import of ${target}`);
  return target;
}

/** Every cycle once, as the path that closes it. */
function checkCycles(graph) {
  const state = new Map();
  const trail = [];
  const visit = (path) => {
    state.set(path, 'open');
    trail.push(path);
    for (const next of graph.get(path) ?? []) {
      if (state.get(next) === 'open')
        found(path, `import cycle: ${[...trail.slice(trail.indexOf(next)), next].join(' -> ')}`);
      else if (!state.has(next)) visit(next);
    }
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path);
}

function checkImports() {
  for (const folder of new Set(sources.map(folderOf).filter(Boolean))) {
    if (rank(folder) < 0) found(`src/${folder}`, 'has no place in the layers of tools/check.mjs');
  }
  checkCycles(
    new Map(
      sources.map((path) => [
        path,
        importsOf(path)
          .map((s) => checkImport(path, s))
          .filter(Boolean),
      ]),
    ),
  );
}

function checkLengths() {
  const lines = (path) => text.get(path).split('\n').length - 1;
  for (const path of files.filter((f) => /\.(ts|mjs|c|h|sh)$/.test(f))) {
    const limit =
      isTest(path) || path.startsWith('native/test/')
        ? testLimit
        : path.startsWith('native/')
          ? limits.native
          : limits.source;
    const over = lines(path) > limit;
    if (over && !longFiles[path]) found(path, `${lines(path)} lines, the limit is ${limit}`);
    if (!over && longFiles[path]) found(path, 'no longer too long: take it off the exceptions in tools/check.mjs');
  }
  const native = files.filter((f) => /^native\/[^/]*\.[ch]$/.test(f) && !f.includes('.gen.'));
  const all = native.flatMap((path) => text.get(path).split('\n').slice(0, -1));
  const code = all.filter((line) => !/^\s*(?:$|\/?\*|\/\/)/.test(line)).length; // a comment costs nobody anything
  console.log(
    `check: native/ has ${all.length} lines, ${code} without comments (aim ${limits.nativeAim}, limit ${limits.nativeTotal})`,
  );
  if (code > limits.nativeTotal) found('native/', `${code} lines of code, the limit is ${limits.nativeTotal}`);
}

function checkWords() {
  const rules = [[/\b(?:TODO|FIXME|XXX)\b/, 'unfinished']];
  // What this clone must not publish (host names, paths of one machine): regular expressions, one per line, never committed.
  const local = '.git/info/forbidden-words';
  if (existsSync(local)) {
    for (const line of readFileSync(local, 'utf8').split('\n').filter(Boolean))
      rules.push([new RegExp(line, 'i'), 'not for publication']);
  }
  for (const [path, content] of text) {
    if (path === 'tools/check.mjs') continue;
    for (const [rule, why] of rules) {
      const hit = rule.exec(content);
      if (hit) found(`${path}:${content.slice(0, hit.index).split('\n').length}`, `"${hit[0]}": ${why}`);
    }
  }
  for (const [, url] of text.get('package-lock.json').matchAll(/"resolved": "([^"]+)"/g)) {
    if (!url.startsWith('https://registry.npmjs.org/')) found('package-lock.json', `resolved from elsewhere: ${url}`);
  }
}

function checkStyle() {
  for (const path of sources) {
    if (['utils.ts', 'helpers.ts', 'common.ts', 'manager.ts'].includes(basename(path)))
      found(path, 'a file is named after what is in it');
    if (!path.endsWith('.test.ts') && !/^\/\/ |^\/\*/.test(text.get(path)))
      found(path, 'opens with what it is for, in 1-5 lines');
    if (folderOf(path) === 'cli' && !isTest(path)) {
      const hit = /^(?!\s*(?:\/\/|\*)).*\b(?:process|console)\.\w+/m.exec(text.get(path));
      if (hit) found(path, `the command line sees the world through its io object alone: ${hit[0].trim()}`);
    }
  }
}

/** Runs a tool; every line of its output that says something is a finding. */
function tool(args, isFinding) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('close', (code) => {
      if (code !== 0) {
        const told = output.split('\n').filter(isFinding);
        const lines = told.length > 0 ? told : [`${args[0]} ended with ${code}: ${output.slice(-400)}`];
        findings.push(...lines.map((line) => line.trim()));
      }
      resolve();
    });
  });
}

/** What is longer than the rules say, and why: a reader of CI's output may object. */
function printExceptions() {
  for (const [path, why] of Object.entries(longFiles))
    if (text.has(path)) console.log(`check: exception: ${path} is long: ${why}`);
  for (const path of sources) {
    for (const [, rule, why] of text.get(path).matchAll(/biome-ignore lint\/\w+\/(noExcessive\w+): (.*)/g)) {
      console.log(`check: exception: ${path}: ${rule}: ${why}`);
    }
  }
}

checkImports();
printExceptions();
checkLengths();
checkWords();
checkStyle();
await Promise.all([
  tool(['tools/gen-ops.mjs', '--check'], (line) => line !== ''),
  tool(
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--colors=off', '--reporter=github', '--max-diagnostics=none'],
    (line) => line.startsWith('::'),
  ),
  tool(['node_modules/typescript/bin/tsc', '-b'], (line) => line.includes('error')),
]);
for (const line of findings) console.log(line);
console.log(
  findings.length === 0 ? `check: ${files.length} files, nothing found` : `check: ${findings.length} findings`,
);
process.exitCode = findings.length === 0 ? 0 : 1;
