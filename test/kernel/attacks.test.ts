// Known ways out of containers, each tried for real. A test is named after its attack.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary, busybox, inWorld, type World } from './world.ts';

/** An image of busybox and what `lay` puts into its root. */
async function image(world: World, name: string, lay: (root: string) => void): Promise<void> {
  const root = path.join(world.dir, `image-${name}`);
  mkdirSync(path.join(root, 'bin'), { recursive: true });
  mkdirSync(path.join(root, 'etc'));
  copyFileSync('/bin/busybox', path.join(root, 'bin/busybox'));
  symlinkSync('busybox', path.join(root, 'bin/sh'));
  lay(root);
  const result = await world.program(['sh', '-c', `tar -C ${root} -c . | ${binary} import - ${name}`]);
  assert.equal(result.code, 0, result.stderr);
}

/** Commands of busybox without links in /bin. */
const sh = (script: string): string[] => ['/bin/busybox', 'sh', '-c', `PATH=/bin; b=/bin/busybox; ${script}`];

const hostFile = (world: World): string => path.join(world.dir, 'host-secret');

inWorld(
  'attacks',
  {
    async prepare(world) {
      await busybox(world);
      writeFileSync(hostFile(world), 'ghost:x:0:0::/:\n');
    },
  },
  (check) => {
    check('CVE-2019-5736: overwriting the runtime through /proc/self/exe', async (world) => {
      const before = createHash('sha256').update(readFileSync(binary)).digest('hex');
      const hunt =
        'while :; do for p in /proc/[0-9]*; do [ "$p" = "/proc/$$" ] || [ "$p" = /proc/1 ] && continue; exe=$(readlink $p/exe 2>/dev/null); case "$exe" in *hoist*|*memfd*) echo "saw $exe" >>/seen; (echo x >>$p/exe) 2>/dev/null && echo wrote >>/seen;; esac; done; done';
      await world.ok(['run', '-d', '--name', 'hunter', 'busybox', 'sh', '-c', hunt]);
      for (let i = 0; i < 30; i++) await world.ok(['exec', 'hunter', 'true']);
      const seen = await world.hoist(['exec', 'hunter', 'cat', '/seen']);
      assert.equal(seen.stdout, '', 'a container saw what its exec was born from');
      await world.ok(['rm', '-f', 'hunter']);
      await image(world, 'selfexe', (root) => {
        writeFileSync(path.join(root, 'run'), '#!/proc/self/exe\n', { mode: 0o755 });
        symlinkSync('/proc/self/exe', path.join(root, 'link'));
      });
      for (const command of ['/run', '/link', '/proc/self/exe']) {
        const result = await world.hoist(['run', '--rm', 'selfexe', command], { timeout: 20 });
        assert.notEqual(result.code, 0, command);
      }
      assert.equal(createHash('sha256').update(readFileSync(binary)).digest('hex'), before);
    });

    check('CVE-2024-21626: a working directory behind a descriptor of the runtime', async (world) => {
      const probe = `cat ../../../../../../../../../..${hostFile(world)} ../../../../../../../../..${hostFile(world)}`;
      await world.ok([
        'run',
        '-d',
        '--name',
        'cwd',
        'busybox',
        'sh',
        '-c',
        'for n in $(seq 3 40); do ln -s /proc/self/fd/$n /l$n; done; sleep 100',
      ]);
      for (let fd = 3; fd < 24; fd++) {
        const results = await Promise.all([
          world.hoist(['run', '--rm', '-w', `/proc/self/fd/${fd}`, 'busybox', 'sh', '-c', probe]),
          world.hoist(['exec', '-w', `/proc/self/fd/${fd}`, 'cwd', 'sh', '-c', probe]),
          world.hoist(['exec', '-w', `/l${fd}`, 'cwd', 'sh', '-c', probe]),
        ]);
        for (const { stdout, code } of results) assert.deepEqual([stdout, code !== 0], ['', true], `descriptor ${fd}`);
      }
      await world.ok(['rm', '-f', 'cwd']);
    });

    check("'..' in a working directory ends at the container's root", async (world) => {
      const dots = '/../../../../..';
      assert.equal(await world.ok(['run', '--rm', '-w', dots, 'busybox', 'sh', '-c', 'ls -d bin']), 'bin');
      await world.ok(['run', '-d', '--name', 'dots', 'busybox', 'sleep', '100']);
      const { stdout, code } = await world.hoist(['exec', '-w', `${dots}${world.dir}`, 'dots', 'cat', 'host-secret']);
      assert.deepEqual([stdout, code !== 0], ['', true]);
      await world.ok(['rm', '-f', 'dots']);
    });

    check('CVE-2019-16884: an image whose /proc is a symlink', async (world) => {
      await image(world, 'prolink', (root) => {
        mkdirSync(path.join(root, 'fake'));
        symlinkSync('/fake', path.join(root, 'proc'));
        symlinkSync('/../../../../../../proc', path.join(root, 'sys'));
      });
      const result = await world.hoist([
        'run',
        '--rm',
        'prolink',
        ...sh(
          '(echo 1 >/proc/sys/kernel/panic) 2>/dev/null && echo wrote; $b cat /proc/kcore 2>/dev/null | $b head -c 1',
        ),
      ]);
      assert.equal(result.stdout, '');
    });

    check('CVE-2023-27561, CVE-2023-28642: a volume over /proc or below it', async (world) => {
      mkdirSync(path.join(world.dir, 'fakeproc/self/attr'), { recursive: true });
      for (const target of [
        '/proc',
        '/proc/',
        '/proc/sys',
        '/proc/self',
        '/./proc',
        '/dev/../proc/kcore',
        '/sys/../proc',
      ]) {
        const result = await world.hoist([
          'run',
          '--rm',
          '-v',
          `${world.dir}/fakeproc:${target}`,
          'busybox',
          'sh',
          '-c',
          'echo ran',
        ]);
        assert.deepEqual([result.stdout, result.code], ['', 125], `${target}: ${result.stderr}`);
      }
    });

    check('a volume in place of the root', async (world) => {
      for (const target of ['/', '//', '/.', '/x/..']) {
        const result = await world.hoist(['run', '--rm', '-v', `${world.dir}:${target}`, 'busybox', 'true']);
        assert.equal(result.code, 125, target);
      }
    });

    check('mount targets that are symlinks to the host', async (world) => {
      const victim = path.join(world.dir, 'victim');
      mkdirSync(victim);
      writeFileSync(path.join(victim, 'file'), 'untouched');
      await image(world, 'links', (root) => {
        for (const [name, target] of [
          ['etc/hosts', `${victim}/file`],
          ['etc/resolv.conf', `../../../../../..${victim}/file`],
          ['etc/hostname', '/proc/1/root/etc/hostname'],
          ['abs', victim],
          ['up', `../../../../../../..${victim}`],
          ['loop', 'loop'],
          ['dev', victim],
        ] as const)
          symlinkSync(target, path.join(root, name));
      });
      mkdirSync(path.join(world.dir, 'vol'));
      for (const target of ['/abs', '/up', '/abs/deeper', '/up/deeper']) {
        const result = await world.hoist([
          'run',
          '--rm',
          '-v',
          `${world.dir}/vol:${target}`,
          'links',
          ...sh('echo mine >/etc/hosts; true'),
        ]);
        assert.ok([0, 125].includes(result.code), result.stderr);
      }
      assert.equal(
        (await world.hoist(['run', '--rm', '-v', `${world.dir}/vol:/loop`, 'links', ...sh('true')])).code,
        125,
      );
      assert.equal(readFileSync(path.join(victim, 'file'), 'utf8'), 'untouched');
      assert.equal((await world.program(['ls', victim])).stdout, 'file\n');
      const mounts = readFileSync('/proc/mounts', 'utf8');
      assert.ok(!mounts.includes(victim));
    });

    check("a passwd file that is a link to the host's: users are the container's own", async (world) => {
      const replaced = `rm -f /etc/passwd; ln -s ${hostFile(world)} /etc/passwd`;
      await world.ok(['run', '-d', '--name', 'ghost', 'busybox', 'sh', '-c', `${replaced}; echo done; sleep 100`]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const direct = await world.hoist(['exec', '-u', 'ghost', 'ghost', 'id']);
      assert.match(direct.stderr, /unable to find user ghost/);
      await world.ok([
        'exec',
        'ghost',
        'sh',
        '-c',
        `mkdir /e; ln -s ${hostFile(world)} /e/passwd; mv /etc /etc2; ln -s ${world.dir} /etc; ln -s ${hostFile(world)} ${world.dir}/passwd 2>/dev/null; true`,
      ]);
      const parent = await world.hoist(['exec', '-u', 'ghost', 'ghost', 'id']);
      assert.notEqual(parent.code, 0);
      await world.ok(['rm', '-f', 'ghost']);
    });

    check('CVE-2024-40635: user numbers that overflow to root', async (world) => {
      for (const user of ['2147483648', '4294967295', '4294967296', '-1', '0x0', '65536:4294967296', ' 0', '1e3'])
        assert.equal((await world.hoist(['run', '--rm', '-u', user, 'busybox', 'id', '-u'])).code, 125, user);
      await image(world, 'overflow', (root) => {
        writeFileSync(
          path.join(root, 'etc/passwd'),
          'root:x:0:0::/:\nbig:x:4294967296:4294967296::/:\nneg:x:-1:0::/:\nempty:x::::/:\nhex:x:0x0:0::/:\n',
        );
      });
      for (const user of ['big', 'neg', 'empty', 'hex'])
        assert.equal((await world.hoist(['run', '--rm', '-u', user, 'overflow', ...sh('$b id -u')])).code, 125, user);
    });

    check('CVE-2022-29162: capabilities that a process could inherit', async (world) => {
      const status = await world.ok([
        'run',
        '--rm',
        '-u',
        '1000',
        'busybox',
        'sh',
        '-c',
        'grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2',
      ]);
      assert.equal(status, '0000000000000000\n0000000000000000');
    });

    check(
      "CVE-2016-9962: looking into a process of exec before it has let go of the host's descriptors",
      async (world) => {
        const watch =
          'while :; do for p in /proc/[0-9]*; do case $p in /proc/1|/proc/$$) continue;; esac; ls -l $p/fd $p/cwd $p/root 2>/dev/null; done; done >/seen';
        await world.ok(['run', '-d', '--name', 'tracer', 'busybox', 'sh', '-c', watch]);
        for (let i = 0; i < 30; i++) await world.ok(['exec', 'tracer', 'true']);
        const seen = await world.ok(['exec', 'tracer', 'cat', '/seen']);
        assert.ok(seen.includes('pipe:'), 'the watcher saw something');
        assert.ok(!/socket:|cgroup|\/hk-/.test(seen), seen.match(/.*(socket:|cgroup|\/hk-).*/)?.[0]);
        await world.ok(['rm', '-f', 'tracer']);
      },
    );

    check('CVE-2020-15257: abstract sockets of the host', async (world) => {
      const names = await world.ok(['run', '--rm', 'busybox', 'cat', '/proc/net/unix']);
      assert.equal(names.split('\n').length, 1);
    });

    check('CVE-2021-30465: a target that becomes a symlink while volumes are mounted', async (world) => {
      const shared = path.join(world.dir, 'shared');
      mkdirSync(shared);
      const racer = world.start([
        'sh',
        '-c',
        `cd ${shared}; while :; do mkdir -p t; rmdir t; ln -s /../../../../../${world.dir} t; rm t; done`,
      ]);
      for (let i = 0; i < 20; i++) {
        const result = await world.hoist([
          'run',
          '--rm',
          '-v',
          `${shared}:/v`,
          '--tmpfs',
          '/v/t',
          'busybox',
          'sh',
          '-c',
          'touch /v/t/marker; ls /v/t/host-secret',
        ]);
        assert.equal(result.stdout, '');
      }
      racer.child.kill('SIGKILL');
      assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(`tmpfs ${world.dir} `));
    });

    check('names, labels and hostnames that carry lines into files', async (world) => {
      const result = await world.hoist(['run', '--rm', '-h', 'a\n127.0.0.1 bank.test', 'busybox', 'cat', '/etc/hosts']);
      assert.ok(result.code === 125 || !/^127\.0\.0\.1 bank\.test/m.test(result.stdout), result.stdout);
      for (const flag of [
        '--add-host=x:127.0.0.1\nbank:6.6.6.6',
        '--dns=1.1.1.1\nnameserver 6.6.6.6',
        '--dns-search=a\nnameserver 6.6.6.6',
      ]) {
        const injected = await world.hoist(['run', '--rm', flag, 'busybox', 'cat', '/etc/hosts', '/etc/resolv.conf']);
        assert.ok(injected.code === 125 || !/^(nameserver 6|6\.6\.6\.6|bank:)/m.test(injected.stdout), flag);
      }
    });
  },
);
