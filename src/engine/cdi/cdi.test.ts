import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import type { DeviceRequest } from '../../spec/docker/container.ts';
import { cdiDirectories, readCatalog } from './catalog.ts';
import { requestedNames } from './requests.ts';

const spec = (kind: string, names: string[], edits: object = {}): string =>
  JSON.stringify({
    cdiVersion: '0.6.0',
    kind,
    devices: names.map((name) => ({ name, containerEdits: edits })),
  });

async function withFiles<T>(files: Record<string, string>, body: (dirs: string[]) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(path.join(tmpdir(), 'cdi-'));
  try {
    const dirs = ['etc', 'run'].map((name) => path.join(dir, name));
    for (const one of dirs) mkdirSync(one);
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
    return await body(dirs);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('specifications in JSON and YAML; a later directory wins, two of one directory are a conflict', async () => {
  const yaml = `cdiVersion: "0.5.0"
kind: vendor.com/net
devices:
  - name: card
    containerEdits:
      deviceNodes: [{ path: /dev/card, fileMode: 0660, permissions: rw }]
containerEdits:
  env: ["NET=1"]
`;
  await withFiles(
    {
      'etc/a.json': spec('vendor.com/gpu', ['0', 'all'], { env: ['FROM=etc'] }),
      'etc/b.yaml': yaml,
      'etc/c.json': spec('vendor.com/twice', ['x']),
      'etc/d.json': spec('vendor.com/twice', ['x']),
      'etc/broken.json': '{',
      'etc/old.json': JSON.stringify({ cdiVersion: '0.1.0', kind: 'a.b/c', devices: [] }),
      'etc/ignored.yml': 'not read',
      'run/a.json': spec('vendor.com/gpu', ['0'], { env: ['FROM=run'] }),
    },
    async (dirs) => {
      const { devices, problems } = await readCatalog([...dirs, '/nowhere']);
      assert.deepEqual([...devices.keys()].sort(), ['vendor.com/gpu=0', 'vendor.com/gpu=all', 'vendor.com/net=card']);
      assert.deepEqual(devices.get('vendor.com/gpu=0')?.edits.env, ['FROM=run']);
      assert.deepEqual(devices.get('vendor.com/gpu=all')?.edits.env, ['FROM=etc']);
      const card = devices.get('vendor.com/net=card');
      assert.equal(card?.edits.deviceNodes[0]?.fileMode, 0o660);
      assert.deepEqual(card?.shared.env, ['NET=1']);
      assert.equal(problems.length, 3, problems.join('\n'));
      assert.match(problems.join('\n'), /conflicting device "vendor.com\/twice=x" \(specs ".*c.json", ".*d.json"\)/);
      assert.match(problems.join('\n'), /old.json: cdiVersion: version "0.1.0" is not known/);
    },
  );
});

test('requests: by name, and GPUs by count, number, all', async () => {
  const files = { 'etc/n.json': spec('nvidia.com/gpu', ['0', '1', 'GPU-abc', 'all']) };
  await withFiles(files, async (dirs) => {
    const known = [...(await readCatalog(dirs)).devices.keys()];
    const names = (request: Partial<DeviceRequest>, from: readonly string[] = known): readonly string[] =>
      requestedNames(
        [{ Driver: '', Count: 0, DeviceIDs: null, Capabilities: [['gpu']], Options: null, ...request }],
        from,
      );
    assert.deepEqual(names({ Count: -1 }), ['nvidia.com/gpu=all']);
    assert.deepEqual(names({ Count: 1, Driver: 'nvidia' }), ['nvidia.com/gpu=0']);
    assert.deepEqual(names({ DeviceIDs: ['1', 'GPU-abc'] }), ['nvidia.com/gpu=1', 'nvidia.com/gpu=GPU-abc']);
    assert.deepEqual(names({ Driver: 'cdi', DeviceIDs: ['a.b/c=d'], Capabilities: null }), ['a.b/c=d']);
    assert.throws(() => names({ Count: 3 }), /3 of nvidia.com\/gpu were asked for, and CDI specifications describe 2/);
    assert.throws(() => names({ Count: 1, DeviceIDs: ['0'] }), { message: /cannot set both Count and DeviceIDs/ });
    assert.throws(() => names({ Driver: 'cdi', Count: 1 }), { message: 'unexpected count in CDI device request' });
    assert.throws(() => names({ Count: -1 }, []), {
      message: 'could not select device driver "" with capabilities: [[gpu]]',
    });
    assert.throws(() => names({ Driver: 'other', Count: 1, Capabilities: [['gpu', 'compute'], ['x']] }), {
      message: 'could not select device driver "other" with capabilities: [[gpu compute] [x]]',
    });
  });
});

test('where specifications are', () => {
  assert.deepEqual(cdiDirectories({}), ['/etc/cdi', '/var/run/cdi']);
  assert.deepEqual(cdiDirectories({ CDI_SPEC_DIRS: '/a:/b' }), ['/a', '/b']);
});
