// npm run build: the native binary (bin/hoist) and the bundles (dist/). Prints what it does; fails with the reason.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const version = JSON.parse(readFileSync('package.json', 'utf8')).version;

/** Client and engine of one build carry the same id; the sources decide it. */
function buildId() {
  const hash = createHash('sha256');
  const walk = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory() && entry.name !== 'test') walk(`${dir}/${entry.name}`);
      else if (/\.(ts|c|h)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
        hash.update(entry.name).update(readFileSync(`${dir}/${entry.name}`));
    }
  };
  walk('native');
  walk('src');
  return `${version}+${hash.digest('hex').slice(0, 10)}`;
}

export const hardened = [
  '-std=gnu17',
  '-O2',
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wformat=2',
  '-Wshadow',
  '-fstack-protector-strong',
  '-D_FORTIFY_SOURCE=2',
  '-fno-strict-aliasing',
];

function native(id) {
  const cc = process.env.CC ?? 'cc';
  const sources = readdirSync('native')
    .filter((name) => name.endsWith('.c'))
    .map((name) => `native/${name}`);
  mkdirSync('bin', { recursive: true });
  try {
    execFileSync(
      cc,
      [
        ...hardened,
        `-DBUILD="${id}"`,
        '-static-pie',
        '-fPIE',
        '-Wl,-z,relro,-z,now',
        '-o',
        'bin/hoist.new',
        ...sources,
      ],
      { stdio: 'inherit' },
    );
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    console.error(`build: no C compiler (${cc}); on Debian: apt-get install gcc libc6-dev`);
    process.exit(1);
  }
  execFileSync('strip', ['bin/hoist.new']);
  renameSync('bin/hoist.new', 'bin/hoist'); // a running hoist keeps its old file
}

const id = buildId();
console.log(`build: native/ -> bin/hoist (${id})`);
execFileSync(process.execPath, ['tools/gen-ops.mjs', '--check'], { stdio: 'inherit' });
native(id);
const entries = [
  'src/main/engine.ts',
  'src/main/cli.ts',
  'src/main/library.ts',
  'src/main/oci-host.ts',
  'src/store/unpack-worker.ts',
].filter((path) => existsSync(path));
console.log(`build: ${entries.join(', ')} -> dist/`);
rmSync('dist', { recursive: true, force: true }); // no chunk of an earlier build
await build({
  entryPoints: entries,
  outdir: 'dist',
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  sourcemap: 'linked',
  legalComments: 'none',
  define: { HOIST_BUILD: JSON.stringify(id), HOIST_VERSION: JSON.stringify(version) },
  banner: {
    js: "import { createRequire as hoistRequire } from 'node:module'; const require = hoistRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// The library's types (package.json, exports). Only where they are asked for: they take longer than all the rest.
if (process.argv.includes('--types')) {
  execFileSync('node_modules/.bin/tsc', ['-b', 'src/main'], { stdio: 'inherit' });
  cpSync('.build/types', 'dist/types', {
    recursive: true,
    filter: (path) => !/\.(test|fixture)\.d\.ts$|\/testing(\/|$)/.test(path),
  });
  console.log('build: types -> dist/types');
}
