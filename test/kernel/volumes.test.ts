// Volumes as users see them: named and anonymous, filled from the image, shared, in use, removed, pruned.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { databaseImage } from './volume-image.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

const dataOf = (world: World, name: string): string => path.join(world.root, 'volumes', name, '_data');
const names = async (world: World, ...filters: string[]): Promise<string[]> =>
  (await world.ok(['volume', 'ls', '-q', ...filters.flatMap((one) => ['-f', one])])).split('\n').filter((one) => one);

interface Mount {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}

const mountsOf = async (world: World, ref: string): Promise<Mount[]> =>
  JSON.parse(await world.ok(['inspect', '-f', '{{json .Mounts}}', ref])) as Mount[];

async function prepare(world: World): Promise<void> {
  await busybox(world);
  await databaseImage(world, 'db');
}

inWorld('volumes', { prepare, needs: ['tar', 'setfattr'] }, (define) => {
  /** Each starts without volumes, also after one that failed. */
  const check = (title: string, body: (world: World) => Promise<void>): void =>
    define(title, async (world) => {
      await world.ok(['volume', 'prune', '-af']);
      await body(world);
    });

  check('create, inspect, ls with its filters, rm; the same again is the same volume', async (world) => {
    assert.equal(await world.ok(['volume', 'create', '--label', 'a=b', '--label', 'c', 'first']), 'first');
    assert.equal(await world.ok(['volume', 'create', 'first']), 'first');
    const anonymous = await world.ok(['volume', 'create']);
    assert.match(anonymous, /^[0-9a-f]{64}$/);
    const [first, other] = JSON.parse(await world.ok(['volume', 'inspect', 'first', anonymous]));
    assert.deepEqual(
      { ...first, CreatedAt: '' },
      {
        CreatedAt: '',
        Driver: 'local',
        Labels: { a: 'b', c: '' },
        Mountpoint: dataOf(world, 'first'),
        Name: 'first',
        Options: null,
        Scope: 'local',
      },
    );
    assert.match(first.CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(other.Labels, { 'com.docker.volume.anonymous': '' });
    assert.equal(
      await world.ok(['inspect', '--type', 'volume', '-f', '{{.Mountpoint}}', 'first']),
      dataOf(world, 'first'),
    );
    assert.deepEqual(await names(world, 'name=irs'), ['first']);
    assert.deepEqual(await names(world, 'label=a=b'), ['first']);
    assert.deepEqual(await names(world, 'label=a=x'), []);
    assert.deepEqual(await names(world, 'driver=local', 'dangling=true', 'label=com.docker.volume.anonymous'), [
      anonymous,
    ]);
    assert.deepEqual(await names(world, 'dangling=0'), []);
    assert.match((await world.hoist(['volume', 'ls', '-f', 'x=y'])).stderr, /invalid filter 'x'/);
    assert.match(
      (await world.hoist(['volume', 'ls', '-f', 'dangling=maybe'])).stderr,
      /invalid filter 'dangling=\[maybe\]'/,
    );
    const removed = await world.hoist(['volume', 'rm', 'first', 'nope', anonymous]);
    assert.deepEqual(
      [removed.code, removed.stdout, removed.stderr],
      [1, `first\n${anonymous}\n`, 'Error response from daemon: get nope: no such volume\n'],
    );
    assert.equal(await world.ok(['volume', 'rm', '-f', 'nope']), 'nope');
    await eventually('their directories are gone', () => readdirSync(path.join(world.root, 'volumes')).length === 0);
  });

  check("bad names, drivers, options and places get Docker's words", async (world) => {
    const invalid = (name: string) =>
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`;
    const create = (...args: string[]) => ['create', ...args, 'busybox', 'true'];
    const cases: [args: string[], words: string][] = [
      [['volume', 'create', 'a/b'], invalid('a/b')],
      [['volume', 'create', '../x'], invalid('../x')],
      [['volume', 'create', '.hidden'], invalid('.hidden')],
      [['volume', 'create', 'x'], 'create x: volume name is too short, names should be at least two alphanumeric char'],
      [
        ['volume', 'create', '-d', 'nope', 'vv'],
        'create vv: error looking up volume plugin nope: plugin "nope" not found',
      ],
      [['volume', 'create', '-o', 'foo=bar', 'vv'], 'create vv: invalid option: "foo"'],
      [['volume', 'create', '-o', 'type=tmpfs', 'vv'], 'create vv: missing required option: "device"'],
      [create('-v', 'rel/x:/y'), invalid('rel/x')],
      [create('-v', 'name:rel'), 'invalid volume specification: \'name:rel\': invalid mount config for type "volume"'],
      [create('-v', 'name:/'), "invalid specification: destination can't be '/'"],
      [create('-v', 'rel'), "invalid mount path: 'rel' mount path must be absolute"],
      [create('-v', 'name:/a:zz'), 'invalid mode: zz'],
      [create('-v', 'name:/a:ro,rw'), 'invalid mode: ro,rw'],
      [create('-v', 'aa:/b:c:d'), "invalid volume specification: 'aa:/b:c:d'"],
      [create('-v', 'name:/a:shared'), 'field BindOptions must not be specified'],
      [create('-v', '/tmp:/a:nocopy'), 'field VolumeOptions must not be specified'],
      [create('-v', 'aa:/a', '-v', 'bb:/a'), 'Duplicate mount point: /a'],
      [create('-v', 'aa:/a', '--tmpfs', '/a'), 'Duplicate mount point: /a'],
      [create('--mount', 'type=volume,src=a/b,dst=/x'), invalid('a/b')],
      [create('--mount', 'type=tmpfs,src=a,dst=/x'), 'field Source must not be specified'],
      [create('--mount', 'type=foo,src=a,dst=/x'), 'invalid mount config for type "foo": mount type unknown'],
      [create('--mount', 'type=volume,dst=/x,volume-subpath=s'), 'must not set Subpath when using anonymous volumes'],
      [
        create('--mount', 'type=volume,src=aa,dst=/x,volume-subpath=../s'),
        'subpath must be a relative path within the volume',
      ],
      [create('--mount', 'type=volume,src=aa,dst=/x,volume-driver=nope'), 'plugin "nope" not found'],
      [create('--volume-driver', 'nope', '-v', 'aa:/x'), 'plugin "nope" not found'],
      [create('--volumes-from', 'nobody'), 'No such container: nobody'],
      [create('--volumes-from', ''), 'volumes-from specification cannot be an empty string'],
      [create('-v', '/etc/passwd'), 'cannot mount volume over existing file, file exists /etc/passwd'],
      [create('--tmpfs', 'rel'), "invalid mount path: 'rel' mount path must be absolute"],
    ];
    for (const [args, words] of cases) {
      const result = await world.hoist(args);
      assert.equal(result.code, 1, `${args.join(' ')}: ${result.stdout}`);
      assert.ok(result.stderr.includes(words), `${args.join(' ')}: ${result.stderr}`);
    }
    assert.deepEqual([await names(world), await world.ok(['ps', '-aq'])], [[], ''], 'nothing was made on the way');
  });

  check('what inspect says of mounts', async (world) => {
    await world.ok(
      'create --name shown -v one:/d -v /anon -v two:/t:ro -v three:/n:nocopy,z --mount type=volume,src=four,dst=/m,volume-label=a=b,readonly --mount type=volume,dst=/an2 --tmpfs /tmp:size=1m --mount type=tmpfs,dst=/tt,readonly busybox true'.split(
        ' ',
      ),
    );
    const mounts = await mountsOf(world, 'shown');
    const anonymous = mounts.filter(({ Name }) => /^[0-9a-f]{64}$/.test(Name ?? ''));
    assert.deepEqual(anonymous.map(({ Destination, Mode }) => [Destination, Mode]).sort(), [
      ['/an2', 'z'],
      ['/anon', ''],
    ]);
    const volume = (Name: string, Destination: string, Mode: string, RW: boolean): Mount => ({
      Type: 'volume',
      Name,
      Source: dataOf(world, Name),
      Destination,
      Driver: 'local',
      Mode,
      RW,
      Propagation: '',
    });
    assert.deepEqual(
      mounts.filter((mount) => !anonymous.includes(mount)),
      [
        volume('one', '/d', 'z', true),
        volume('two', '/t', 'ro', false),
        volume('three', '/n', 'nocopy,z', true),
        volume('four', '/m', 'z', false),
        { Type: 'tmpfs', Source: '', Destination: '/tt', Mode: '', RW: false, Propagation: '' },
      ],
    );
    assert.equal(await world.ok(['volume', 'inspect', '-f', '{{json .Labels}}', 'four']), '{"a":"b"}');
    assert.equal((await names(world)).length, 6);
    assert.equal(await world.ok(['ps', '-a', '-f', 'volume=two', '--format', '{{.Names}}']), 'shown');
    const id = (await world.inspect('shown')).Id;
    const refused = await world.hoist(['volume', 'rm', '-f', 'one']);
    assert.deepEqual(
      [refused.code, refused.stderr],
      [1, `Error response from daemon: remove one: volume is in use - [${id}]\n`],
    );
    await world.ok(['rm', '-v', 'shown']);
    assert.deepEqual(await names(world), ['four', 'one', 'three', 'two'], 'named ones stay');
    await world.ok(['volume', 'rm', 'four', 'one', 'three', 'two']);
  });

  check('data outlives its container; two share it; read-only is read-only', async (world) => {
    await world.ok(['run', '--rm', '-v', 'kept:/d', 'busybox', 'sh', '-c', 'echo hello >/d/f']);
    assert.equal(await world.ok(['run', '--rm', '-v', 'kept:/e:ro', 'busybox', 'cat', '/e/f']), 'hello');
    const denied = await world.hoist(['run', '--rm', '-v', 'kept:/e:ro', 'busybox', 'touch', '/e/g']);
    assert.match(denied.stderr, /Read-only file system/);
    await world.ok(['run', '-d', '--name', 'writer', '-v', 'kept:/d', 'busybox', 'sleep', '100']);
    await world.ok(['run', '-d', '--name', 'reader', '--volumes-from', 'writer:ro', 'busybox', 'sleep', '100']);
    await world.ok(['exec', 'writer', 'sh', '-c', 'echo now >/d/now']);
    assert.equal(await world.ok(['exec', 'reader', 'cat', '/d/now']), 'now');
    assert.notEqual((await world.hoist(['exec', 'reader', 'touch', '/d/x'])).code, 0);
    const [lent] = await mountsOf(world, 'reader');
    assert.deepEqual([lent?.Name, lent?.RW, lent?.Mode], ['kept', false, '']);
    process.kill(await world.enginePid(), 'SIGKILL');
    await eventually('another engine has them', async () => (await world.hoist(['ps', '-q'])).code === 0);
    assert.match((await world.hoist(['volume', 'rm', 'kept'])).stderr, /volume is in use - \[\w{64}, \w{64}\]/);
    await world.ok(['exec', 'writer', 'sh', '-c', 'echo again >/d/now']);
    assert.equal(await world.ok(['exec', 'reader', 'cat', '/d/now']), 'again');
    await world.ok(['rm', '-fv', 'writer', 'reader']);
    await world.ok(['volume', 'rm', 'kept']);
  });

  check("an empty volume gets the image's content: owner, modes, times, links, devices, attributes", async (world) => {
    const script = 'cd /data && stat -c "%n %u:%g %a %Y %F" . file secret link sub/deep pipe null && readlink link';
    await world.ok(['create', '--name', 'first', '-v', 'pgdata:/data', 'db']);
    const data = dataOf(world, 'pgdata');
    assert.equal(readFileSync(path.join(data, 'file'), 'utf8'), 'content\n', 'filled when it is created, as in Docker');
    const inVolume = await world.ok(['run', '--rm', '-v', 'pgdata:/data', 'db', 'sh', '-c', script]);
    const inImage = await world.ok(['run', '--rm', '--volume', '/nothing', 'plain-db', 'sh', '-c', script]);
    assert.equal(inVolume, inImage);
    assert.match(inVolume, /^\. 999:998 700 1000000000 directory\n/);
    const [a, b] = [lstatSync(path.join(data, 'file')), lstatSync(path.join(data, 'sub/hard'))];
    assert.deepEqual([a.ino === b.ino, a.nlink], [true, 2]);
    const attributes = spawnSync('getfattr', ['--absolute-names', '-d', '-m', '-', path.join(data, 'file')], {
      encoding: 'utf8',
    });
    assert.match(attributes.stdout, /user\.note="kept"/);
    // what is there stays: a second container, another image, an emptied file
    await world.ok([
      'run',
      '--rm',
      '-v',
      'pgdata:/data',
      'busybox',
      'sh',
      '-c',
      'rm -r /data/sub; echo mine >/data/file',
    ]);
    await world.ok(['run', '--rm', '-v', 'pgdata:/data', 'db', 'true']);
    assert.deepEqual(
      [existsSync(path.join(data, 'sub')), readFileSync(path.join(data, 'file'), 'utf8')],
      [false, 'mine\n'],
    );
    await world.ok(['rm', '-v', 'first']);
    await world.ok(['volume', 'rm', 'pgdata']);
  });

  check('nocopy, binds and subpaths are not filled; an empty directory lends its owner and mode', async (world) => {
    await world.ok(['run', '--rm', '-v', 'none:/data:nocopy', 'db', 'true']);
    assert.deepEqual(readdirSync(dataOf(world, 'none')), []);
    await world.ok(['run', '--rm', '--mount', 'type=volume,src=none,dst=/data,volume-nocopy', 'db', 'true']);
    assert.deepEqual(readdirSync(dataOf(world, 'none')), []);
    mkdirSync(path.join(world.dir, 'bound'));
    await world.ok(['run', '--rm', '-v', `${world.dir}/bound:/data`, 'db', 'true']);
    assert.deepEqual(readdirSync(path.join(world.dir, 'bound')), []);
    await world.ok(['run', '--rm', '-v', 'none:/empty', 'db', 'true']);
    const { uid, gid, mode } = lstatSync(dataOf(world, 'none'));
    assert.deepEqual([uid, gid, mode & 0o7777], [1234, 4321, 0o1750]);
    await world.ok(['run', '--rm', '-v', 'none:/x', 'busybox', 'sh', '-c', 'mkdir /x/part; echo p >/x/part/f']);
    const subpath = 'type=volume,src=none,dst=/data,volume-subpath=part';
    assert.equal(await world.ok(['run', '--rm', '--mount', subpath, 'db', 'ls', '/data']), 'f');
    const missing = await world.hoist(['run', '--rm', '--mount', `${subpath}/no`, 'db', 'true']);
    assert.match(missing.stderr, /cannot access path .*\/_data\/part\/no: lstat .*: no such file or directory/);
    await world.ok(['volume', 'rm', 'none']);
  });

  check('attack: a subpath that a container made a symlink out of the volume', async (world) => {
    await world.ok(['run', '--rm', '-v', 'sly:/x', 'busybox', 'ln', '-s', `${'../'.repeat(20)}${world.dir}`, '/x/out']);
    writeFileSync(path.join(world.dir, 'host-file'), 'secret');
    const mount = 'type=volume,src=sly,dst=/y,volume-subpath=out';
    const result = await world.hoist(['run', '--rm', '--mount', mount, 'busybox', 'cat', '/y/host-file']);
    assert.notEqual(result.code, 0);
    assert.doesNotMatch(result.stdout, /secret/);
    await world.ok(['volume', 'rm', 'sly']);
  });

  check("attack: an image's symlink at the mount point leads the copy nowhere else", async (world) => {
    for (const [place, target] of [
      ['/evil', 'an absolute symlink'],
      ['/evil2', 'a symlink upwards'],
    ] as const) {
      await world.ok(['create', '--name', 'evil', '-v', `evil:${place}`, 'db', 'true']);
      assert.deepEqual(readdirSync(dataOf(world, 'evil')), [], target);
      await world.ok(['rm', 'evil']);
      await world.ok(['volume', 'rm', 'evil']);
    }
  });

  check('VOLUME of an image: anonymous, unless a mount covers it; --rm and rm -v take it away', async (world) => {
    const id = await world.ok(['run', '-d', '--name', 'pg', 'db', 'sleep', '100']);
    const [mount] = await mountsOf(world, 'pg');
    assert.deepEqual([mount?.Destination, mount?.Mode, (await names(world)).length], ['/data', '', 1]);
    assert.equal(await world.ok(['exec', 'pg', 'cat', '/data/file']), 'content');
    await world.ok(['rm', '-f', 'pg']);
    assert.deepEqual(await names(world), [mount?.Name], `rm alone leaves it (${id})`);
    await world.ok(['run', '--rm', 'db', 'true']);
    await world.ok(['run', '--rm', '-v', '/tmp:/data', 'db', 'true']);
    await world.ok(['run', '--rm', '--tmpfs', '/data', 'db', 'true']);
    assert.deepEqual(await names(world), [mount?.Name]);
    await world.ok(['run', '-d', '--name', 'pg', '--volumes-from', await lender(world), 'db', 'sleep', '100']);
    assert.deepEqual((await names(world)).length, 2, 'the lender has one, which covers its own');
    await world.ok(['rm', '-v', 'lender']);
    assert.deepEqual((await names(world)).length, 2, 'somebody else has it still');
    await world.ok(['rm', '-fv', 'pg']);
    assert.equal(
      await world.ok(['volume', 'prune', '-f']),
      `Deleted Volumes:\n${mount?.Name}\n\nTotal reclaimed space: 20B`,
    );
    assert.deepEqual(await names(world), []);
  });

  check('prune: without a name and a container; all with -a; labels; the question', async (world) => {
    await world.ok(['volume', 'create', '--label', 'keep', 'named']);
    const [loose, held] = [await world.ok(['volume', 'create']), await world.ok(['volume', 'create'])];
    await world.ok(['create', '--name', 'holder', '-v', `${held}:/x`, 'busybox', 'true']);
    const asked = await world.hoist(['volume', 'prune'], { input: 'n\n' });
    assert.match(
      asked.stdout,
      /WARNING! This will remove anonymous local volumes not used by at least one container\./,
    );
    assert.deepEqual((await names(world)).length, 3);
    assert.equal(await world.ok(['volume', 'prune', '-f']), `Deleted Volumes:\n${loose}\n\nTotal reclaimed space: 0B`);
    assert.equal(await world.ok(['volume', 'prune', '-af', '--filter', 'label!=keep']), 'Total reclaimed space: 0B');
    assert.match(await world.ok(['volume', 'prune', '-af', '--filter', 'label=keep']), /Deleted Volumes:\nnamed\n/);
    assert.match(
      (await world.hoist(['volume', 'prune', '-f', '--filter', 'until=1h'])).stderr,
      /invalid filter 'until'/,
    );
    // named by its user when the container was made: no rm -v takes it
    await world.ok(['rm', '-v', 'holder']);
    assert.deepEqual(await names(world), [held]);
    await world.ok(['volume', 'rm', held]);
  });

  check("events: Docker's, in Docker's order", async (world) => {
    const since = String(Date.now() / 1000);
    await world.ok(['run', '--rm', '--name', 'told', '-v', 'told:/x:ro', '-v', '/an', 'busybox', 'true']);
    await world.ok(['volume', 'rm', 'told']);
    await world.ok(['volume', 'prune', '-f']);
    const format = '{{.Type}} {{.Action}} {{.Actor.Attributes}}';
    const lines = (
      await world.ok(['events', '--since', since, '--until', String(Date.now() / 1000 + 0.05), '--format', format])
    ).split('\n');
    const kinds = lines.map((line) => line.split(' map[')[0]).filter((line) => !/^network|attach$/.test(line ?? ''));
    assert.deepEqual(kinds, [
      'volume create',
      'volume create',
      'container create',
      'volume mount',
      'volume mount',
      'container start',
      'volume unmount',
      'volume unmount',
      'container die',
      'volume destroy',
      'container destroy',
      'volume destroy',
      'volume prune',
    ]);
    const told = lines.join('\n');
    assert.match(
      told,
      /volume mount map\[container:\w{64} destination:\/x driver:local propagation: read\/write:false\]/,
    );
    assert.match(told, /volume unmount map\[container:\w{64} driver:local\]/);
    assert.match(told, /volume prune map\[reclaimed:0\]/);
  });
});

async function lender(world: World): Promise<string> {
  await world.ok(['create', '--name', 'lender', 'db', 'true']);
  return 'lender';
}
