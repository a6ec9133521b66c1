// Mounts that are no plain directory: volumes with options of the driver local, images, tmpfs.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { databaseImage } from './volume-image.ts';
import { busybox, inWorld, type World } from './world.ts';

async function prepare(world: World): Promise<void> {
  await busybox(world);
  await databaseImage(world, 'db');
}

/** Mounts of the host that lead into this world. */
const onHost = (world: World): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`${world.dir}/`));

inWorld('volumes with options, images, tmpfs', { prepare, needs: ['tar', 'setfattr'] }, (check) => {
  check('a tmpfs volume: shared while somebody runs with it, empty after', async (world) => {
    await world.ok('volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=1000 memory'.split(' '));
    const first = await world.ok(['run', '--rm', '-v', 'memory:/m', 'busybox', 'sh', '-c', 'mount | grep " /m "']);
    assert.match(first, /^tmpfs on \/m type tmpfs \(rw,relatime,size=1024k,uid=1000/);
    await world.ok(['run', '-d', '--name', 'one', '-v', 'memory:/m', 'busybox', 'sleep', '100']);
    await world.ok(['run', '-d', '--name', 'two', '-v', 'memory:/m:ro', 'busybox', 'sleep', '100']);
    await world.ok(['exec', 'one', 'touch', '/m/shared']);
    assert.equal(await world.ok(['exec', 'two', 'ls', '/m']), 'shared');
    assert.deepEqual(onHost(world), [], 'the host sees none of it');
    await world.ok(['rm', '-f', 'one']);
    assert.equal(await world.ok(['exec', 'two', 'ls', '/m']), 'shared');
    await world.ok(['rm', '-f', 'two']);
    assert.equal(await world.ok(['run', '--rm', '-v', 'memory:/m', 'busybox', 'ls', '-A', '/m']), '');
    await world.ok(['volume', 'rm', 'memory']);
  });

  check('a directory of the host: filled from the image, kept when the volume goes', async (world) => {
    const device = path.join(world.dir, 'device');
    mkdirSync(device);
    await world.ok(['volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${device}`, 'bound']);
    assert.equal(await world.ok(['run', '--rm', '-v', 'bound:/data', 'db', 'cat', '/data/file']), 'content');
    assert.deepEqual(readdirSync(device).sort(), ['file', 'link', 'null', 'pipe', 'secret', 'sub']);
    await world.ok(['run', '--rm', '-v', 'bound:/data', 'db', 'rm', '/data/file']);
    await world.ok(['volume', 'rm', 'bound']);
    assert.deepEqual(readdirSync(device).sort(), ['link', 'null', 'pipe', 'secret', 'sub']);
    const mount = `type=volume,src=inline,dst=/x,volume-opt=type=none,"volume-opt=o=bind,ro",volume-opt=device=${device}`;
    const denied = await world.hoist(['run', '--rm', '--mount', mount, 'busybox', 'touch', '/x/y']);
    assert.match(denied.stderr, /Read-only file system/);
    await world.ok(['volume', 'rm', 'inline']);
  });

  check('what cannot be mounted is said once, and holds up nothing', async (world) => {
    await world.ok('volume create -o type=none -o o=bind -o device=/no/such/dir missing'.split(' '));
    const result = await world.hoist(['run', '--rm', '-v', 'missing:/x', 'busybox', 'true']);
    const data = path.join(world.root, 'volumes/missing/_data');
    assert.notEqual(result.code, 0);
    assert.match(
      result.stderr,
      new RegExp(
        `error while mounting volume '${data}': failed to mount local volume: mount /no/such/dir:${data}, flags: 0x1000: no such file or directory`,
      ),
    );
    await world.ok(['volume', 'create', '-o', 'type=nfs', '-o', 'o=addr=127.0.0.1,soft', '-o', 'device=:/x', 'nfs']);
    const refused = await world.hoist(['run', '--rm', '-v', 'nfs:/x', 'busybox', 'true']);
    assert.match(refused.stderr, /failed to mount local volume: mount :\/x:.*data: addr=127\.0\.0\.1,soft: /);
    assert.equal(await world.ok(['ps', '-aq']), '');
    await world.ok(['volume', 'rm', 'missing', 'nfs']);
  });

  check('type=image: read-only, whole or a part; in use while its container is there', async (world) => {
    const mount = 'type=image,src=plain-db,dst=/image';
    const run = (...args: string[]) => world.hoist(['run', '--rm', ...args]);
    assert.equal((await run('--mount', mount, 'busybox', 'cat', '/image/data/file')).stdout, 'content\n');
    assert.match((await run('--mount', mount, 'busybox', 'touch', '/image/x')).stderr, /Read-only file system/);
    const part = await run('--mount', `${mount},image-subpath=data/sub`, 'busybox', 'ls', '/image');
    assert.equal(part.stdout, 'deep\nhard\n');
    const file = await run('--mount', `${mount},image-subpath=data/file`, 'busybox', 'cat', '/image');
    assert.equal(file.stdout, 'content\n');
    await world.ok(['create', '--name', 'holder', '--mount', mount, 'busybox', 'true']);
    assert.match(
      (await world.hoist(['rmi', 'plain-db'])).stderr,
      /conflict: unable to remove repository reference "plain-db" \(must force\)/,
    );
    assert.deepEqual(
      JSON.parse(await world.ok(['inspect', '-f', '{{json (index .Mounts 0).Name}} ', 'holder'])),
      'plain-db',
    );
    await world.ok(['rm', 'holder']);
    const unknown = await world.hoist(['create', '--mount', 'type=image,src=nope,dst=/x', 'busybox', 'true']);
    assert.notEqual(unknown.code, 0);
    assert.deepEqual(onHost(world), []);
  });

  check('tmpfs with all its options; unknown ones are refused', async (world) => {
    const line = 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700';
    const shown = await world.ok(['run', '--rm', '--mount', line, 'busybox', 'sh', '-c', 'mount | grep " /t "']);
    assert.match(shown, /tmpfs \(rw,nosuid,nodev,noexec,relatime,size=1024k,mode=700/);
    const unknown = await world.hoist(['run', '--rm', '--tmpfs', '/t:foo', 'busybox', 'true']);
    assert.match(unknown.stderr, /invalid tmpfs option "foo"/);
    const readonly = await world.hoist(['run', '--rm', '--mount', `${line},readonly`, 'busybox', 'touch', '/t/x']);
    assert.match(readonly.stderr, /Read-only file system/);
  });

  check('an engine that was killed: containers keep what they have mounted, and it goes with them', async (world) => {
    await world.ok('volume create -o type=tmpfs -o device=tmpfs kept'.split(' '));
    await world.ok(['run', '-d', '--name', 'old', '-v', 'kept:/m', 'busybox', 'sh', '-c', 'touch /m/f; sleep 100']);
    process.kill(await world.enginePid(), 'SIGKILL');
    assert.equal(await world.ok(['exec', 'old', 'ls', '/m']), 'f');
    assert.match((await world.hoist(['volume', 'rm', 'kept'])).stderr, /volume is in use/);
    await world.ok(['rm', '-f', 'old']);
    await world.ok(['volume', 'rm', 'kept']);
  });
});
