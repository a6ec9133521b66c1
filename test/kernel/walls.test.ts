// Docker's default walls, tried from inside: what a container has, and what it cannot do. Tests of attacks: attacks.test.ts.

import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { busybox, inWorld, type World } from './world.ts';

const inside = (world: World, script: string, ...flags: string[]): Promise<string> =>
  world.ok(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);

/** Bits of capability.h, as Docker gives them: chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod audit_write setfcap. */
const fourteen = '00000000a80425fb';

inWorld('the default walls', { prepare: busybox }, (check) => {
  check('14 capabilities, no others, none for a user; --cap-add, --cap-drop, --privileged', async (world) => {
    const sets = (...flags: string[]) =>
      inside(world, 'grep ^Cap /proc/self/status | tr -d "\\t" | tr "\\n" " "', ...flags);
    assert.equal(
      await sets(),
      `CapInh:0000000000000000 CapPrm:${fourteen} CapEff:${fourteen} CapBnd:${fourteen} CapAmb:0000000000000000 `,
    );
    assert.equal(
      await sets('-u', '1000'),
      `CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 CapBnd:${fourteen} CapAmb:0000000000000000 `,
    );
    assert.match(await sets('--cap-add', 'NET_ADMIN'), /CapEff:00000000a80435fb/);
    assert.match(
      await sets('--cap-drop', 'ALL', '--cap-add', 'cap_chown'),
      /CapEff:0000000000000001 CapBnd:0000000000000001/,
    );
    assert.match(await sets('--cap-drop', 'ALL'), /CapBnd:0000000000000000/);
    const all = (await world.program(['grep', 'CapBnd', '/proc/self/status'])).stdout.split(/\s+/)[1];
    assert.match(await sets('--privileged'), new RegExp(`CapEff:${all}`));
    const unknown = await world.hoist(['run', '--rm', '--cap-add', 'FLY', 'busybox', 'true']);
    assert.equal(unknown.code, 125);
  });

  check('the same walls around exec', async (world) => {
    await world.ok(['run', '-d', '--name', 'wall', 'busybox', 'sleep', '100']);
    const text = await world.ok([
      'exec',
      'wall',
      'sh',
      '-c',
      'grep -E "^(CapEff|Seccomp|NoNewPrivs)" /proc/self/status | tr -d "\\t" | tr "\\n" " "; ls /proc/self/fd',
    ]);
    assert.match(text, new RegExp(`CapEff:${fourteen} NoNewPrivs:0 Seccomp:2`));
    assert.match(text, / 0\n1\n2\n3$/); // 3 is the directory that ls reads
    await world.ok(['rm', '-f', 'wall']);
  });

  check('seccomp filters; it can be turned off', async (world) => {
    const mode = (...flags: string[]) =>
      inside(world, 'grep ^Seccomp: /proc/self/status | tr -d "Seccomp:\\t"', ...flags);
    assert.equal(await mode(), '2');
    assert.equal(await mode('--security-opt', 'seccomp=unconfined'), '0');
    assert.equal(await mode('--privileged'), '0');
  });

  check('unshare, mount, setns, chroot escapes, swapon, reboot, settime, hostname: denied', async (world) => {
    const denied = [
      'unshare -U true',
      'unshare -m true',
      'mount -t tmpfs none /mnt',
      'mount -o remount,rw /proc/sys',
      'umount /proc',
      'nsenter -t 1 -m true',
      'hostname other',
      'date -s 2001-01-01; date | grep 2001',
      'dmesg',
      'ip link set lo down',
      'ip link add d0 type dummy',
      'mknod /dev/sda b 8 0 && cat /dev/sda',
      'echo 1 >/proc/sys/kernel/panic',
      'echo b >/proc/sysrq-trigger',
      'echo 1 >/proc/sys/vm/drop_caches',
      'echo 1 >/sys/kernel/profiling',
      'mkdir /sys/fs/cgroup/memory/x /sys/fs/cgroup/x',
      'echo -1000 >/proc/self/oom_score_adj',
      'swapon /etc/passwd',
      'losetup /dev/loop0 /etc/passwd',
      'pivot_root /mnt /mnt',
      'insmod /etc/passwd',
    ];
    const script = `mkdir -p /mnt; ${denied.map((one, i) => `( ${one} ) >/dev/null 2>&1 && echo "${i} worked"`).join('; ')}; echo tried`;
    const worked = (await inside(world, script)).split('\n').filter((line) => line !== 'tried');
    assert.deepEqual(
      worked.map((line) => denied[Number.parseInt(line, 10)]),
      [],
    );
  });

  check('namespaces of its own: six that differ from the host, and pid 1', async (world) => {
    const text = await inside(
      world,
      'for n in mnt pid net ipc uts cgroup user; do readlink /proc/self/ns/$n; done; echo $$',
    );
    const lines = text.split('\n');
    for (const [i, name] of ['mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'].entries())
      assert.notEqual(lines[i], readlinkSync(`/proc/self/ns/${name}`), name);
    assert.equal(lines[7], '1');
  });

  check('only 0, 1 and 2 are open', async (world) => {
    const list = 'ls /proc/1/fd; true'; // the last command of a shell may replace it
    assert.equal(await inside(world, list), '0\n1\n2');
    assert.equal(await inside(world, list, '-i'), '0\n1\n2');
    assert.equal((await inside(world, list, '-t')).split(/\s+/).join(' ').trim(), '0 1 2');
  });

  check('masked paths are empty, read-only ones cannot be written', async (world) => {
    const masked =
      '/proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap';
    assert.equal(
      await inside(
        world,
        `for p in ${masked}; do [ -e $p ] || continue; [ -d $p ] && ls -A $p; [ -f $p ] && cat $p; [ -c $p ] && cat $p; done; true`,
      ),
      '',
    );
    const readOnly = await inside(
      world,
      'for p in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do [ -e $p ] && ! grep -q " $p proc ro," /proc/mounts && echo $p; done; grep -E " /sys | /sys/fs/cgroup" /proc/mounts',
    );
    assert.doesNotMatch(readOnly, /^\/proc/m);
    for (const line of readOnly.split('\n').filter((one) => / (sysfs|cgroup2?) /.test(one))) assert.match(line, / ro,/);
    assert.match(await inside(world, 'echo 1 >/proc/sys/net/ipv4/ip_forward && echo wrote', '--privileged'), /wrote/);
  });

  check('only the usual devices, and none can be added', async (world) => {
    assert.equal(
      await inside(world, 'ls /dev | tr "\\n" " "'),
      'core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ',
    );
    assert.match(
      await inside(
        world,
        'mknod /tmp/disk b 254 0 2>&1; mknod /tmp/disk b 259 0; cat /tmp/disk 2>&1; mknod /tmp/mem c 1 1; cat /tmp/mem 2>&1; mknod /dev/kmsg c 1 11; cat /dev/kmsg 2>&1; true',
      ),
      /^(.*Operation not permitted\n?){3,}$/,
    );
    assert.match(await inside(world, 'mknod /tmp/n c 1 3 && echo x >/tmp/n && echo null works'), /null works/);
  });

  check('--device passes one device, with its permissions', async (world) => {
    const flags = ['--device', '/dev/kmsg:/dev/log2:r', '--cap-add', 'SYSLOG'];
    assert.equal(
      await inside(
        world,
        'stat -c "%F %t:%T" /dev/log2; head -c 1 /dev/log2 >/dev/null && echo read; (echo x >/dev/log2) 2>&1 || true',
        ...flags,
      ),
      "character special file 1:b\nread\nsh: can't create /dev/log2: Operation not permitted",
    );
    const missing = await world.hoist(['run', '--rm', '--device', '/dev/none-such', 'busybox', 'true']);
    assert.equal(missing.code, 125);
    assert.match(await inside(world, 'ls /dev', '--privileged'), /kmsg/);
  });

  check('--security-opt no-new-privileges: a set-uid program gains nothing', async (world) => {
    assert.equal(
      await inside(world, 'grep ^NoNewPrivs /proc/self/status | cut -f2', '--security-opt', 'no-new-privileges'),
      '1',
    );
    assert.equal(await inside(world, 'grep ^NoNewPrivs /proc/self/status | cut -f2'), '0');
    await world.ok([
      'run',
      '-d',
      '--name',
      'nnp',
      '--security-opt',
      'no-new-privileges=true',
      'busybox',
      'sleep',
      '100',
    ]);
    await world.ok([
      'exec',
      'nnp',
      'sh',
      '-c',
      'cp /bin/busybox /tmp/cat && chmod 4755 /tmp/cat && echo secret >/tmp/s && chmod 600 /tmp/s',
    ]);
    assert.equal(await world.ok(['exec', 'nnp', 'stat', '-c', '%a', '/tmp/cat']), '4755');
    const gained = await world.hoist(['exec', '-u', '1000', 'nnp', '/tmp/cat', '/tmp/s']);
    assert.notEqual(gained.stdout, 'secret\n');
    await world.ok(['rm', '-f', 'nnp']);
  });

  check('with the walls up, what programs need works: fork, exec, sockets, signals, files, threads', async (world) => {
    const script =
      'echo x >/tmp/a; chown 1:1 /tmp/a; chmod 4755 /tmp/a; ln /tmp/a /tmp/b; mkfifo /tmp/f; (sleep 5 & kill $!); nc -l -p 1234 -e cat & sleep 0.2; echo echoed | nc -w 1 127.0.0.1 1234; su -s /bin/sh root -c "id -u"; chroot / true && echo chroot; ping -c 1 -W 1 127.0.0.1 >/dev/null && echo ping';
    assert.match(await inside(world, script), /echoed\n0\nchroot\nping$/);
  });
});
