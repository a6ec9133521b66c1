import assert from 'node:assert/strict';
import test from 'node:test';
import { containerCreateBody, containerUpdateBody } from './container.ts';
import { execCreateBody } from './exec.ts';
import { commitBody } from './image.ts';
import { networkCreateBody } from './network.ts';
import { registryAuthOf } from './system.ts';

const create = (value: unknown) => containerCreateBody.read(value, 51);

test('a sparse request becomes a whole document', () => {
  const { Config, HostConfig, NetworkingConfig } = create({ Image: 'busybox' });
  assert.deepEqual(
    [Config.Image, Config.Cmd, Config.Entrypoint, Config.Env, Config.Labels, Config.Tty, Config.Hostname],
    ['busybox', null, null, [], {}, false, ''],
  );
  assert.deepEqual(
    [HostConfig.Binds, HostConfig.PidsLimit, HostConfig.ConsoleSize, HostConfig.LogConfig, HostConfig.NetworkMode],
    [null, null, [0, 0], { Type: '', Config: {} }, ''],
  );
  assert.deepEqual(HostConfig.RestartPolicy, { Name: '', MaximumRetryCount: 0 });
  assert.equal(NetworkingConfig, undefined);
});

test('null is nothing, everywhere', () => {
  const names = [...Object.keys(create({ Image: 'x' }).Config), 'ExposedPorts', 'Healthcheck', 'Volumes'];
  const nothing = Object.fromEntries(names.filter((name) => name !== 'Image').map((name) => [name, null]));
  const host = Object.fromEntries(Object.keys(create({ Image: 'x' }).HostConfig).map((name) => [name, null]));
  assert.deepEqual(
    create({ Image: 'x', ...nothing, HostConfig: { ...host, Mounts: null, Init: null }, NetworkingConfig: null }),
    create({ Image: 'x' }),
  );
  assert.deepEqual(create({ Image: 'x', HostConfig: null }), create({ Image: 'x' }));
});

test('forms of old clients', () => {
  const { Config } = create({
    Image: 'x',
    Cmd: 'echo hi',
    Entrypoint: '/bin/sh',
    ExposedPorts: ['80/tcp'],
    Volumes: ['/data'],
    MacAddress: '02:42:ac:11:00:02',
  });
  assert.deepEqual(
    [Config.Cmd, Config.Entrypoint, Config.ExposedPorts, Config.Volumes, Config.MacAddress],
    [['echo hi'], ['/bin/sh'], { '80/tcp': {} }, { '/data': {} }, '02:42:ac:11:00:02'],
  );
});

test('names without case, unknown fields, networks', () => {
  const { Config, HostConfig, NetworkingConfig } = create({
    image: 'x',
    Whatever: { a: 1 },
    hostconfig: { memory: 5, NanoCPUs: 7, Nope: [] },
    NetworkingConfig: {
      EndpointsConfig: { mesh: { Aliases: ['a'], IPAMConfig: { IPv4Address: '10.0.0.2' } }, other: null },
    },
  });
  assert.deepEqual([Config.Image, HostConfig.Memory, HostConfig.NanoCpus], ['x', 5, 7]);
  assert.equal('Whatever' in Config, false);
  assert.deepEqual(NetworkingConfig?.EndpointsConfig?.['mesh']?.Aliases, ['a']);
  assert.equal(NetworkingConfig?.EndpointsConfig?.['other'], null);
});

test('a wrong type is told with the name of its field', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ Image: 5 }, /cannot unmarshal number into Go struct field \.?Image of type string/],
    [
      { HostConfig: { Memory: 'a' } },
      /cannot unmarshal string into Go struct field \.?HostConfig\.Memory of type int64/,
    ],
    [{ HostConfig: { Memory: 1.5 } }, /cannot unmarshal number 1\.5 .*HostConfig\.Memory of type int64/],
    [{ Tty: 'yes' }, /cannot unmarshal string .*Tty of type bool/],
    [{ Env: [5] }, /Env.* of type string/],
    [{ Labels: { a: 1 } }, /Labels.* of type string/],
    [
      { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: 80 }] } } },
      /HostConfig\.PortBindings.*HostPort of type string/,
    ],
    [{ HostConfig: { Mounts: [{ Type: 'magic' }] } }, /mount type unknown: "magic"/],
    [[], /cannot unmarshal array/],
    ['x', /cannot unmarshal string/],
    [undefined, /got EOF while reading request body/],
    [{}, /config cannot be empty in order to create a container/],
  ];
  for (const [body, words] of cases)
    assert.throws(() => create(body), { kind: 'invalid', message: words }, JSON.stringify(body));
  assert.throws(() => networkCreateBody.read({ Name: 5 }, 51), { message: /Name of type string/ });
});

test('written and read again it is the same', () => {
  const request = create({
    Image: 'x',
    Env: ['A=b'],
    HostConfig: { Binds: ['/a:/b'], Init: true, Mounts: [{ Type: 'tmpfs', Target: '/t' }] },
  });
  assert.deepEqual(create(JSON.parse(JSON.stringify(containerCreateBody.write(request)))), request);
});

test('update and commit read only what is there', () => {
  assert.deepEqual(
    containerUpdateBody.read({ Memory: 5, RestartPolicy: { Name: 'always' }, Nope: 1, CpuShares: null }, 51),
    {
      Memory: 5,
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
    },
  );
  assert.deepEqual(commitBody.read({ Cmd: ['a'], Labels: null }, 51), { Cmd: ['a'] });
  assert.deepEqual(commitBody.read(undefined, 51), {});
  assert.deepEqual(execCreateBody.read({ Cmd: 'ls' }, 51).Cmd, ['ls']);
});

test('credentials in base64 of either kind; anything else is none', () => {
  const auth = { username: 'u', password: '>>>???' };
  const text = JSON.stringify(auth);
  assert.deepEqual(registryAuthOf(Buffer.from(text).toString('base64url')), auth);
  assert.deepEqual(registryAuthOf(Buffer.from(text).toString('base64')), auth);
  for (const none of [undefined, '', 'e30=', '!!!', Buffer.from('[]').toString('base64')])
    assert.equal(registryAuthOf(none), undefined);
});
