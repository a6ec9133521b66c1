// Docker Compose, whichever version is installed as `docker-compose`, brings a whole application up, looks at it and takes
// it down again.

import assert from 'node:assert/strict';
import path from 'node:path';
import type { Result } from '../kernel/program.ts';
import { busybox, eventually, inWorld, repository, type World } from '../kernel/world.ts';

const project = path.join(repository, 'test/clients/compose');

/** Version 1 of Compose needs fields that API 1.45 dropped; it says so by COMPOSE_API_VERSION, version 2 does not read it. */
async function compose(world: World, ...args: readonly string[]): Promise<Result> {
  const env = {
    DOCKER_HOST: `unix://${world.runRoot}/docker.sock`,
    COMPOSE_PROJECT_NAME: 'app',
    COMPOSE_API_VERSION: '1.44',
  };
  const result = await world.program(['docker-compose', ...args], { env, cwd: project, timeout: 100 });
  assert.equal(result.code, 0, `compose ${args.join(' ')}\n${result.stdout}\n${result.stderr}`);
  return result;
}

async function serve(world: World): Promise<void> {
  await world.ok(['engine', 'start']);
  await busybox(world);
}

const idOf = (world: World, service: string): Promise<string> =>
  world.ok(['ps', '-aq', '--no-trunc', '--filter', `label=com.docker.compose.service=${service}`]);

inWorld('docker-compose', { prepare: serve, needs: ['docker-compose'] }, (check) => {
  check('up, ps, logs, exec, run, restart, scale, down', async (world) => {
    await compose(world, 'config');
    await compose(world, 'up', '-d');
    const page = await world.program(['busybox', 'wget', '-q', '-O', '-', 'http://127.0.0.1:18081/index.html']);
    assert.equal(page.stdout, 'served by compose\n');
    assert.match((await compose(world, 'ps')).stdout, /web/);
    await eventually('the client has what the server serves', async () =>
      (await compose(world, 'logs', 'client')).stdout.includes('served by compose'),
    );
    await eventually('a service that ends says so', async () =>
      (await world.ok(['ps', '-a', '--filter', `id=${await idOf(world, 'once')}`])).includes('Exited (0)'),
    );
    assert.equal((await compose(world, 'exec', '-T', 'web', 'sh', '-c', 'echo $GREETING')).stdout, 'hello\n');
    assert.match(
      (await compose(world, 'run', '--rm', '--no-deps', '-T', 'client', 'busybox', 'nslookup', 'web')).stdout,
      /10\.213\.7\./,
    );
    assert.match((await compose(world, 'top')).stdout, /httpd/);
    await compose(world, 'restart', '-t', '1', 'web');
    await compose(world, 'pause', 'client');
    await compose(world, 'unpause', 'client');
    await compose(world, 'up', '-d', '--scale', 'client=3');
    assert.equal((await idOf(world, 'client')).split('\n').length, 3);
    await compose(world, 'stop', '-t', '1');
    await compose(world, 'start');
    await compose(world, 'up', '-d', '--force-recreate', 'web');
    await compose(world, 'down', '-v', '-t', '1');
    assert.equal(await world.ok(['ps', '-aq']), '');
    assert.equal(await world.ok(['volume', 'ls', '-q']), '');
    assert.equal(await world.ok(['network', 'ls', '-q', '--filter', 'type=custom']), '');
  });
});
