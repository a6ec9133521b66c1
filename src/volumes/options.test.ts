// Options of the driver local: what is refused, and the mounts that they become.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Op } from '../plan/ops.ts';
import { boundDirectory, checkOptions, describeMount, mountVolumeOps, serverOf } from './options.ts';

const mounts = (ops: readonly Op[]): unknown[] =>
  ops.map((op) => (op.op === 'mountClassic' ? [op.source, op.fstype, Number(op.flags), op.data] : op.op));

test('options: a device needs a type, a type a device, and nothing else is known', () => {
  checkOptions('v', {});
  checkOptions('v', { type: 'tmpfs', device: 'tmpfs' });
  for (const [options, words] of [
    [{ foo: 'bar' }, 'create v: invalid option: "foo"'],
    [{ type: 'tmpfs' }, 'create v: missing required option: "device"'],
    [{ o: 'bind', type: 'none' }, 'create v: missing required option: "device"'],
    [{ size: '1g' }, 'create v: quota size requested but no quota support'],
    [{ type: 'none', device: '/a\0b' }, 'create v: invalid value of option device'],
  ] as const)
    assert.throws(() => checkOptions('v', options), { message: words });
});

test('options: words that mount(2) has as flags are flags, the rest is for the file system', () => {
  assert.deepEqual(
    mounts(mountVolumeOps({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,ro,nosuid,rw' }, '/v', undefined)),
    [['tmpfs', 'tmpfs', 2, 'size=1m']],
  );
  assert.deepEqual(mounts(mountVolumeOps({ type: 'none', device: '/d', o: 'bind' }, '/v', undefined)), [
    ['/d', 'none', 0x1000, ''],
  ]);
});

test('options: a bind mount takes its flags in a second mount', () => {
  assert.deepEqual(mounts(mountVolumeOps({ type: 'none', device: '/d', o: 'rbind,ro' }, '/v', undefined)), [
    ['/d', 'none', 0x5001, ''],
    ['', 'none', 0x1021, ''],
  ]);
});

test("options: an NFS server's name becomes the address that was looked up", () => {
  const options = { type: 'nfs', device: ':/export', o: 'addr=server.example,soft' };
  assert.equal(serverOf(options), 'server.example');
  const ops = mountVolumeOps(options, '/v', '192.0.2.1');
  assert.deepEqual(mounts(ops), [[':/export', 'nfs', 0, 'addr=192.0.2.1,soft']]);
  assert.equal(describeMount(ops), 'mount :/export:/v, flags: 0x0, data: addr=192.0.2.1,soft');
  assert.equal(serverOf({ type: 'ext4', device: '/dev/x', o: 'addr=no' }), undefined);
});

test('options: only a bound directory is one of the host', () => {
  assert.equal(boundDirectory({ type: 'none', device: '/d', o: 'bind,ro' }), '/d');
  assert.equal(boundDirectory({ type: 'tmpfs', device: 'tmpfs' }), undefined);
});
