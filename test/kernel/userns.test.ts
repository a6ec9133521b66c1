// --userns and userns-remap of root's engine: containers whose root is nobody outside.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { whyNot } from '../machine.ts';
import { busybox, inWorld, type World } from './world.ts';

const user = `ht${randomInt(1e8)}`;

const subject = {
  env: { HOIST_USERNS_REMAP: user },
  needs: ['useradd'],
  prepare: async (world: World): Promise<void> => {
    spawnSync('useradd', ['--no-create-home', user]);
    await busybox(world);
  },
  finish: (): void => void spawnSync('userdel', [user]),
};

/** The first id of the user's range. */
const first = (): number => Number(new RegExp(`^${user}:(\\d+):`, 'm').exec(readFileSync('/etc/subuid', 'utf8'))?.[1]);

inWorld('user namespaces of containers', subject, (check) => {
  const why = whyNot('useradd');

  check(
    'userns-remap: root inside is a subordinate id outside, and files have the owners that the image gave them',
    async (world) => {
      const map = await world.ok(['run', '--rm', 'busybox', 'cat', '/proc/self/uid_map']);
      assert.deepEqual(map.trim().split(/\s+/).map(Number), [0, first(), 65536]);
      const owners = await world.ok([
        'run',
        '--rm',
        'busybox',
        'stat',
        '-c',
        '%u:%g',
        '/',
        '/bin',
        '/etc/passwd',
        '/etc/hosts',
      ]);
      assert.equal(owners, '0:0\n0:0\n0:0\n0:0');
      await world.ok(['run', '-d', '--name', 'mapped', 'busybox', 'sleep', '100']);
      const { State } = await world.inspect('mapped');
      assert.equal(statSync(`/proc/${State.Pid}`).uid, first());
      assert.match(await world.ok(['exec', 'mapped', 'id']), /^uid=0\(root\)/);
      assert.match(await world.ok(['info', '-f', '{{.SecurityOptions}}']), /name=userns/);
      await world.ok(['rm', '-f', 'mapped']);
    },
    why,
  );

  check('its root has no power over the host', async (world) => {
    const bind = path.join(world.dir, 'bind');
    spawnSync('mkdir', [bind]);
    const tried = await world.hoist(['run', '--rm', '-v', `${bind}:/b`, 'busybox', 'touch', '/b/x']);
    assert.match(tried.stderr, /Permission denied/);
  });

  check('volumes keep the ids that containers see, with and without a namespace', async (world) => {
    await world.ok(['run', '--rm', '-v', 'kept:/d', 'busybox', 'sh', '-c', 'echo v > /d/f; chown 7:8 /d/f']);
    const see = ['-v', 'kept:/d', 'busybox', 'stat', '-c', '%u:%g', '/d/f'];
    assert.equal(await world.ok(['run', '--rm', ...see]), '7:8');
    assert.equal(await world.ok(['run', '--rm', '--userns=host', ...see]), '7:8');
    await world.ok(['volume', 'rm', 'kept']);
  });

  check('what is committed has the ids of the inside', async (world) => {
    await world.ok(['run', '--name', 'made', 'busybox', 'sh', '-c', 'echo n > /new; chown 5:6 /new']);
    await world.ok(['commit', 'made', 'second']);
    assert.equal(await world.ok(['run', '--rm', '--userns=host', 'second', 'stat', '-c', '%u:%g', '/new']), '5:6');
    await world.ok(['start', 'made']);
    await world.ok(['rm', '-f', 'made']);
  });

  check('--userns=host opts out; auto gives each container ids of its own', async (world) => {
    assert.match(
      await world.ok(['run', '--rm', '--userns=host', 'busybox', 'cat', '/proc/self/uid_map']),
      /\s0\s+0\s+4294967295/,
    );
    const starts: number[] = [];
    for (const name of ['one', 'two']) {
      await world.ok(['run', '-d', '--name', name, '--userns=auto:size=1000', 'busybox', 'sleep', '100']);
      const [inside = -1, outside = 0, size] = (await world.ok(['exec', name, 'cat', '/proc/self/uid_map']))
        .trim()
        .split(/\s+/)
        .map(Number);
      assert.deepEqual([inside, size], [0, 1000]);
      starts.push(outside);
    }
    assert.equal(Math.abs((starts[0] ?? 0) - (starts[1] ?? 0)), 1000);
    assert.equal((await world.inspect('two')).HostConfig['UsernsMode'], 'auto:size=1000');
    await world.ok(['rm', '-f', 'one', 'two']);
  });

  check('what cannot be had there is refused in Docker’s words', async (world) => {
    const refused = async (words: RegExp, ...flags: string[]): Promise<void> => {
      const { code, stderr } = await world.hoist(['run', '--rm', ...flags, 'busybox', 'true']);
      assert.equal(code, 125);
      assert.match(stderr, words);
    };
    await refused(/privileged mode is incompatible with user namespaces/, '--privileged');
    await refused(/cannot share the host's network namespace when user namespaces are enabled/, '--network', 'host');
    await refused(/--userns=keep-id is only supported in rootless mode/, '--userns=keep-id');
    await refused(/invalid USER mode/, '--userns=other');
    await world.ok(['run', '--rm', '--privileged', '--userns=host', 'busybox', 'true']);
  });
});
