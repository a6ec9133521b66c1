// Containers of a user without subordinate ids, on a machine where root did nothing for them: one id, root inside.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { openUserWorld, type UserWorld, whyNoUsers } from './user-world.ts';
import { binary, eventually } from './world.ts';

test.suite('an ordinary user without subordinate ids', { skip: whyNoUsers() ?? false, timeout: 200_000 }, () => {
  let user: UserWorld;
  test.before(async () => {
    user = await openUserWorld({ subordinate: false });
    await user.ok(['image', 'bootstrap', 'busybox']);
  });
  test.after(() => user[Symbol.asyncDispose]());

  test('runs as the only id that there is', async () => {
    const map = (await user.ok(['run', '--rm', 'busybox', 'cat', '/proc/self/uid_map'])).trim().split(/\s+/);
    assert.deepEqual(map.map(Number), [0, user.uid, 1]);
    await user.ok(['run', '-d', '--name', 'one', 'busybox', 'sleep', '100']);
    assert.match(await user.ok(['exec', 'one', 'id']), /^uid=0\(root\) gid=0\(root\)/);
    const kept = await user.ok([
      'exec',
      'one',
      'sh',
      '-c',
      'touch /f && rm /bin/vi && chown 0:0 /f && ping -c1 127.0.0.1 >/dev/null && echo ok',
    ]);
    assert.equal(kept, 'ok');
    await user.ok(['rm', '-f', 'one']);
  });

  test('another user is refused, with what to do', async () => {
    const refused = await user.hoist(['run', '--rm', '-u', '1000', 'busybox', 'true']);
    assert.equal(refused.code, 125);
    assert.match(refused.stderr, /user 1000 has no id on this host: here are 1 uids/);
    assert.match(refused.stderr, /uidmap.*subuid/);
  });

  test('one command without an engine leaves nothing behind', async () => {
    await user.ok(['engine', 'stop']);
    const ran = await user.program([
      'env',
      'HOIST_NO_ENGINE=1',
      user.binary,
      'run',
      '--rm',
      'busybox',
      'echo',
      'alone',
    ]);
    assert.equal(ran.stdout, 'alone\n', ran.stderr);
    await eventually('nothing of the user is left', () => user.processes('').length === 0);
  });

  test('a directory in /tmp that is somebody else’s is not used for sockets', async () => {
    const place = `/tmp/hoist-${user.uid}`;
    mkdirSync(place);
    try {
      const refused = await user.program(['env', '-u', 'XDG_RUNTIME_DIR', user.binary, 'ps']);
      assert.equal(refused.code, 125);
      assert.match(refused.stderr, new RegExp(`cannot use ${place} for sockets`));
      assert.deepEqual(readdirSync(place), []);
    } finally {
      spawnSync('rmdir', [place]);
    }
  });
});

test('where user namespaces are forbidden one sentence says what to do', { skip: whyNoUsers() ?? false }, () => {
  const dir = spawnSync('mktemp', ['-d'], { encoding: 'utf8' }).stdout.trim();
  chmodSync(dir, 0o777);
  // a user namespace where root can forbid further ones, and 1000 is somebody else
  const script = `
    unshare --user sleep 20 & sleep 0.2
    echo 0 0 65536 > /proc/$!/gid_map; echo 0 0 65536 > /proc/$!/uid_map
    nsenter --user --target $! --setuid 0 --setgid 0 sh -c 'echo 0 > /proc/sys/user/max_user_namespaces
      exec setpriv --reuid 1000 --regid 1000 --clear-groups "$@"' sh "$@"
    code=$?; kill $!; exit $code`;
  const ran = spawnSync('sh', ['-c', script, 'sh', binary, 'ps'], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      HOME: dir,
      HOIST_ROOT: path.join(dir, 'r'),
      HOIST_RUN_ROOT: path.join(dir, 'x'),
    },
  });
  spawnSync('rm', ['-r', dir]);
  assert.equal(ran.status, 125, ran.stderr);
  assert.match(
    ran.stderr,
    /does not let user 1000 make user namespaces.*\nhint: root can allow them: sysctl -w user\.max_user_namespaces/,
  );
});
