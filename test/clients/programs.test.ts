// Programs of others that speak Docker's API, unchanged, each doing real work against docker.sock.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { tar } from '../kernel/tar.ts';
import { busybox, compile, eventually, inWorld, repository, type World } from '../kernel/world.ts';

const here = path.join(repository, 'test/clients');

/** Runs a client's work with the engine's socket; it prints its steps, and `done` at the end. */
async function work(world: World, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  const result = await world.program(argv, { env: { ...socketOf(world), ...env }, timeout: 100 });
  assert.equal(result.code, 0, `${result.stdout.slice(-1500)}\n${result.stderr.slice(-3000)}`);
  assert.match(result.stdout, /^done$/m);
}

function socketOf(world: World): Readonly<Record<string, string>> {
  return { DOCKER_HOST: `unix://${world.runRoot}/docker.sock` };
}

async function serve(world: World): Promise<void> {
  await world.ok(['engine', 'start']);
  await busybox(world);
}

const python = '/usr/bin/python3';
const hasDockerPy = spawnSync(python, ['-c', 'import docker']).status === 0;

inWorld('docker-py', { prepare: serve }, (check) => {
  check(
    'containers, exec, archives, images, networks, volumes, events',
    (world) => work(world, [python, path.join(here, 'docker_py_work.py')]),
    hasDockerPy ? undefined : 'no docker-py here (package python3-docker)',
  );
});

inWorld('dockerode', { prepare: serve }, (check) => {
  check('runs, hijacked streams, and what act and a GitLab runner do', (world) =>
    work(world, [process.execPath, path.join(here, 'dockerode-work.mjs')]),
  );
});

inWorld('testcontainers', { prepare: serve, needs: ['cc'] }, (check) => {
  check('a test suite, and the reaper that cleans up after it', async (world) => {
    const reaper = readFileSync(compile(world, 'reaper', readFileSync(path.join(here, 'reaper.c'), 'utf8')));
    const change = ['-c', 'ENTRYPOINT ["/reaper"]', '-c', 'ENV REAPER_PATIENCE=1'];
    await world.ok(['import', ...change, '-', 'localhost/reaper:1'], {
      input: tar([{ name: 'reaper', mode: 0o755, data: reaper }]),
    });
    await work(world, [process.execPath, path.join(here, 'testcontainers-work.mjs')], {
      RYUK_CONTAINER_IMAGE: 'localhost/reaper:1',
    });
    await eventually('the reaper removes what the suite left', async () => {
      const left = await world.ok(['ps', '-aq', '--filter', 'label=org.testcontainers=true']);
      const networks = await world.ok(['network', 'ls', '-q', '--filter', 'label=org.testcontainers=true']);
      return left === '' && networks === '';
    });
  });
});
