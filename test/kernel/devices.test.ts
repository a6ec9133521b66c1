// Devices: --device, --device-cgroup-rule, and those that CDI specifications describe, with all of their edits.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { busybox, inWorld, type World } from './world.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hk-cdi-'));
const inside = (world: World, script: string, ...flags: string[]): Promise<string> =>
  world.ok(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);

function writeSpecs(): void {
  mkdirSync(path.join(dir, 'etc'));
  mkdirSync(path.join(dir, 'run'));
  writeFileSync(path.join(dir, 'note'), 'from the vendor');
  const hook = path.join(dir, 'hook');
  writeFileSync(hook, `#!/bin/sh\ncat >${dir}/$1.json\n`);
  chmodSync(hook, 0o755);
  const spec = {
    cdiVersion: '0.8.0',
    kind: 'vendor.com/thing',
    containerEdits: { env: ['SHARED=yes', 'PATH_OF_VENDOR=/opt'] },
    devices: [
      {
        name: 'one',
        containerEdits: {
          env: ['ONE=1'],
          deviceNodes: [
            { path: '/dev/thing', hostPath: '/dev/kmsg', permissions: 'r' },
            { path: '/dev/made', type: 'c', major: 1, minor: 3, fileMode: 0o640, uid: 7, gid: 8 },
          ],
          mounts: [{ hostPath: path.join(dir, 'note'), containerPath: '/opt/note', options: ['ro', 'bind'] }],
          additionalGids: [4711],
        },
      },
      { name: 'two', containerEdits: { env: ['TWO=2'] } },
      {
        name: 'hooked',
        containerEdits: {
          hooks: ['createRuntime', 'createContainer', 'poststop'].map((hookName) => ({
            hookName,
            path: hook,
            args: ['hook', hookName],
          })),
        },
      },
      { name: 'gone', containerEdits: { deviceNodes: [{ path: '/dev/none-such' }] } },
    ],
  };
  writeFileSync(path.join(dir, 'etc', 'vendor.json'), JSON.stringify(spec));
  writeFileSync(
    path.join(dir, 'run', 'gpus.yaml'),
    'cdiVersion: "0.5.0"\nkind: nvidia.com/gpu\ndevices:\n' +
      ['"0"', '"1"', 'all']
        .map((n) => `- name: ${n}\n  containerEdits:\n    env: [GPU_${n.replaceAll('"', '')}=yes]\n`)
        .join(''),
  );
}

const subject = {
  env: { CDI_SPEC_DIRS: `${dir}/etc:${dir}/run` },
  prepare: async (world: World) => {
    writeSpecs();
    await busybox(world);
  },
  finish: () => rmSync(dir, { recursive: true }),
};

