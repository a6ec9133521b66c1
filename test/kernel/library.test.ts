// The library: each example of docs/library.md runs, with the package imported by its name, and says what it should.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { busybox, inWorld, repository, type World } from './world.ts';

const examples = [
  ...readFileSync(path.join(repository, 'docs/library.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
].map(([, text = '']) => text);

/** Inside the package, so that its own name leads to it; with the engine's world in its environment. */
async function example(world: World, text: string): Promise<string> {
  const directory = path.join(repository, '.build/examples');
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${process.pid}.ts`);
  writeFileSync(file, text);
  try {
    const result = await world.program([process.execPath, '--import', 'tsx', file], { cwd: repository, timeout: 60 });
    assert.equal(result.code, 0, result.stderr);
    return result.stdout;
  } finally {
    rmSync(file);
  }
}

const expected: readonly RegExp[] = [
  /^stdout hello\nexit code 0\n$/,
  /^example 67108864\n$/,
  /exitCode: 0,\n {2}stdout: '.*bin\\n.*'[\s\S]*\n12\nexit code 0\n$/,
  /^die true 3\n$/,
  /busybox:latest\nnot_found No such image: no-such-image/,
];

const unbuilt = existsSync(path.join(repository, 'dist/library.js')) ? undefined : 'not built: npm run build';

inWorld('the library', { prepare: busybox }, (check) => {
  check('every example of its page has an expectation', async () => {
    assert.equal(examples.length, expected.length);
  });

  for (const [i, text] of examples.entries()) {
    check(
      `example ${i + 1} of docs/library.md`,
      async (world) => {
        assert.match(await example(world, text), expected[i] ?? /never/);
        assert.equal(await world.ok(['ps', '-aq']), '', 'its containers are gone');
      },
      unbuilt,
    );
  }

  check(
    'it starts the engine of this machine where it does not run, and takes DOCKER_HOST',
    async (world) => {
      await world.ok(['engine', 'stop']);
      const version =
        "import { connect } from 'hoist';\nawait using hoist = await connect();\nconsole.log((await hoist.system.version()).Os);\n";
      assert.equal(await example(world, version), 'linux\n');
      const elsewhere = version.replace('connect()', "connect({ host: 'unix:///nowhere' })");
      await assert.rejects(example(world, elsewhere), /Cannot connect to the Docker daemon at unix:\/\/\/nowhere/);
    },
    unbuilt,
  );
});
