// More of what a hostile container, image or command line may try; each test is named after the attack.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { binary, busybox, compile, eventually, inWorld, type World } from './world.ts';

/** A container that runs; gone when the test is over. */
async function running(world: World, name: string, flags: readonly string[], ...command: string[]): Promise<number> {
  await world.ok(['run', '-d', '--name', name, ...flags, 'busybox', ...command]);
  return (await world.inspect(name)).State.Pid;
}

const keeperOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);

const tracer = `#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>
#include <fcntl.h>
int main(int argc, char **argv) {
  pid_t pid = atoi(argv[1]);
  char room[64], path[64];
  struct iovec here = {room, sizeof room}, there = {(void *)0x400000, sizeof room};
  printf("attach %d\\n", ptrace(PTRACE_ATTACH, pid, 0, 0) ? errno : 0);
  printf("seize %d\\n", ptrace(PTRACE_SEIZE, pid, 0, 0) ? errno : 0);
  printf("readv %d\\n", process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 ? errno : 0);
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  printf("mem %d\\n", open(path, O_RDWR) < 0 ? errno : 0);
  snprintf(path, sizeof path, "/proc/%d/root/etc", pid);
  printf("root %d\\n", open(path, O_RDONLY) < 0 ? errno : 0);
  snprintf(path, sizeof path, "/proc/%d/fd/3", pid);
  printf("fd %d\\n", open(path, O_RDWR) < 0 ? errno : 0);
  return 0;
}`;

const keys = `#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
  printf("%d ", syscall(SYS_keyctl, 0, -4, 0) < 0 ? errno : 0);
  printf("%d ", syscall(SYS_add_key, "user", "hoist-attack", "x", 1, -4) < 0 ? errno : 0);
  printf("%d", syscall(SYS_request_key, "user", "hoist-attack", 0, -4) < 0 ? errno : 0);
  return 0;
}`;

const typist = `#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <fcntl.h>
#include <unistd.h>
int main(void) {
  for (int fd = 0; fd < 3; fd++) printf("%d ", ioctl(fd, TIOCSTI, "x") ? errno : 0);
  printf("%d", open("/dev/tty", O_RDWR) < 0 ? errno : 0);
  return 0;
}`;