inWorld('devices', subject, (check) => {
  check('--device: another name, a directory, permissions; missing and malformed ones', async (world) => {
    assert.equal(
      await inside(
        world,
        'stat -c %t:%T /dev/a; ls /dev/net',
        '--device',
        '/dev/kmsg:/dev/a:r',
        '--device',
        '/dev/net',
      ),
      '1:b\ntun',
    );
    const read =
      'head -c 1 /dev/kmsg >/dev/null 2>&1 && echo read; (echo x >/dev/kmsg) 2>/dev/null && echo wrote; true';
    assert.equal(await inside(world, read, '--cap-add', 'SYSLOG', '--device', '/dev/kmsg:r'), 'read');
    assert.equal(await inside(world, read, '--cap-add', 'SYSLOG', '--device', '/dev/kmsg:w'), 'wrote');
    const refused: [string, RegExp][] = [
      [
        '/dev/none-such',
        /error gathering device information while adding custom device "\/dev\/none-such": no such file/,
      ],
      ['/etc/passwd', /not a device node/],
      ['/dev/null:/dev/x:q', /bad mode specified: q/],
    ];
    for (const [value, words] of refused) {
      const { code, stderr } = await world.hoist(['run', '--rm', '--device', value, 'busybox', 'true']);
      assert.deepEqual([code, words.test(stderr)], [125, true], stderr);
    }
  });

  check('--device-cgroup-rule allows what a node may be made of', async (world) => {
    const script =
      'mknod /tmp/log c 1 11; head -c 1 /tmp/log >/dev/null 2>&1 && echo read; (echo x >/tmp/log) 2>/dev/null && echo wrote; true';
    assert.equal(await inside(world, script), '');
    assert.equal(await inside(world, script, '--cap-add', 'SYSLOG', '--device-cgroup-rule', 'c 1:11 r'), 'read');
    assert.equal(
      await inside(world, script, '--cap-add', 'SYSLOG', '--device-cgroup-rule', 'c 1:* rwm'),
      'read\nwrote',
    );
    assert.equal(await inside(world, script, '--device-cgroup-rule', 'b 1:11 rwm'), '');
  });

  check('CDI: environment, nodes, mounts, groups of one device; shared edits once', async (world) => {
    const script =
      'echo $SHARED $ONE $TWO; stat -c "%t:%T" /dev/thing; stat -c "%t:%T %a %u:%g" /dev/made; cat /opt/note; echo; id -G; (echo x >/dev/thing) 2>/dev/null && echo wrote; (echo x >/opt/note) 2>/dev/null && echo wrote; true';
    const flags = ['--device', 'vendor.com/thing=one', '--device', 'vendor.com/thing=two'];
    assert.match(await inside(world, script, ...flags), /^yes 1 2\n1:b\n1:3 640 7:8\nfrom the vendor\n0 .*\b4711$/);
    await world.ok(['create', '--name', 'named', ...flags, 'busybox']);
    assert.deepEqual((await world.inspect('named')).HostConfig['DeviceRequests'], [
      {
        Driver: 'cdi',
        Count: 0,
        DeviceIDs: ['vendor.com/thing=one', 'vendor.com/thing=two'],
        Capabilities: null,
        Options: null,
      },
    ]);
    await world.ok(['rm', 'named']);
    assert.match(await world.ok(['explain', 'run', ...flags, 'busybox', 'true']), /\/opt\/note/);
  });

  check('CDI hooks run with the state of the container', async (world) => {
    await inside(world, 'true', '--device', 'vendor.com/thing=hooked');
    const state = (name: string) =>
      JSON.parse(readFileSync(path.join(dir, `${name}.json`), 'utf8')) as {
        id: string;
        status: string;
        pid?: number;
        bundle: string;
      };
    assert.equal(state('createRuntime').status, 'creating');
    assert.ok((state('createRuntime').pid ?? 0) > 1);
    assert.equal(state('createContainer').pid, 1); // as seen from inside
    assert.equal(state('poststop').id, state('createContainer').id);
    assert.match(state('createRuntime').bundle, /containers/);
  });

  check('--gpus through CDI: all, a number, single ones', async (world) => {
    const seen = (...flags: string[]): Promise<string> =>
      inside(world, 'env | grep ^GPU_ | sort | tr "\\n" " "', ...flags);
    assert.equal(await seen('--gpus', 'all'), 'GPU_all=yes ');
    assert.equal(await seen('--gpus', '1'), 'GPU_0=yes ');
    assert.equal(await seen('--gpus', '"device=0,1"'), 'GPU_0=yes GPU_1=yes ');
    const many = await world.hoist(['run', '--rm', '--gpus', '3', 'busybox', 'true']);
    assert.match(many.stderr, /3 of nvidia.com\/gpu were asked for/);
    const other = await world.hoist(['run', '--rm', '--gpus', 'driver=other', 'busybox', 'true']);
    assert.match(other.stderr, /could not select device driver "other" with capabilities: \[\[gpu\]\]/);
  });

  check('devices that nothing describes are named; info lists those that are', async (world) => {
    const flags = ['--device', 'vendor.com/thing=x', '--device', 'no.one/y=z'];
    const { code, stderr } = await world.hoist(['run', '--rm', ...flags, 'busybox', 'true']);
    assert.equal(code, 125);
    assert.match(stderr, /CDI device injection failed: unresolvable CDI devices vendor.com\/thing=x, no.one\/y=z/);
    const gone = await world.hoist(['run', '--rm', '--device', 'vendor.com/thing=gone', 'busybox', 'true']);
    assert.match(gone.stderr, /failed to stat CDI host device "\/dev\/none-such": no such file or directory/);
    const info = await world.ok(['info']);
    assert.match(info, new RegExp(` CDI spec directories:\n {2}${dir}/etc\n {2}${dir}/run\n`));
    assert.match(info, / Discovered Devices:\n {2}cdi: nvidia.com\/gpu=0\n/);
    await world.ok(['system', 'prune', '-f']);
    assert.equal(await world.ok(['ps', '-aq']), '');
  });
});
