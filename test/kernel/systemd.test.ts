// System containers: an image whose command is systemd boots, runs services, keeps a journal and stops as a machine does.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { debianLayer } from './debian.ts';
import { binary, busybox, eventually, inWorld, type World } from './world.ts';

const needs = ['mmdebstrap'];

async function prepare(world: World): Promise<void> {
  await busybox(world);
  const { file } = debianLayer(['systemd-sysv', 'dbus']);
  const made = await world.program(
    ['sh', '-c', `gunzip -c ${file} | ${binary} import -c 'CMD ["/sbin/init"]' - system`],
    { timeout: 180 },
  );
  assert.equal(made.code, 0, made.stderr);
}

async function isUp(world: World, name: string): Promise<void> {
  await eventually(
    'the system is up',
    async () => /^running/.test((await world.hoist(['exec', name, 'systemctl', 'is-system-running'])).stdout),
    60,
  );
}

inWorld('system containers', { prepare, needs }, (check) => {
  check('systemd boots; a service of ours, the journal, the machine id; stop halts it', async (world) => {
    const units = path.join(world.dir, 'units');
    mkdirSync(units);
    writeFileSync(
      path.join(units, 'greet.service'),
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "echo greetings from $(cat /proc/1/comm); cat /proc/self/cgroup"\n',
    );
    await world.ok(['run', '-d', '--name', 'sys', '-v', `${units}:/srv/units:ro`, 'system']);
    await isUp(world, 'sys');
    const inside = (script: string): Promise<string> => world.ok(['exec', 'sys', 'sh', '-c', script]);
    assert.equal(await inside('systemctl list-units --failed --no-legend --no-pager'), '');
    await inside('systemctl link /srv/units/greet.service && systemctl start greet');
    assert.equal(await inside('systemctl is-active greet systemd-journald dbus.socket'), 'active\nactive\nactive');
    const journal = await inside('journalctl -u greet -o cat --no-pager');
    assert.match(journal, /greetings from systemd/);
    assert.match(journal, /^\d+:(name=systemd)?:\/system\.slice\/greet\.service$/m);
    const { Id, Config } = await world.inspect('sys');
    assert.equal(await inside('cat /etc/machine-id'), Id.slice(0, 32));
    assert.equal(Config['StopSignal'], 'SIGRTMIN+3');
    assert.equal(await inside('tr "\\0" "\\n" </proc/1/environ | grep ^container='), 'container=hoist');
    assert.match(await inside('systemd-detect-virt --container || true'), /container-other|docker|podman/);
    const begun = Date.now();
    await world.ok(['stop', '-t', '60', 'sys'], { timeout: 90 });
    assert.ok(Date.now() - begun < 50_000, 'it stopped by itself');
    assert.notEqual((await world.inspect('sys')).State.ExitCode, 137);
    await world.ok(['start', 'sys']);
    await isUp(world, 'sys');
    await world.ok(['rm', '-f', 'sys']);
    for (const dir of ['/sys/fs/cgroup/systemd/hoist', '/sys/fs/cgroup/hoist'])
      await eventually(`no group is left in ${dir}`, () => !existsSync(path.join(dir, Id)));
  });

  check('its limits are not its own to change; another container has no such hierarchy', async (world) => {
    await world.ok(['run', '-d', '--name', 'sys', '-m', '200m', 'system']);
    await isUp(world, 'sys');
    if (existsSync('/sys/fs/cgroup/memory')) {
      const write = await world.hoist([
        'exec',
        'sys',
        'sh',
        '-c',
        'echo 1 >/sys/fs/cgroup/memory/memory.limit_in_bytes',
      ]);
      assert.match(write.stderr, /Read-only file system/);
      const plain = await world.ok(['run', '--rm', 'busybox', 'ls', '/sys/fs/cgroup']);
      assert.ok(!plain.includes('systemd'), plain);
    }
    await world.ok(['rm', '-f', 'sys']);
  });

  check('--systemd: false leaves it alone, always is for any command, else the command decides', async (world) => {
    const mounts = (...args: string[]): Promise<string> => world.ok(['run', '--rm', ...args]);
    const look = ['sh', '-c', 'echo "$container"; grep -c " /run " /proc/mounts; true'];
    assert.equal(await mounts('busybox', ...look), '\n0');
    assert.equal(await mounts('--systemd', 'always', 'busybox', ...look), 'hoist\n1');
    assert.match(await world.ok(['explain', 'run', 'busybox', '/sbin/init']), /container=hoist/);
    assert.doesNotMatch(
      await world.ok(['explain', 'run', '--systemd=false', 'busybox', '/sbin/init']),
      /container=hoist/,
    );
    const wrong = await world.hoist(['run', '--systemd', 'perhaps', 'busybox', 'true']);
    assert.equal(wrong.code, 125);
    assert.match(wrong.stderr, /--systemd: one of true, false, always/);
  });

  check("--init: reaps orphans, passes signals on, its exit code is the program's", async (world) => {
    await world.ok([
      'run',
      '-d',
      '--init',
      '--name',
      'init',
      'busybox',
      'sh',
      '-c',
      'trap "exit 9" USR1; (sleep 0.1 & exec true); while :; do sleep 0.1; done',
    ]);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const states = await world.ok(['exec', 'init', 'sh', '-c', 'cat /proc/[0-9]*/stat']);
    assert.ok(!/ Z /.test(states), states);
    assert.match(await world.ok(['exec', 'init', 'cat', '/proc/1/cmdline']), /hoist-init/);
    await world.ok(['kill', '-s', 'USR1', 'init']);
    assert.equal(await world.ok(['wait', 'init']), '9');
    assert.equal((await world.hoist(['run', '--rm', '--init', 'busybox', 'sh', '-c', 'kill -TERM $$'])).code, 143);
    await world.ok(['rm', 'init']);
  });
});
