// --link: on the default bridge names in /etc/hosts and variables, as before there was name service; on networks of users
// an alias of that.

import assert from 'node:assert/strict';
import { busybox, eventually, inWorld, type World } from './world.ts';

async function docker(world: World, ...args: string[]): Promise<string> {
  const result = await world.program(['docker', '-H', `unix://${world.runRoot}/docker.sock`, ...args]);
  assert.equal(result.code, 0, `docker ${args.join(' ')} -> ${result.code}\n${result.stderr}`);
  return result.stdout.trimEnd();
}

inWorld('links', { prepare: busybox, needs: ['docker'] }, (check) => {
  check(
    'on the default bridge: hosts, variables, and the new address when the other one starts again',
    async (world) => {
      const sleep = ['busybox', 'sleep', '1000'];
      await docker(
        world,
        'run',
        '-d',
        '--name',
        'store',
        '--hostname',
        'dbhost',
        '--expose',
        '5432',
        '-e',
        'FOO=bar',
        ...sleep,
      );
      const first = await docker(world, 'inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'store');
      await docker(world, 'run', '-d', '--name', 'front', '--link', 'store:the-db', '-e', 'OWN=1', ...sleep);
      assert.match(
        await world.ok(['exec', 'front', 'cat', '/etc/hosts']),
        new RegExp(`^${first}\tthe-db dbhost store$`, 'm'),
      );
      const variables = (await world.ok(['exec', 'front', 'cat', '/proc/1/environ'])).split('\0');
      for (const one of [
        `THE_DB_PORT=tcp://${first}:5432`,
        `THE_DB_PORT_5432_TCP_ADDR=${first}`,
        'THE_DB_NAME=/front/the-db',
        'THE_DB_ENV_FOO=bar',
        'OWN=1',
      ])
        assert.ok(variables.includes(one), one);
      assert.equal(
        await docker(world, 'inspect', '-f', '{{json .HostConfig.Links}}', 'front'),
        '["/store:/front/the-db"]',
      );
      await world.ok(['exec', 'front', 'ping', '-c1', '-W2', 'the-db']);
      await world.ok(['restart', '-t', '0', 'store']);
      const second = await docker(world, 'inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'store');
      assert.notEqual(second, first);
      await eventually('the new address is known', async () =>
        (await world.ok(['exec', 'front', 'cat', '/etc/hosts'])).includes(`${second}\tthe-db`),
      );
      await world.ok(['stop', '-t', '0', 'store', 'front']);
      const refused = await world.hoist(['start', 'front']);
      assert.match(refused.stderr, /Cannot link to a non running container: \/store AS \/front\/the-db/);
      const missing = await world.program([
        'docker',
        '-H',
        `unix://${world.runRoot}/docker.sock`,
        'create',
        '--link',
        'nope:x',
        ...sleep,
      ]);
      assert.match(missing.stderr, /could not get container for nope: No such container: nope/);
      await world.ok(['rm', '-f', 'store', 'front']);
    },
  );

  check('in a network of the user: an alias that only this container knows', async (world) => {
    await docker(world, 'network', 'create', 'linked');
    for (const name of ['store', 'third'])
      await docker(world, 'run', '-d', '--name', name, '--network', 'linked', 'busybox', 'sleep', '1000');
    await docker(
      world,
      'run',
      '-d',
      '--name',
      'front',
      '--network',
      'linked',
      '--link',
      'store:db',
      'busybox',
      'sleep',
      '1000',
    );
    await world.ok(['exec', 'front', 'ping', '-c1', '-W2', 'db']);
    assert.notEqual((await world.hoist(['exec', 'third', 'ping', '-c1', '-W2', 'db'])).code, 0);
    await world.ok(['rm', '-f', 'store', 'front', 'third']);
    await docker(world, 'network', 'rm', 'linked');
  });

  check('hosts of a container in several networks: its names at each address, and what was added', async (world) => {
    for (const name of ['h1', 'h2']) await docker(world, 'network', 'create', name);
    const flags = [
      '--hostname',
      'me',
      '--domainname',
      'dom.x',
      '--add-host',
      'foo:1.2.3.4',
      '--add-host',
      'gw:host-gateway',
    ];
    await docker(
      world,
      'run',
      '-d',
      '--name',
      'who',
      '--network',
      'h1',
      '--network',
      'h2',
      ...flags,
      'busybox',
      'sleep',
      '1000',
    );
    const hosts = await world.ok(['exec', 'who', 'cat', '/etc/hosts']);
    assert.equal([...hosts.matchAll(/^172\.\d+\.\d+\.\d+\tme\.dom\.x me$/gm)].length, 2, hosts);
    assert.match(hosts, /^1\.2\.3\.4\tfoo$/m);
    assert.match(hosts, /^172\.\d+\.0\.1\tgw$/m);
    await world.ok(['rm', '-f', 'who']);
    await docker(world, 'network', 'rm', 'h1', 'h2');
  });
});
