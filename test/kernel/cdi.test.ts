// Devices of the Container Device Interface: what a specification says is what the container has.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { busybox, inWorld } from './world.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hoist-cdi-'));
after(() => rmSync(dir, { recursive: true }));
const first = path.join(dir, 'first');
const second = path.join(dir, 'second');
for (const one of [first, second]) mkdirSync(one);
writeFileSync(path.join(dir, 'library'), 'of the vendor\n');
const marks = path.join(dir, 'marks');

const yaml = `cdiVersion: 0.6.0
kind: vendor.com/gpu
devices:
- name: "0"
  containerEdits:
    env: [CARD=0]
    deviceNodes:
    - path: /dev/card0
      hostPath: /dev/null
- name: all
  containerEdits:
    env: [CARD=all]
containerEdits:
  mounts:
  - hostPath: ${dir}/library
    containerPath: /lib/vendor
    options: [ro, nosuid]
  hooks:
  - hookName: createContainer
    path: /bin/busybox
    args: [sh, -c, 'cat > ${marks}']
  - hookName: poststop
    path: /bin/busybox
    args: [sh, -c, 'echo gone >> ${marks}.stop']
`;
writeFileSync(path.join(first, 'vendor.yaml'), yaml);
writeFileSync(path.join(first, 'broken.json'), '{');
const failing = { path: '/bin/busybox', args: ['false'], hookName: 'createRuntime' };
const json = (name: string, containerEdits: object): string =>
  JSON.stringify({ cdiVersion: '0.6.0', kind: 'vendor.com/net', devices: [{ name, containerEdits }] });
writeFileSync(path.join(first, 'net.json'), json('card', { env: ['FROM=first'] }));
writeFileSync(path.join(second, 'net.json'), json('card', { env: ['FROM=second'], additionalGids: [4242] }));
writeFileSync(path.join(second, 'bad.json'), json('bad', { hooks: [failing] }));

inWorld('devices by name', { env: { CDI_SPEC_DIRS: `${first}:${second}` } }, (check) => {
  check('a device: its node may be used, with variables, mounts and hooks', async (world) => {
    await busybox(world);
    const script = 'echo $CARD; echo x > /dev/card0 && echo written; cat /lib/vendor; touch /lib/vendor || echo ro';
    const result = await world.hoist(['run', '--rm', '--device', 'vendor.com/gpu=0', 'busybox', 'sh', '-c', script]);
    assert.equal(result.stdout, '0\nwritten\nof the vendor\nro\n', result.stderr);
    const state = JSON.parse(readFileSync(marks, 'utf8'));
    assert.equal(state.status, 'creating');
    assert.match(state.id, /^[0-9a-f]{64}$/);
    assert.equal(readFileSync(`${marks}.stop`, 'utf8'), 'gone\n');
  });

  check('the later directory wins; --gpus means the class gpu', async (world) => {
    const inside = ['busybox', 'sh', '-c', 'echo $FROM $CARD; id -G'];
    assert.equal(await world.ok(['run', '--rm', '--device', 'vendor.com/net=card', ...inside]), 'second\n0 4242');
    assert.match(await world.ok(['run', '--rm', '--gpus', 'all', ...inside]), /^all\n/);
    assert.match(await world.ok(['run', '--rm', '--gpus', '1', ...inside]), /^0\n/);
  });

  check('what is not there, and a hook that fails, are refused with a sentence', async (world) => {
    const missing = await world.hoist(['run', '--rm', '--device', 'vendor.com/net=none', 'busybox', 'true']);
    assert.equal(missing.code, 125);
    assert.match(missing.stderr, /CDI device injection failed: unresolvable CDI devices vendor\.com\/net=none/);
    assert.match(missing.stderr, /broken\.json is not JSON/);
    const hook = await world.hoist(['run', '--rm', '--device', 'vendor.com/net=bad', 'busybox', 'true']);
    assert.equal(hook.code, 125);
    assert.match(hook.stderr, /cannot run the hook \/bin\/busybox: it ended with exit code 1/);
    assert.equal(await world.ok(['ps', '-aq']), '');
  });
});
