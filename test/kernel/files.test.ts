// Files in and out of containers: cp, diff, export and commit, for containers that run and that do not.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tar } from './tar.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

async function run(world: World, name: string, script: string, ...flags: string[]): Promise<void> {
  await world.ok([
    'run',
    '-d',
    '--name',
    name,
    ...flags,
    'busybox',
    'sh',
    '-c',
    `${script}\necho ready\nexec sleep 1000`,
  ]);
  await eventually(`${name} is ready`, async () => (await world.ok(['logs', name])).includes('ready'));
}

/** What tar(1) says is in an archive: `mode owner name`. */
async function listed(world: World, bytes: Buffer): Promise<string[]> {
  const result = await world.program(['tar', 'tvf', '-', '--numeric-owner'], { input: bytes });
  assert.deepEqual([result.code, result.stderr], [0, '']);
  return result.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(\S+) (\S+) +(\S+) \S+ \S+ /, '$1 $2 '));
}

/** A directory of the host to copy from and to. */
function desk(world: World, name: string): string {
  const dir = path.join(world.dir, name);
  mkdirSync(path.join(dir, 'dir/sub'), { recursive: true });
  writeFileSync(path.join(dir, 'file'), 'file\n');
  writeFileSync(path.join(dir, 'dir/inner'), 'inner\n', { mode: 0o750 });
  symlinkSync('inner', path.join(dir, 'dir/link'));
  return dir;
}

