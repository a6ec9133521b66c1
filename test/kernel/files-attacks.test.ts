// Ways out of a container through those who look into it (cp, export, commit), each tried for real; a test per attack.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tar } from './tar.ts';
import { busybox, eventually, inWorld, type World } from './world.ts';

const secret = 'what only the host knows';
const secretFile = (world: World): string => path.join(world.dir, 'secret/file');
const hostDirectory = (world: World): string => path.join(world.dir, 'secret');

async function container(world: World, name: string, script: string): Promise<void> {
  await world.ok(['run', '-d', '--name', name, 'busybox', 'sh', '-c', `${script}\ntouch /ready\nsleep 1000`]);
  await eventually(
    `${name} is ready`,
    async () => (await world.hoist(['exec', name, 'test', '-e', '/ready'])).code === 0,
  );
}

/** The engine still answers at once. */
async function engineAnswers(world: World): Promise<void> {
  const before = Date.now();
  await world.ok(['ps', '-q']);
  assert.ok(Date.now() - before < 2000, `ps took ${Date.now() - before} ms`);
}

inWorld(
  'attacks through files',
  {
    async prepare(world) {
      await busybox(world);
      mkdirSync(hostDirectory(world));
      writeFileSync(secretFile(world), secret);
    },
  },
  (check) => {
    check('symlink race into the host: a directory becomes a link while it is read and written', async (world) => {
      const host = hostDirectory(world);
      const race = `mkdir -p /a/real; echo mine >/a/real/file; ln -s ${host} /a/link; mkdir -p ${path.dirname(host)};
        (while :; do mv /a/real /a/d; mv /a/d /a/real; mv /a/link /a/d; mv /a/d /a/link; done) &`;
      await container(world, 'racer', race);
      const inward = tar([{ name: 'planted', data: 'by the container' }]);
      let found = 0;
      for (let i = 0; i < 40; i++) {
        const read = await world.hoist(['cp', 'racer:/a/d/file', '-'], { timeout: 20 });
        if (read.code === 0) found++;
        assert.ok(!read.bytes.includes(secret), 'the container had the host read out');
        await world.hoist(['cp', '-', 'racer:/a/d'], { input: inward, timeout: 20 });
      }
      assert.ok(found > 0, 'the race was never won by anyone');
      assert.deepEqual(readdirSync(host), ['file'], 'the container had the host written to');
      const whole = await world.hoist(['cp', '-L', 'racer:/a/link', '-']);
      assert.ok(!whole.bytes.includes(secret));
      await world.ok(['rm', '-f', 'racer']);
    });

    check('symlink to the host: absolute, relative, and as the destination', async (world) => {
      const host = hostDirectory(world);
      const up = '../'.repeat(20);
      await container(
        world,
        'linker',
        `ln -s ${host} /abs; ln -s ${up}${host.slice(1)} /rel; ln -s ${host}/file /leaf`,
      );
      for (const name of ['/abs/file', '/rel/file', `/${up}${host.slice(1)}/file`, '/abs/', '/rel/.']) {
        const result = await world.hoist(['cp', `linker:${name}`, '-']);
        assert.equal(result.code, 1, name);
        assert.match(result.stderr, /Could not find the file/);
        assert.ok(!result.bytes.includes(secret));
      }
      const leaf = await world.hoist(['cp', '-L', 'linker:/leaf', '-']);
      assert.ok(leaf.code === 1 && !leaf.bytes.includes(secret));
      const write = await world.hoist(['cp', '/bin/busybox', 'linker:/abs/planted']);
      assert.equal(write.code, 1);
      await world.hoist(['cp', '/bin/busybox', 'linker:/leaf']);
      assert.equal(readFileSync(secretFile(world), 'utf8'), secret);
      assert.deepEqual(readdirSync(host), ['file']);
      await world.ok(['rm', '-f', 'linker']);
      // the same where it does not run
      await world.ok(['commit', '--pause=false', await stopped(world, `ln -s ${host} /abs`), 'linked']);
      await world.ok(['create', '--name', 'still', 'linked']);
      assert.equal((await world.hoist(['cp', 'still:/abs/file', '-'])).code, 1);
      assert.equal((await world.hoist(['cp', '/bin/busybox', 'still:/abs/planted'])).code, 1);
      assert.deepEqual(readdirSync(host), ['file']);
      await world.ok(['rm', 'still']);
    });

    check('/proc/self/root and /proc/1/fd: the kernel’s own links', async (world) => {
      await container(world, 'proc', 'ln -s /proc/self/root /self; ln -s /proc/1/root /one; ln -s /proc/self/cwd /cwd');
      for (const name of ['/proc/self/root', '/proc/1/root', '/self', '/one', '/cwd', '/proc/thread-self/root']) {
        const result = await world.hoist(['cp', `proc:${name}${secretFile(world)}`, '-']);
        assert.deepEqual([result.code, result.bytes.length], [1, 0], name);
        const write = await world.hoist(['cp', '-', `proc:${name}`], { input: tar([{ name: 'x', data: 'y' }]) });
        assert.equal(write.code, 1, name);
      }
      const proc = await world.hoist(['cp', 'proc:/proc', '-']);
      assert.equal(proc.code, 0);
      assert.ok(proc.bytes.length < 4096, 'what the kernel shows of itself is not copied');
      await world.ok(['rm', '-f', 'proc']);
    });

    check('a fifo, a socket and devices block nobody and are not read', async (world) => {
      await container(
        world,
        'special',
        'mkdir /s; mkfifo /s/fifo; mknod /s/zero c 1 5; mknod /s/disk b 259 0; mknod /s/watchdog c 10 130; echo x >/s/file; nc -lk -U /s/socket >/dev/null 2>&1 &',
      );
      const all = await world.hoist(['cp', 'special:/s', '-'], { timeout: 20 });
      assert.equal(all.code, 0, all.stderr);
      const listed = (await world.program(['tar', 'tvf', '-'], { input: all.bytes })).stdout;
      assert.match(listed, /^prw.* s\/fifo$/m);
      assert.match(listed, /^crw.* 1,5 .* s\/zero$/m);
      assert.match(listed, /^brw.* 259,0 .* s\/disk$/m);
      assert.ok(all.bytes.length < 20_000);
      for (const name of ['fifo', 'zero', 'watchdog'])
        assert.equal((await world.hoist(['cp', `special:/s/${name}`, '-'], { timeout: 20 })).code, 0);
      // written over, not written to
      for (const name of ['fifo', 'zero', 'file']) {
        await world.ok(['cp', '-', 'special:/s'], { input: tar([{ name, data: 'new' }]), timeout: 20 });
        assert.equal(await world.ok(['exec', 'special', 'cat', `/s/${name}`]), 'new');
      }
      assert.equal((await world.hoist(['export', 'special'], { timeout: 30 })).code, 0);
      await engineAnswers(world);
      await world.ok(['rm', '-f', 'special']);
    });

    check('tars with .., absolute names, links outward: refused or inside', async (world) => {
      await container(world, 'target', 'mkdir -p /in/here');
      const host = hostDirectory(world);
      const put = (entries: Parameters<typeof tar>[0]) =>
        world.hoist(['cp', '-', 'target:/in/here'], { input: tar(entries), timeout: 20 });
      const refused: [Parameters<typeof tar>[0], RegExp][] = [
        [[{ name: '../up', data: 'x' }], /invalid entry name "\.\.\/up"/],
        [[{ name: 'a/../../up', data: 'x' }], /invalid entry name/],
        [[{ name: '..', type: '5' }], /invalid entry name/],
        [[{ name: 'hard', type: '1', link: `../..${secretFile(world)}` }], /invalid hardlink target/],
        [[{ name: 'hard', type: '1', link: secretFile(world) }], /no such|invalid hardlink target|Could not find/],
      ];
      for (const [entries, words] of refused) {
        const result = await put(entries);
        assert.equal(result.code, 1, JSON.stringify(entries));
        assert.match(result.stderr, words);
      }
      for (const link of [host, `${'../'.repeat(30)}${host.slice(1)}`]) {
        const result = await put([
          { name: 'out', type: '2', link },
          { name: 'out/planted', data: 'x' },
          { name: 'out/file', data: 'overwritten' },
        ]);
        assert.equal(result.code, 0, result.stderr);
        const at = path.join('/in/here', host, 'planted');
        assert.equal(await world.ok(['exec', 'target', 'cat', at]), 'x', 'the link led somewhere inside');
      }
      assert.equal((await put([{ name: '/abs/olute', data: 'x' }])).code, 0);
      assert.equal(await world.ok(['exec', 'target', 'cat', '/in/here/abs/olute']), 'x');
      assert.deepEqual(readdirSync(host), ['file']);
      assert.equal(readFileSync(secretFile(world), 'utf8'), secret);
      assert.ok(!existsSync('/abs/olute'));
      await world.ok(['rm', '-f', 'target']);
    });

    check('tars that lie: cut off, of a size that no disk has, no tar at all', async (world) => {
      await container(world, 'target', 'mkdir /in');
      const put = (input: Buffer) => world.hoist(['cp', '-', 'target:/in'], { input, timeout: 20 });
      const whole = tar([{ name: 'file', data: 'x'.repeat(5000) }]);
      const huge = Buffer.from(whole);
      huge.write('77777777777\0', 124, 'latin1');
      huge.write('        ', 148, 'latin1');
      const sum = huge.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      for (const input of [whole.subarray(0, 3000), huge, Buffer.alloc(2000, 'g'), Buffer.from('1f8b0800', 'hex')]) {
        const result = await put(input);
        assert.equal(result.code, 1);
        assert.match(result.stderr, /unexpected EOF|invalid tar header|ends too early/);
      }
      await engineAnswers(world);
      await world.ok(['rm', '-f', 'target']);
    });

    check('the destination is swapped for a link while a slow archive arrives', async (world) => {
      const host = hostDirectory(world);
      await container(world, 'swapper', 'mkdir /d');
      const archive = tar([
        { name: 'one', data: 'x'.repeat(200_000) },
        { name: 'sub/planted', data: 'x' },
      ]);
      const writing = world.startHoist(['cp', '-', 'swapper:/d']);
      writing.send(archive.subarray(0, 150_000));
      await eventually('the first file begins', async () => {
        return (await world.hoist(['exec', 'swapper', 'test', '-e', '/d/one'])).code === 0;
      });
      await world.ok(['exec', 'swapper', 'sh', '-c', `mv /d /old; ln -s ${host} /d; ln -s ${host} /old/sub`]);
      writing.send(archive.subarray(150_000));
      writing.child.stdin?.end();
      await writing.ended;
      assert.deepEqual(readdirSync(host), ['file']);
      await world.ok(['rm', '-f', 'swapper']);
    });

    check('a file that grows, shrinks and vanishes while it is exported leaves a whole archive', async (world) => {
      await container(
        world,
        'writer',
        'mkdir /w; (while :; do dd if=/dev/zero of=/w/big bs=1M count=8; : >/w/big; rm -f /w/gone; echo x >/w/gone; done >/dev/null 2>&1) &',
      );
      for (let i = 0; i < 8; i++) {
        const result = await world.hoist(['cp', 'writer:/w', '-'], { timeout: 30 });
        assert.equal(result.code, 0, result.stderr);
        const listed = await world.program(['tar', 'tf', '-'], { input: result.bytes });
        assert.deepEqual([listed.code, listed.stderr], [0, '']);
      }
      await world.ok(['rm', '-f', 'writer']);
    });

    check('a setuid program on the host keeps its mode: chmod does not follow what a name became', async (world) => {
      const victim = path.join(world.dir, 'secret/file');
      const before = statSync(victim).mode;
      await container(
        world,
        'chmodder',
        `mkdir /c; (while :; do rm -rf /c/x; ln -s ${victim} /c/x; done) 2>/dev/null &`,
      );
      for (let i = 0; i < 15; i++)
        await world.hoist(['cp', '-', 'chmodder:/c'], {
          input: tar([
            { name: 'x', type: '5', mode: 0o777 },
            { name: 'x', mode: 0o6777, data: 'y' },
          ]),
          timeout: 20,
        });
      assert.equal(statSync(victim).mode, before);
      assert.equal(readFileSync(victim, 'utf8'), secret);
      await world.ok(['rm', '-f', 'chmodder']);
    });
  },
);

/** A container that ended after the script. */
async function stopped(world: World, script: string): Promise<string> {
  const name = 'ended';
  await world.hoist(['rm', '-f', name]);
  await world.ok(['run', '--name', name, 'busybox', 'sh', '-c', script]);
  return name;
}
