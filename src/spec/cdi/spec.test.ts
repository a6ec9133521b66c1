import assert from 'node:assert/strict';
import test from 'node:test';
import { parseYaml } from '../../base/yaml.ts';
import { readCdiSpec } from './spec.ts';

const yaml = `---
cdiVersion: 0.5.0
kind: nvidia.com/gpu   # the kind
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      hostPath: /dev/null
    - path: /dev/dri/card1
      permissions: rw
- name: all
  containerEdits: {}
containerEdits:
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  - 'A=it''s'
  hooks:
  - hookName: createContainer
    path: /usr/bin/nvidia-cdi-hook
    args: [nvidia-cdi-hook, "a, b", c]
  mounts:
    - hostPath: /usr/lib/x.so
      containerPath: /usr/lib/x.so
      options:
        - ro
        - nosuid
`;

test('a specification in YAML, as the tools of vendors write it', () => {
  const spec = readCdiSpec({ value: parseYaml(yaml), path: '' });
  assert.equal(spec.kind, 'nvidia.com/gpu');
  assert.deepEqual(
    spec.devices.map(({ name }) => name),
    ['0', 'all'],
  );
  assert.deepEqual(spec.devices[0]?.edits.deviceNodes, [
    { path: '/dev/nvidia0', hostPath: '/dev/null', permissions: 'rwm' },
    { path: '/dev/dri/card1', permissions: 'rw' },
  ]);
  assert.deepEqual(spec.edits.env, ['NVIDIA_VISIBLE_DEVICES=void', "A=it's"]);
  assert.deepEqual(spec.edits.hooks, [
    {
      point: 'createContainer',
      hook: { path: '/usr/bin/nvidia-cdi-hook', args: ['nvidia-cdi-hook', 'a, b', 'c'], env: [] },
    },
  ]);
  assert.deepEqual(spec.edits.mounts, [
    { destination: '/usr/lib/x.so', source: '/usr/lib/x.so', type: 'bind', options: ['rbind', 'ro', 'nosuid'] },
  ]);
});

test('what is wrong in a specification is named with its place', () => {
  const refused = (changes: object, words: string): void => {
    const value = { cdiVersion: '0.6.0', kind: 'a.com/b', devices: [], ...changes };
    assert.throws(() => readCdiSpec({ value, path: '' }), { message: words });
  };
  refused({ cdiVersion: '2.0.0' }, 'cdiVersion: version "2.0.0" is not known');
  refused({ kind: 'x' }, 'kind: "x" is not vendor/class');
  refused({ devices: [{ name: 'a/b' }] }, 'devices[0].name: "a/b" is no name of a device');
  refused({ containerEdits: { deviceNodes: [{ path: 'x' }] } }, 'containerEdits.deviceNodes[0].path: must be absolute');
  refused({ containerEdits: { hooks: [{ hookName: 'x' }] } }, 'containerEdits.hooks[0].hookName: unknown hook "x"');
  refused({ devices: [{ name: 'a' }, { name: 'a' }] }, 'devices: "a" stands there twice');
  refused({ containerEdits: { intelRdt: {} } }, 'containerEdits.intelRdt: is not supported');
});