inWorld('attacks, the second part', { prepare: busybox }, (check) => {
  check(
    'leaked descriptors: run, exec, --init, -t and a stepped start have 0, 1, 2 and nothing else',
    async (world) => {
      const look = ['sh', '-c', 'ls /proc/$$/fd; true'];
      const own = (text: string): string[] => text.split('\n').filter((name) => Number(name) > 2);
      for (const flags of [[], ['--init'], ['-i'], ['--network', 'none'], ['-v', '/tmp:/t'], ['--privileged']])
        assert.deepEqual(own(await world.ok(['run', '--rm', ...flags, 'busybox', ...look])), [], flags.join(' '));
      const stepped = await world.hoist(['explain', '--step', 'run', '--rm', 'busybox', ...look], { input: 'c\n' });
      assert.deepEqual([own(stepped.stdout), stepped.code], [[], 0]);
      await running(world, 'fds', [], 'sleep', '1000');
      assert.deepEqual(own(await world.ok(['exec', 'fds', ...look])), []);
      assert.equal(
        await world.ok(['exec', 'fds', 'sh', '-c', 'echo /proc/1/fd/*']),
        '/proc/1/fd/0 /proc/1/fd/1 /proc/1/fd/2',
      );
      await world.ok(['rm', '-f', 'fds']);
    },
  );

  check('writing to cgroup files: limits cannot be lifted, no release agent can be named', async (world) => {
    await running(world, 'cg', ['-m', '64m', '--pids-limit', '50'], 'sleep', '1000');
    const attempts = `for f in $(find /sys/fs/cgroup -type f -maxdepth 3); do (echo 1 >$f) 2>/dev/null && echo "wrote $f"; done
      [ -d /sys/fs/cgroup/memory ] && d=/sys/fs/cgroup/memory/x || d=/sys/fs/cgroup/x; mkdir $d 2>/dev/null && echo made
      mount -o remount,rw /sys/fs/cgroup 2>/dev/null && echo remounted
      mkdir /tmp/c; mount -t cgroup -o memory none /tmp/c 2>/dev/null && echo mounted; mount -t cgroup2 none /tmp/c 2>/dev/null && echo mounted; true`;
    const wrote = await world.ok(['exec', 'cg', 'sh', '-c', attempts]);
    assert.equal(wrote, '');
    await world.ok(['rm', '-f', 'cg']);
  });

  check('mknod: a device that is made cannot be opened', async (world) => {
    const disks =
      'mknod /d1 b 8 0; mknod /d2 b 254 0; mknod /d3 b 7 0; mknod /m c 1 1; mknod /k c 1 2; mknod /p c 1 4; mknod /f c 10 229; true';
    const read = 'for d in d1 d2 d3 m k p f; do head -c 1 /$d 2>&1 | grep -v "not permitted"; done; true';
    assert.equal(await world.ok(['run', '--rm', 'busybox', 'sh', '-c', `${disks}; ${read}`]), '');
    await running(world, 'nod', [], 'sleep', '1000');
    assert.equal(await world.ok(['exec', '--privileged', 'nod', 'sh', '-c', `${disks}; ${read}`]), '');
    await world.ok(['rm', '-f', 'nod']);
  });

  check('keyctl: no keyring of the host', async (world) => {
    const program = compile(world, 'keys', keys);
    const said = await world.ok(['run', '--rm', '-v', `${program}:/keys:ro`, 'busybox', '/keys']);
    for (const number of said.split(' ')) assert.ok(['1', '38'].includes(number), said);
  });

  check("ptrace of the keeper: not even with the host's pid namespace", async (world) => {
    const program = compile(world, 'tracer', tracer);
    const victim = await running(world, 'victim', [], 'sleep', '1000');
    const flags = ['run', '--rm', '--pid', 'host', '-v', `${program}:/tracer:ro`];
    for (const target of [keeperOf(victim), await world.enginePid()]) {
      const said = await world.ok([...flags, 'busybox', '/tracer', String(target)]);
      assert.doesNotMatch(said, / 0$/m, said);
    }
    // in its own namespace the keeper has no name at all: pid 1's parent is 0
    assert.match(await world.ok(['exec', 'victim', 'cat', '/proc/1/status']), /^PPid:\s+0$/m);
    await world.ok(['rm', '-f', 'victim']);
  });

  check('TIOCSTI: nothing can be typed into the terminal that the command was started from', async (world) => {
    const program = compile(world, 'typist', typist);
    const command = `${binary} run --rm -i -v ${program}:/typist:ro busybox /typist`;
    const { stdout } = await world.program(['script', '-qec', command, '/dev/null']);
    const numbers = stdout.trim().split(/\s+/);
    assert.equal(numbers.length, 4, stdout);
    assert.ok(
      numbers.every((number) => number !== '0'),
      stdout,
    );
  });

  check('a hostile /etc/passwd: long lines, binary, a thousand names, numbers that are none', async (world) => {
    const files = {
      long: `u:x:7:7:${'A'.repeat(900_000)}:/:/bin/sh\n`,
      binary: Buffer.from([0, 255, 10, 58, 58, 58, 58, 10, 0x75, 58, 0x78, 58, 0x37, 58, 0x37]),
      many: Array.from({ length: 20_000 }, (_, n) => `a${n}:x:${n}:${n}::/:`).join('\n'),
      huge: 'u:x:7:7::/:\n'.repeat(200_000),
      tricky: 'u:x:0x7:7::/:\n:x:0:0::/:\n+u::0:0:::\nu:x: 7:7::/:\n',
    };
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(world.dir, `passwd-${name}`);
      writeFileSync(file, content);
      const result = await world.hoist(
        ['run', '--rm', '-v', `${file}:/etc/passwd:ro`, '-u', 'u', 'busybox', 'id', '-u'],
        { timeout: 20 },
      );
      assert.ok(
        (result.code === 0 && result.stdout === '7\n') || (result.code === 125 && result.stdout === ''),
        `${name}: ${result.stderr}`,
      );
      if (result.code === 125) assert.equal(result.stderr.split('\n')[0]?.includes('\n') ?? true, false);
    }
  });

  check('an enormous environment: refused in one sentence, nothing is left of it', async (world) => {
    const file = path.join(world.dir, 'env');
    writeFileSync(file, `BIG=${'x'.repeat(1 << 20)}\n`);
    const one = await world.hoist(['run', '--rm', '--env-file', file, 'busybox', 'true']);
    assert.notEqual(one.code, 0);
    writeFileSync(file, Array.from({ length: 60_000 }, (_, n) => `V${n}=${'y'.repeat(90)}`).join('\n'));
    const many = await world.hoist(['run', '--rm', '--env-file', file, 'busybox', 'true']);
    assert.notEqual(many.code, 0);
    for (const { stderr } of [one, many]) {
      assert.ok(stderr.length < 2000, `${stderr.length} bytes: ${stderr.slice(0, 300)}`);
      assert.match(stderr, /E2BIG|too long|too large/i);
    }
    assert.equal(await world.ok(['ps', '-aq']), '');
    await eventually('nothing on the disk', () => readdirSync(path.join(world.root, 'containers')).length === 0);
    writeFileSync(file, Array.from({ length: 500 }, (_, n) => `V${n}=${'y'.repeat(90)}`).join('\n'));
    assert.equal(await world.ok(['run', '--rm', '--env-file', file, 'busybox', 'sh', '-c', 'env | grep -c ^V']), '500');
  });

  check(
    'a rootfs swapped between create and start: what lies where Hoist mounts is never followed to the host',
    async (world) => {
      const victim = path.join(world.dir, 'victim');
      mkdirSync(victim);
      writeFileSync(path.join(victim, 'hosts'), 'untouched');
      const swap = path.join(world.dir, 'swap');
      mkdirSync(swap);
      for (const name of ['etc', 'dev', 'proc', 'sys', 'data'])
        symlinkSync(name === 'etc' ? victim : `../../../../../..${victim}`, path.join(swap, name));
      await world.ok([
        'create',
        '--name',
        'swapped',
        '-v',
        '/tmp:/data/deep',
        'busybox',
        'sh',
        '-c',
        'echo mine >/etc/hosts; ls /proc/1/status',
      ]);
      const upper = path.join(world.root, 'containers', (await world.inspect('swapped')).Id, 'upper');
      await world.ok(['start', '-a', 'swapped']).catch(() => undefined);
      // between two starts the writable layer is replaced: the same that a create and a cp of links give
      await world.program(['sh', '-c', `rm -rf ${upper}/*; cp -a ${swap}/. ${upper}/`]);
      const started = await world.hoist(['start', '-a', 'swapped']);
      assert.ok([0, 1, 125, 127].includes(started.code), started.stderr);
      assert.equal(readFileSync(path.join(victim, 'hosts'), 'utf8'), 'untouched');
      assert.deepEqual(readdirSync(victim), ['hosts']);
      assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(victim));
      await world.ok(['rm', '-f', 'swapped']);
    },
  );
});
