// From flags to mount points: what wins over what, and which volumes a container needs.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig, HostConfig } from '../../spec/docker/container.ts';
import { composeMounts, parseBind, parseVolumesFrom } from './mounts.ts';
import type { ContainerRecord } from './record.ts';

function compose(host: Partial<HostConfig>, volumes: readonly string[] = [], from?: Partial<ContainerRecord>) {
  const config = { Volumes: Object.fromEntries(volumes.map((one) => [one, {}])) };
  return composeMounts(host as HostConfig, config as unknown as ContainerConfig, {
    from: () => (from as ContainerRecord | undefined) ?? assert.fail('no other container'),
    dataOf: (volume) => `/v/${volume}/_data`,
  });
}

test('a bind is taken apart as Docker does', () => {
  assert.deepEqual(parseBind('/a:/b:ro,z'), {
    type: 'bind',
    source: '/a',
    target: '/b',
    mode: 'ro,z',
    modes: ['ro', 'z'],
  });
  assert.deepEqual(parseBind('name:/b')?.type, 'volume');
  assert.deepEqual([parseBind('/only')?.source, parseBind('/only')?.target], ['', '/only']);
  for (const bad of ['a:b:c:d', ':/b', 'a:']) assert.equal(parseBind(bad), undefined, bad);
});

test('VOLUMEs yield to every other mount, also written in another way', () => {
  const { mounts, volumes } = compose({ Binds: ['named:/data/'], Tmpfs: { '/run': '' } }, [
    '/data',
    '/run',
    '/x/../y/',
    '/y',
  ]);
  assert.deepEqual(
    mounts.map(({ Destination }) => Destination),
    ['/data', '/y'],
  );
  assert.deepEqual(
    volumes.map(({ destination, anonymous, copy }) => [destination, anonymous, copy]),
    [
      ['/data', false, true],
      ['/y', true, true],
    ],
  );
});

test('own mounts win over what another container lends; nothing lent is copied into', () => {
  const other = compose({ Binds: ['one:/d', 'two:/e:ro', '/host:/h'] }, ['/an']);
  const { mounts, volumes } = compose({ Binds: ['mine:/d'], VolumesFrom: ['other:ro'] }, ['/an'], other);
  assert.deepEqual(
    mounts.map(({ Destination, Name, RW }) => [Destination, Name?.slice(0, 4), RW]),
    [
      ['/e', 'two', false],
      ['/h', undefined, false],
      ['/an', other.volumes.find(({ anonymous }) => anonymous)?.name.slice(0, 4), false],
      ['/d', 'mine', true],
    ],
  );
  assert.deepEqual(
    volumes.map(({ destination, copy, anonymous }) => [destination, copy, anonymous]),
    [
      ['/e', false, false],
      ['/an', false, true],
      ['/d', true, false],
    ],
  );
});

test('two at one place, and places in /proc, are refused', () => {
  assert.throws(() => compose({ Binds: ['a1:/x', 'b1:/x/'] }), { message: 'Duplicate mount point: /x' });
  assert.throws(() => compose({ Binds: ['a1:/x'], Tmpfs: { '/x': '' } }), { code: 'mount.duplicate' });
  assert.throws(() => compose({ Binds: ['a1:/proc/self'] }), { code: 'mount.proc' });
  assert.throws(() => compose({}, ['/proc']), { code: 'mount.proc' });
});

test('volumes-from: a container and how', () => {
  assert.deepEqual(parseVolumesFrom('c'), { ref: 'c', writable: true });
  assert.deepEqual(parseVolumesFrom('c:ro,z'), { ref: 'c', writable: false });
  for (const bad of ['', 'c:zz', 'c:nocopy', 'c:rw,ro', 'c:rslave'])
    assert.throws(() => parseVolumesFrom(bad), { kind: 'invalid' }, bad);
});