inWorld('files', { prepare: busybox }, (check) => {
  check('cp: where a file or a directory goes, and what it is called there', async (world) => {
    const cwd = desk(world, 'where');
    await run(world, 'cc', 'mkdir /there; echo old >/existing');
    const cp = (...args: string[]) => world.ok(['cp', ...args], { cwd });
    const cat = (file: string) => world.ok(['exec', 'cc', 'cat', file]);
    await cp('file', 'cc:/there');
    assert.equal(await cat('/there/file'), 'file');
    await cp('file', 'cc:/there/named');
    assert.equal(await cat('/there/named'), 'file');
    await cp('file', 'cc:existing');
    assert.equal(await cat('/existing'), 'file');
    await cp('dir', 'cc:/there');
    assert.equal(await cat('/there/dir/link'), 'inner');
    await cp('dir', 'cc:/fresh');
    assert.equal(await cat('/fresh/inner'), 'inner');
    await cp('dir/.', 'cc:/there');
    assert.equal(await cat('/there/inner'), 'inner');
    await cp('cc:/there/dir', '.');
    assert.equal(readFileSync(path.join(cwd, 'dir/inner'), 'utf8'), 'inner\n');
    await cp('cc:/there/dir', 'back');
    assert.equal(readlinkSync(path.join(cwd, 'back/link')), 'inner');
    assert.equal(lstatSync(path.join(cwd, 'back/inner')).mode & 0o777, 0o750);
    await cp('cc:/there/dir/.', 'more');
    assert.equal(readFileSync(path.join(cwd, 'more/inner'), 'utf8'), 'inner\n');
    await cp('-L', 'cc:/there/dir/link', 'followed');
    assert.ok(lstatSync(path.join(cwd, 'followed')).isFile());
    await world.ok(['rm', '-f', 'cc']);
  });

  check('cp: what it refuses, in Docker’s words', async (world) => {
    const cwd = desk(world, 'refused');
    await run(world, 'cc', 'mkdir -p /there/file; echo old >/existing; ln -s nowhere /dangling', '-v', 'vol:/ro:ro');
    const cases: [args: string[], words: string][] = [
      [['cc:/nope', '.'], 'Error response from daemon: Could not find the file /nope in container cc\n'],
      [['cc:/existing/', '.'], 'Error response from daemon: lstat /existing/: not a directory\n'],
      [['-L', 'cc:/dangling', '.'], 'Error response from daemon: Could not find the file /nowhere in container cc\n'],
      [['cc:/existing', 'nodir/'], 'no such directory\n'],
      [['cc:/existing', 'nodir/x'], `invalid output path: directory "${cwd}/nodir" does not exist\n`],
      [['cc:/there', 'file'], 'cannot copy directory\n'],
      [
        ['cc:/existing', '/dev/null'],
        'invalid output path: "/dev/null" must be a directory or a regular file: got a device\n',
      ],
      [['nope', 'cc:/'], `lstat ${cwd}/nope: no such file or directory\n`],
      [['file/', 'cc:/'], 'not a directory\n'],
      [['file', 'cc:/nodir/'], 'no such directory\n'],
      [['file', 'cc:/nodir/x'], 'Error response from daemon: Could not find the file /nodir in container cc\n'],
      [['dir', 'cc:/existing'], 'cannot copy directory\n'],
      [
        ['file', 'cc:/there'],
        'Error response from daemon: cannot overwrite directory "file" with non-directory "/there"\n',
      ],
      [['file', 'cc:/ro'], 'Error response from daemon: mounted volume is marked read-only\n'],
      [['cc:/existing', 'dd:/'], 'copying between containers is not supported\n'],
      [['file', 'dir'], 'must specify at least one container source\n'],
      [['', 'cc:/'], 'source can not be empty\n'],
      [['file', ''], 'destination can not be empty\n'],
      [['-', 'cc:/existing'], 'destination "cc:/existing" must be a directory\n'],
      [['file', 'nobody:/x'], 'Error response from daemon: No such container: nobody\n'],
      [['nobody:/x', '.'], 'Error response from daemon: No such container: nobody\n'],
    ];
    for (const [args, words] of cases) {
      const result = await world.hoist(['cp', ...args], { cwd });
      assert.deepEqual([result.code, result.stderr], [1, words], args.join(' '));
    }
    await world.ok(['rm', '-f', 'cc']);
    await run(world, 'fixed', 'true', '--read-only', '--tmpfs', '/tmp', '-v', 'vol:/rw');
    const denied = await world.hoist(['cp', 'file', 'fixed:/'], { cwd });
    assert.match(denied.stderr, /container rootfs is marked read-only/);
    await world.ok(['cp', 'file', 'fixed:/tmp'], { cwd });
    await world.ok(['cp', 'file', 'fixed:/rw'], { cwd });
    assert.equal(await world.ok(['exec', 'fixed', 'cat', '/tmp/file', '/rw/file']), 'file\nfile');
    await world.ok(['rm', '-f', 'fixed']);
    await world.ok(['volume', 'rm', 'vol']);
  });

  check('cp: tars through - with names, owners, modes, links, times and compression as they are', async (world) => {
    await run(
      world,
      'cc',
      'mkdir /in; touch -d "2001-02-03 04:05:06" /in/old; chown 12:34 /in/old; chmod 4751 /in/old; mkfifo /in/fifo; mknod /in/null c 1 3; ln /in/old /in/twin; touch "/in/grüße"',
    );
    const out = await world.hoist(['cp', 'cc:/in', '-']);
    const rows = await listed(world, out.bytes);
    assert.ok(rows.includes('-rwsr-x--x 12/34 in/old') || rows.includes('-rwsr-x--x 12/34 in/twin'), rows.join('\n'));
    assert.ok(
      rows.some((row) => /^hrwsr-x--x 12\/34 in\/twin link to in\/old$/.test(row)),
      rows.join('\n'),
    );
    assert.ok(rows.some((row) => row.startsWith('prw') && row.endsWith(' in/fifo')));
    assert.ok(rows.some((row) => row.startsWith('crw') && row.endsWith(' in/null')));
    for (const [name, filter] of [
      ['gz', ['gzip']],
      ['plain', ['cat']],
      ['zst', ['zstd', '-q']],
    ] as const) {
      const packed = await world.program([...filter], { input: out.bytes }).catch(() => undefined);
      if (packed?.code !== 0) continue;
      await world.ok(['exec', 'cc', 'mkdir', `/${name}`]);
      await world.ok(['cp', '-', `cc:/${name}`], { input: packed.bytes });
      const stat = await world.ok(['exec', 'cc', 'stat', '-c', '%u %g %a %Y %h', `/${name}/in/old`]);
      assert.equal(stat, `12 34 4751 ${Date.parse('2001-02-03T04:05:06Z') / 1000} 2`);
    }
    assert.match((await world.hoist(['cp', 'cc:/plain/in/.', '-'])).stdout, /^\.\//);
    await world.ok(['cp', '-a', '-', 'cc:/in'], { input: tar([{ name: 'mine', data: 'x' }]) });
    await world.ok(['rm', '-f', 'cc']);
  });

  check('cp -a gives everything to the container’s user', async (world) => {
    const cwd = desk(world, 'owner');
    await run(world, 'cc', 'true', '--user', '1000:1001', '--tmpfs', '/t');
    await world.ok(['cp', '-a', 'dir', 'cc:/t'], { cwd });
    await world.ok(['cp', 'file', 'cc:/t'], { cwd });
    const owners = await world.ok(['exec', 'cc', 'stat', '-c', '%u:%g', '/t/dir/inner', '/t/dir/sub', '/t/file']);
    assert.equal(owners, '1000:1001\n1000:1001\n0:0');
    await world.ok(['rm', '-f', 'cc']);
  });

  check('cp: one that never ran, one that ended, one that is paused; volumes among them', async (world) => {
    const cwd = desk(world, 'still');
    await world.ok([
      'create',
      '--name',
      'cc',
      '-v',
      'data:/deep/data',
      'busybox',
      'cat',
      '/put/file',
      '/deep/data/file',
    ]);
    assert.equal((await world.hoist(['cp', 'cc:/deep/data', '-'])).code, 0);
    await world.ok(['cp', 'dir', 'cc:/put'], { cwd });
    await world.ok(['cp', 'file', 'cc:/put'], { cwd });
    await world.ok(['cp', 'file', 'cc:/deep/data'], { cwd });
    assert.equal(await world.ok(['start', '-a', 'cc']), 'file\nfile');
    await world.ok(['cp', 'cc:/put/inner', 'ended'], { cwd });
    await world.ok(['cp', 'cc:/deep/data/file', 'volume'], { cwd });
    assert.equal(readFileSync(path.join(cwd, 'volume'), 'utf8'), 'file\n');
    assert.equal(readFileSync(path.join(world.root, 'volumes/data/_data/file'), 'utf8'), 'file\n');
    await world.ok(['rm', 'cc']);
    await world.ok(['volume', 'rm', 'data']);
    await run(world, 'pp', 'echo x >/x');
    await world.ok(['pause', 'pp']);
    assert.equal((await world.hoist(['cp', 'pp:/x', '-'])).code, 0);
    await world.ok(['rm', '-f', 'pp']);
    const mounts = readFileSync(`/proc/${await executorPid(world)}/mounts`, 'utf8');
    assert.ok(!mounts.includes('/view-'), 'no root stays mounted');
  });

  check(
    'diff: added, changed, deleted; parents; a directory made anew; nothing of what the engine puts there',
    async (world) => {
      await run(
        world,
        'cc',
        'mkdir -p /new/sub; echo >/new/sub/file; echo x >>/etc/profile; rm /etc/shadow; chmod 700 /opt; touch -r /bin/busybox /etc/group; rm -r /var/spool /usr; mkdir /usr; rm -r /srv; echo >/srv; cat /bin/sh >/dev/null',
      );
      const lines = (await world.ok(['diff', 'cc'])).split('\n');
      for (const line of [
        'A /new',
        'A /new/sub',
        'A /new/sub/file',
        'C /etc',
        'C /etc/profile',
        'D /etc/shadow',
        'C /opt',
        'C /var',
        'D /var/spool',
        'C /srv',
      ])
        assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
      for (const name of ['hosts', 'hostname', 'resolv.conf'])
        assert.ok(!lines.some((line) => line.endsWith(`/etc/${name}`)), name);
      assert.ok(!lines.some((line) => /^. \/(dev|proc|sys)\b/.test(line)));
      assert.ok(lines.indexOf('C /etc') < lines.indexOf('C /etc/profile'));
      await world.ok(['stop', '-t0', 'cc']);
      assert.deepEqual((await world.ok(['diff', 'cc'])).split('\n'), lines);
      await world.ok(['rm', 'cc']);
      await world.ok(['create', '--name', 'cc', 'busybox']);
      assert.equal(await world.ok(['diff', 'cc']), '');
      await world.ok(['rm', 'cc']);
    },
  );

  check('export: the whole root without mounts, thousands of files, in one archive', async (world) => {
    await run(
      world,
      'cc',
      'mkdir /many; cd /many; for i in $(seq 3000); do echo $i >f$i; done; echo v >/vol/inside; rm /etc/shadow',
      '-v',
      'evol:/vol',
      '--tmpfs',
      '/t',
    );
    const result = await world.hoist(['export', 'cc'], { timeout: 30 });
    assert.equal(result.code, 0, result.stderr);
    const rows = await listed(world, result.bytes);
    const names = new Set(rows.map((row) => row.split(' ')[2]));
    assert.equal([...names].filter((name) => name?.startsWith('many/f')).length, 3000);
    for (const name of ['bin/busybox', 'proc/', 'sys/', 'dev/', 'vol/', 't/', 'etc/hosts'])
      assert.ok(names.has(name), name);
    for (const name of ['vol/inside', 'etc/shadow', 'proc/1/', 'dev/null', 'many/.wh.f1'])
      assert.ok(!names.has(name), name);
    assert.ok(
      rows.some((row) => row === 'drwxrwxrwt 0/0 tmp/'),
      'modes are kept',
    );
    const file = path.join(world.dir, 'export.tar');
    await world.ok(['stop', '-t0', 'cc']);
    await world.ok(['export', '-o', file, 'cc']);
    assert.deepEqual((await listed(world, readFileSync(file))).length, rows.length);
    await world.ok(['import', file, 'again']);
    assert.equal(await world.ok(['run', '--rm', 'again', '/bin/cat', '/many/f77']), '77');
    await world.ok(['rm', 'cc']);
  });

  check('commit: whiteouts, opaque directories, attributes; what was a container is an image', async (world) => {
    await run(
      world,
      'cc',
      'rm /etc/shadow; rm -r /var/spool /usr; mkdir /usr; echo new >/usr/new; echo s >/setuid; chown 7:8 /setuid; chmod 4755 /setuid; mkfifo /fifo; ln /setuid /twin; ln -s /etc /l; echo v >/vol/in',
      '-v',
      'cvol:/vol',
      '-e',
      'OWN=1',
    );
    const id = await world.ok([
      'commit',
      '-a',
      'Ada <a@x>',
      '-m',
      'said',
      '-c',
      'ENV MORE=2',
      '-c',
      'CMD ["sh","-c","export"]',
      'cc',
      'made:1',
    ]);
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const look =
      'ls /usr /vol; test -e /etc/shadow && echo shadow; test -e /var/spool && echo spool; stat -c "%a %u %g %h" /setuid; test -p /fifo && readlink /l';
    assert.equal(await world.ok(['run', '--rm', 'made:1', 'sh', '-c', look]), '/usr:\nnew\n\n/vol:\n4755 7 8 2\n/etc');
    const environment = (await world.ok(['run', '--rm', 'made:1'])).split('\n');
    assert.ok(environment.includes("export OWN='1'") && environment.includes("export MORE='2'"));
    const [image] = JSON.parse(await world.ok(['image', 'inspect', 'made:1'])) as [Record<string, unknown>];
    const [base] = JSON.parse(await world.ok(['image', 'inspect', 'busybox'])) as [{ readonly Id: string }];
    assert.deepEqual([image['Author'], image['Comment'], image['Parent']], ['Ada <a@x>', 'said', base.Id]);
    assert.equal((await world.inspect('cc')).State.Status, 'running', 'it goes on');
    // a second one on top of the first: the whiteouts of both count
    await world.ok(['rm', '-f', 'cc']);
    await run(world, 'cc', 'rm /usr/new; mkdir /var/spool; echo back >/etc/shadow', '--entrypoint', '');
    await world.ok(['rm', '-f', 'cc']);
    await world.ok([
      'run',
      '--name',
      'cc',
      'made:1',
      'sh',
      '-c',
      'rm /usr/new; mkdir /var/spool; echo back >/etc/shadow',
    ]);
    await world.ok(['commit', '--pause=false', 'cc', 'made:2']);
    assert.equal(
      await world.ok(['run', '--rm', 'made:2', 'sh', '-c', 'ls /usr /var/spool; cat /etc/shadow']),
      '/usr:\n\n/var/spool:\nback',
    );
    await world.ok(['rm', 'cc']);
    for (const [args, words] of [
      [['commit', 'nobody'], /No such container: nobody/],
      [['commit', '-c', 'RUN x', 'never'], /No such container/],
    ] as const) {
      const result = await world.hoist([...args]);
      assert.equal(result.code, 1);
      assert.match(result.stderr, words);
    }
    await world.ok(['create', '--name', 'never', 'busybox']);
    assert.match((await world.hoist(['commit', '-c', 'RUN x', 'never'])).stderr, /RUN is not a valid change command/);
    assert.match((await world.hoist(['commit', 'never', 'BAD'])).stderr, /must be lowercase/);
    const empty = await world.ok(['commit', 'never']);
    const [same] = JSON.parse(await world.ok(['image', 'inspect', empty])) as [
      { readonly RootFS: { Layers: string[] } },
    ];
    assert.equal(same.RootFS.Layers.length, 1, 'nothing was written: no layer');
    await world.ok(['rm', 'never']);
    await world.ok(['volume', 'rm', 'cvol']);
  });

  check('file capabilities and other attributes are kept by cp, export and commit', async (world) => {
    const cwd = desk(world, 'xattrs');
    const attributed = path.join(cwd, 'attributed');
    writeFileSync(attributed, 'x');
    try {
      execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', attributed]);
    } catch {
      return; // this file system has none
    }
    await run(world, 'cc', 'true');
    await world.ok(['cp', 'attributed', 'cc:/'], { cwd });
    await world.ok(['cp', 'cc:/attributed', 'copied'], { cwd });
    const note = (file: string) =>
      execFileSync('getfattr', ['--only-values', '-n', 'user.note', file], { encoding: 'utf8' });
    assert.equal(note(path.join(cwd, 'copied')), 'kept');
    await world.ok(['commit', 'cc', 'attributed']);
    await world.ok(['create', '--name', 'dd', 'attributed']);
    await world.ok(['cp', 'dd:/attributed', 'committed'], { cwd });
    assert.equal(note(path.join(cwd, 'committed')), 'kept');
    await world.ok(['rm', '-f', 'cc', 'dd']);
  });

  check('events: archive-path, extract-to-dir, export, commit', async (world) => {
    const cwd = desk(world, 'events');
    await world.ok(['create', '--name', 'cc', '--label', 'a=b', 'busybox']);
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await world.ok(['cp', 'file', 'cc:/'], { cwd });
    await world.ok(['cp', 'cc:/file', '-']);
    await world.ok(['export', '-o', path.join(cwd, 'e.tar'), 'cc']);
    await world.ok(['commit', '-m', 'why', 'cc', 'ev:1']);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const seen = await world.ok([
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'container=cc',
      '--format',
      '{{.Action}} {{.Actor.Attributes.a}} {{.Actor.Attributes.imageRef}} {{.Actor.Attributes.comment}}',
    ]);
    const tail = seen
      .split('\n')
      .slice(-4)
      .map((line) => line.replaceAll('<no value>', '').trim());
    assert.deepEqual(tail, ['extract-to-dir b', 'archive-path b', 'export b', 'commit b ev:1 why']);
    await world.ok(['rm', 'cc']);
    assert.ok(existsSync(cwd));
  });
});

async function executorPid(world: World): Promise<number> {
  const engine = await world.enginePid();
  const children = readFileSync(`/proc/${engine}/task/${engine}/children`, 'utf8').trim().split(' ').map(Number);
  return (
    children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('hoist-executor')) ??
    assert.fail('no executor')
  );
}
