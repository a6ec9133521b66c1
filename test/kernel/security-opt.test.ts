// --security-opt, --cap-add and --cap-drop, --privileged: what they change inside, and what is refused.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { busybox, inWorld, type World } from './world.ts';

const inside = (world: World, script: string, ...flags: string[]): Promise<string> =>
  world.ok(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);

const status = (name: string): string => `grep ^${name}: /proc/self/status | cut -f2`;

inWorld('security options', { prepare: busybox }, (check) => {
  check('seccomp: a file, builtin, unconfined; in inspect and in exec', async (world) => {
    const file = path.join(world.dir, 'profile.json');
    writeFileSync(
      file,
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 2 }],
      }),
    );
    const flags = ['--security-opt', `seccomp=${file}`];
    assert.match(await inside(world, 'mkdir /d 2>&1; echo on', ...flags), /No such file or directory\non$/);
    await world.ok(['run', '-d', '--name', 'filtered', ...flags, 'busybox', 'sleep', '100']);
    assert.match((await world.hoist(['exec', 'filtered', 'mkdir', '/d'])).stderr, /No such file/);
    const [option] = (await world.inspect('filtered')).HostConfig['SecurityOpt'] as string[];
    assert.match(option ?? '', /^seccomp=\{"defaultAction"/);
    await world.ok(['rm', '-f', 'filtered']);
    assert.equal(await inside(world, status('Seccomp'), '--security-opt', 'seccomp=builtin'), '2');
    assert.equal(await inside(world, status('Seccomp'), '--security-opt', 'seccomp:unconfined'), '0');
    const plan = await world.ok(['explain', 'run', ...flags, 'busybox', 'true']);
    assert.match(plan, /seccomp/);
  });

  check('no-new-privileges in all spellings', async (world) => {
    for (const [word, value] of [
      ['no-new-privileges', '1'],
      ['no-new-privileges:true', '1'],
      ['no-new-privileges=true', '1'],
      ['no-new-privileges=false', '0'],
    ] as const)
      assert.equal(await inside(world, status('NoNewPrivs'), '--security-opt', word), value, word);
  });

  check('systempaths=unconfined, unmask, mask: what is hidden', async (world) => {
    const hidden = (...flags: string[]): Promise<string> =>
      inside(world, 'grep -cE " /proc/(keys|timer_list|sys|bus|irq) " /proc/mounts', ...flags).catch(() => '0');
    assert.notEqual(await hidden(), '0');
    for (const all of ['systempaths=unconfined', 'unmask=ALL', 'unmask=all'])
      assert.equal(await hidden('--security-opt', all), '0', all);
    assert.match(
      await inside(
        world,
        'echo 1 >/proc/sys/net/ipv4/ip_forward && echo wrote',
        '--cap-add',
        'NET_ADMIN',
        '--security-opt',
        'unmask=/proc/sys',
      ),
      /wrote/,
    );
    assert.equal(
      await inside(world, 'wc -c </proc/cmdline; ls -A /proc/irq', '--security-opt', 'mask=/proc/cmdline:/proc/irq'),
      '0',
    );
    await world.ok(['create', '--name', 'masked', '--security-opt', 'mask=/proc/cmdline', 'busybox']);
    const { HostConfig } = await world.inspect('masked');
    assert.ok((HostConfig['MaskedPaths'] as string[]).includes('/proc/cmdline'));
    await world.ok(['rm', 'masked']);
  });

  check('writable-cgroups: read-only without, writable with', async (world) => {
    const mounted = 'grep -E " /sys/fs/cgroup(/memory)? cgroup2? " /proc/mounts | cut -d" " -f4 | cut -c1-2';
    assert.equal(await inside(world, mounted), 'ro');
    assert.equal(await inside(world, mounted, '--security-opt', 'writable-cgroups=true'), 'rw');
  });

  check('what is unknown or would not hold is refused in one sentence', async (world) => {
    const refused: [string, RegExp][] = [
      ['foo=bar', /Error response from daemon: invalid --security-opt 2: "foo=bar"/],
      ['nope', /Invalid --security-opt: "nope"/],
      ['no-new-privileges=x', /invalid --security-opt 2: "no-new-privileges=x"/],
      ['seccomp=/nope', /opening seccomp profile \(\/nope\) failed: open \/nope: no such file or directory/],
      ['mask=relative', /invalid --security-opt 2/],
    ];
    for (const [option, words] of refused) {
      const { code, stderr } = await world.hoist(['run', '--rm', '--security-opt', option, 'busybox', 'true']);
      assert.equal(code, 125, option);
      assert.match(stderr, words);
    }
    await inside(world, 'true', '--security-opt', 'apparmor=unconfined', '--security-opt', 'label=disable');
  });

  check('--cap-add, --cap-drop: ALL, any case, with and without CAP_; unknown ones', async (world) => {
    const effective = (...flags: string[]): Promise<string> => inside(world, status('CapEff'), ...flags);
    const all = await effective('--privileged');
    for (const word of ['ALL', 'all', 'CAP_ALL'.slice(4)]) assert.equal(await effective('--cap-add', word), all);
    const without = BigInt(`0x${all}`) & ~(1n << 21n);
    assert.equal(BigInt(`0x${await effective('--cap-add', 'ALL', '--cap-drop', 'sys_admin')}`), without);
    assert.equal(await effective('--cap-drop', 'ALL', '--cap-add', 'Cap_Net_Raw'), '0000000000002000');
    for (const [flag, field] of [
      ['--cap-add', 'CapAdd'],
      ['--cap-drop', 'CapDrop'],
    ] as const) {
      const { code, stderr } = await world.hoist(['run', '--rm', flag, 'foo', 'busybox', 'true']);
      assert.deepEqual([code, stderr.includes(`invalid ${field}: unknown capability: "CAP_FOO"`)], [125, true]);
    }
  });

  check(
    '--privileged: devices, capabilities, no filter, nothing hidden; exec --privileged: capabilities',
    async (world) => {
      const all = (await world.program(['grep', 'CapBnd', '/proc/self/status'])).stdout.trim().split(/\s+/)[1];
      const text = await inside(
        world,
        `${status('CapEff')}; ${status('Seccomp')}; grep -cE " /proc/(keys|sys) " /proc/mounts; grep " /sys sysfs" /proc/mounts | cut -d" " -f4 | cut -c1-2; ls -d /dev/kmsg; mount -t tmpfs none /mnt && echo mounted`,
        '--privileged',
      );
      assert.equal(text, `${all}\n0\n0\nrw\n/dev/kmsg\nmounted`);
      await world.ok(['run', '-d', '--name', 'plain', 'busybox', 'sleep', '100']);
      const exec = await world.ok([
        'exec',
        '--privileged',
        'plain',
        'sh',
        '-c',
        `${status('CapEff')}; ${status('Seccomp')}`,
      ]);
      assert.equal(exec, `${all}\n2`); // as with Docker, the filter stays the container's
      await world.ok(['rm', '-f', 'plain']);
    },
  );
});
