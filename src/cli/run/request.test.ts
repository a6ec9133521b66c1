// The flags of run and create: Docker's grammars, and what is refused.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseFlags } from '../parse.ts';
import { type FakeIoOptions, fakeIo } from '../testing/io.ts';
import { containerFlags } from './flags.ts';
import { detachKeysOf } from './keys.ts';
import { containerRequest } from './request.ts';

const options: FakeIoOptions = {
  env: { FROM_ENV: 'here', EMPTY: '' },
  files: {
    'vars.env': '\uFEFF# comment\n\nA=1\n  B=two words \nFROM_ENV\nMISSING\nC=\r\n',
    'bad.env': 'A B=1\n',
    'labels.txt': 'x=1\ny\n',
    'seccomp.json': '{\n  "defaultAction": "SCMP_ACT_ALLOW"\n}\n',
    'broken.json': '{',
  },
};

async function request(line: string, io = fakeIo(options), detach = false) {
  const { flags, args } = parseFlags(containerFlags, line === '' ? [] : line.split(' '), true);
  return await containerRequest(flags, args, { io, detach });
}

const config = async (line: string) => (await request(line)).Config;
const host = async (line: string) => (await request(line)).HostConfig;

test('image and command; nothing else is invented', async () => {
  const { Config, HostConfig } = await request('busybox echo -n hi');
  assert.deepEqual([Config.Image, Config.Cmd, Config.Entrypoint], ['busybox', ['echo', '-n', 'hi'], null]);
  assert.deepEqual(
    [Config.AttachStdin, Config.AttachStdout, Config.AttachStderr, Config.OpenStdin, Config.StdinOnce],
    [false, true, true, false, false],
  );
  assert.deepEqual(
    [HostConfig.NetworkMode, HostConfig.Memory, HostConfig.PidsLimit, HostConfig.Binds],
    ['default', 0, null, null],
  );
  assert.equal((await config('busybox')).Cmd, null);
});

test('stdin is attached with -i, or as -a says, and never with -d', async () => {
  const attached = async (line: string, detach = false) => {
    const { AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce } = (await request(line, undefined, detach))
      .Config;
    return [AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce];
  };
  assert.deepEqual(await attached('-i b'), [true, true, true, true, true]);
  assert.deepEqual(await attached('-a stdout b'), [false, true, false, false, false]);
  assert.deepEqual(await attached('-i -a STDERR b'), [false, false, true, true, false]);
  assert.deepEqual(await attached('-i b', true), [false, false, false, true, false]);
});

test("--entrypoint, and an empty one that takes the image's away", async () => {
  assert.deepEqual((await config('--entrypoint /bin/sh b -c x')).Entrypoint, ['/bin/sh']);
  assert.deepEqual((await config('--entrypoint= b')).Entrypoint, ['']);
});

test("-e after --env-file; a bare key takes the caller's value; files have no quotes and no expansion", async () => {
  const { Env } = await config('-e FROM_ENV -e NOT_SET -e X=1=2 -e EMPTY --env-file vars.env b');
  assert.deepEqual(Env, ['A=1', 'B=two words ', 'FROM_ENV=here', 'C=', 'FROM_ENV=here', 'NOT_SET', 'X=1=2', 'EMPTY=']);
  await assert.rejects(config('--env-file bad.env b'), {
    message: "invalid env file (bad.env): variable 'A B' contains whitespaces",
  });
  await assert.rejects(config('--env-file none b'), { message: 'open none: no such file or directory' });
});

test('labels from files and flags, the last one wins', async () => {
  const { Labels } = await config('-l x=2 -l z= --label a.b --label-file labels.txt b');
  assert.deepEqual(Labels, { x: '2', z: '', 'a.b': '' });
  assert.equal(Object.keys((await config('-l __proto__=1 b')).Labels)[0], '__proto__');
});

test('-p in all its forms', async () => {
  const bindings = async (spec: string) => (await host(`-p ${spec} b`)).PortBindings;
  const one = (HostIp: string, HostPort: string) => [{ HostIp, HostPort }];
  assert.deepEqual(await bindings('80'), { '80/tcp': one('', '') });
  assert.deepEqual(await bindings('8080:80'), { '80/tcp': one('', '8080') });
  assert.deepEqual(await bindings('127.0.0.1:8080:80/udp'), { '80/udp': one('127.0.0.1', '8080') });
  assert.deepEqual(await bindings('127.0.0.1::80'), { '80/tcp': one('127.0.0.1', '') });
  assert.deepEqual(await bindings('[::1]:8080:80'), { '80/tcp': one('::1', '8080') });
  assert.deepEqual(await bindings('8000-8001:80-81'), { '80/tcp': one('', '8000'), '81/tcp': one('', '8001') });
  assert.deepEqual(await bindings('8000-8010:80'), { '80/tcp': one('', '8000-8010') });
  assert.deepEqual(await bindings('target=80,published=8080,protocol=udp'), { '80/udp': one('', '8080') });
  assert.deepEqual(await bindings('80:80 -p 81:80'), { '80/tcp': [...one('', '80'), ...one('', '81')] });
  const { ExposedPorts } = await config('-p 1:2 --expose 90-92/udp --expose 70 b');
  assert.deepEqual(Object.keys(ExposedPorts ?? {}).sort(), ['2/tcp', '70/tcp', '90/udp', '91/udp', '92/udp']);
});

test('binds keep their options, and relative sources become absolute', async () => {
  const { Binds } = await host('-v /a:/b -v ./c:/d:ro -v ../e:/f:rw,rslave -v .:/g b');
  assert.deepEqual(Binds, ['/a:/b', '/home/ada/c:/d:ro', '/home/e:/f:rw,rslave', '/home/ada:/g']);
});

test('volumes: named, anonymous, with options, of other containers', async () => {
  const { Config, HostConfig } = await request(
    '-v data:/x -v /y -v data:/x -v c:/d -v e:/f:ro --volumes-from a:ro --volumes-from b --volume-driver local --mount type=volume,src=s,dst=/m,volume-nocopy,volume-label=a=b,volume-label=c,volume-opt=type=nfs,volume-subpath=sub --mount dst=/n --mount type=image,src=i,dst=/b,image-subpath=x b',
  );
  // a drive's letter, to Docker's client
  assert.deepEqual(Config.Volumes, { '/y': {}, 'c:/d': {} });
  assert.deepEqual(HostConfig.Binds, ['data:/x', 'e:/f:ro']);
  assert.deepEqual(HostConfig.VolumesFrom, ['a:ro', 'b']);
  assert.equal(HostConfig.VolumeDriver, 'local');
  assert.deepEqual(HostConfig.Mounts, [
    {
      Type: 'volume',
      Target: '/m',
      Source: 's',
      VolumeOptions: {
        NoCopy: true,
        Labels: { a: 'b', c: '' },
        Subpath: 'sub',
        DriverConfig: { Options: { type: 'nfs' } },
      },
    },
    { Type: 'volume', Target: '/n' },
    { Type: 'image', Target: '/b', Source: 'i', ImageOptions: { Subpath: 'x' } },
  ]);
});

test('--mount for binds and tmpfs, as CSV', async () => {
  const { Mounts } = await host(
    '--mount type=bind,src=./a,dst=/b,ro,bind-propagation=rslave,bind-recursive=disabled --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770 --mount "type=bind","source=/x,y",target=/z b',
  );
  assert.deepEqual(Mounts, [
    {
      Type: 'bind',
      Source: '/home/ada/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rslave', NonRecursive: true },
    },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1770 } },
    { Type: 'bind', Source: '/x,y', Target: '/z' },
  ]);
});

test("limits in the API's units", async () => {
  const limits = await host(
    '-m 512m --memory-swap -1 --memory-reservation 1g --cpus 1.5 -c 512 --cpu-period 100000 --cpu-quota 50000 --cpuset-cpus 0-1 --pids-limit -1 --shm-size 128m --ulimit nofile=1024:2048 --ulimit core=0 --oom-score-adj -500 b',
  );
  assert.deepEqual(
    [
      limits.Memory,
      limits.MemorySwap,
      limits.MemoryReservation,
      limits.NanoCpus,
      limits.CpuShares,
      limits.CpuPeriod,
      limits.CpuQuota,
    ],
    [536870912, -1, 1073741824, 1_500_000_000, 512, 100000, 50000],
  );
  assert.deepEqual(
    [limits.CpusetCpus, limits.PidsLimit, limits.ShmSize, limits.OomScoreAdj],
    ['0-1', -1, 134217728, -500],
  );
  assert.deepEqual(limits.Ulimits, [
    { Name: 'core', Soft: 0, Hard: 0 },
    { Name: 'nofile', Soft: 1024, Hard: 2048 },
  ]);
});

test('devices, and the letters of their permissions', async () => {
  const { Devices } = await host('--device /dev/fuse --device /dev/sda:/dev/xvda:r --device /dev/null:rw b');
  assert.deepEqual(Devices, [
    { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' },
    { PathOnHost: '/dev/sda', PathInContainer: '/dev/xvda', CgroupPermissions: 'r' },
    { PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'rw' },
  ]);
  for (const device of ['/dev/null:/x:rwx', '/dev/null:x', '/a:/b:/c:/d', '/dev/null:/x:rr']) {
    await assert.rejects(host(`--device ${device} b`), { name: 'HoistError' }, device);
  }
});

test('networks, and what goes together wrongly', async () => {
  for (const network of ['bridge', 'none', 'host', 'container:web'])
    assert.equal((await host(`--network ${network} b`)).NetworkMode, network);
  assert.equal((await host('--net=host b')).NetworkMode, 'host');
  assert.equal((await host('--network name=none b')).NetworkMode, 'none');
  assert.equal((await host('--network mine b')).NetworkMode, 'mine');
  for (const line of [
    '--network host --network mine b',
    '--network mine --network mine b',
    '--network-alias a b',
    '--network name=mine,ip=1.2.3.4 --ip 1.2.3.5 b',
    '--mac-address x b',
    '--network= b',
  ]) {
    await assert.rejects(host(line), { code: 'cli.network' }, line);
  }
});

test('hosts and name servers', async () => {
  const { ExtraHosts, Dns, DnsSearch, DnsOptions } = await host(
    '--add-host a:1.2.3.4 --add-host b=::1 --add-host c:[::2] --add-host d:host-gateway --dns 1.1.1.1 --dns-search x.y --dns-opt ndots:2 b',
  );
  assert.deepEqual(ExtraHosts, ['a:1.2.3.4', 'b:::1', 'c:::2', 'd:host-gateway']);
  assert.deepEqual([Dns, DnsSearch, DnsOptions], [['1.1.1.1'], ['x.y'], ['ndots:2']]);
});

test('walls: capabilities, seccomp from a file, no-new-privileges, read-only, tmpfs, sysctl', async () => {
  const walls = await host(
    '--cap-drop ALL --cap-add NET_ADMIN --security-opt seccomp=seccomp.json --security-opt no-new-privileges --read-only --tmpfs /run:size=1m --tmpfs /t --sysctl net.ipv4.ip_forward=1 b',
  );
  assert.deepEqual([walls.CapAdd, walls.CapDrop, walls.ReadonlyRootfs], [['CAP_NET_ADMIN'], ['ALL'], true]);
  assert.deepEqual(walls.SecurityOpt, ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', 'no-new-privileges']);
  assert.deepEqual([walls.Tmpfs, walls.Sysctls], [{ '/run': 'size=1m', '/t': '' }, { 'net.ipv4.ip_forward': '1' }]);
  for (const opt of ['seccomp=none.json', 'seccomp=broken.json', 'nonsense']) {
    await assert.rejects(host(`--security-opt ${opt} b`), { name: 'HoistError' }, opt);
  }
});

test('namespaces', async () => {
  const modes = await host('--pid host --ipc shareable --uts host --cgroupns private b');
  assert.deepEqual(
    [modes.PidMode, modes.IpcMode, modes.UTSMode, modes.CgroupnsMode],
    ['host', 'shareable', 'host', 'private'],
  );
  assert.equal((await host('--pid container:web b')).PidMode, 'container:web');
});

test('values that go together wrongly are refused', async () => {
  for (const line of [
    '--restart :3 b',
    '--cpu-count 2 b',
    '--memory-swappiness 101 b',
    '--storage-opt size b',
    '--no-healthcheck --health-cmd true b',
    '--health-interval -1s b',
    '--userns x b',
    '--disable-content-trust=false b',
    '--rm --restart always b',
    '--log-driver none --log-opt max-size=1 b',
  ]) {
    await assert.rejects(host(line), { name: 'HoistError' }, line);
  }
  const { LogConfig, RestartPolicy } = await host(
    '--restart no --runtime hoist --log-driver local --log-opt max-size=1m --log-opt max-file=2 --blkio-weight 0 --memory-swappiness -1 b',
  );
  assert.deepEqual(LogConfig, { Type: 'local', Config: { 'max-size': '1m', 'max-file': '2' } });
  assert.deepEqual(RestartPolicy, { Name: 'no', MaximumRetryCount: 0 });
});

test("proxies of the user's config.json, where the command line says nothing of the same name", async () => {
  const config = '{"proxies":{"default":{"httpProxy":"http://p:1","noProxy":"a,b"},"tcp://x":{"httpProxy":"q"}}}';
  const env = async (line: string, more = {}) =>
    (await request(line, fakeIo({ files: { '/root/.docker/config.json': config }, env: more }))).Config.Env;
  assert.deepEqual(await env('-e A=1 -e HTTP_PROXY=own b'), [
    'A=1',
    'HTTP_PROXY=own',
    'http_proxy=http://p:1',
    'NO_PROXY=a,b',
    'no_proxy=a,b',
  ]);
  assert.deepEqual(await env('b', { DOCKER_HOST: 'tcp://x' }), ['HTTP_PROXY=q', 'http_proxy=q']);
});

test('a terminal sends its size along', async () => {
  const io = fakeIo({ tty: true, size: { rows: 50, columns: 132 } });
  assert.deepEqual((await request('-it b', io)).HostConfig.ConsoleSize, [50, 132]);
});

test("detach keys from the flag, the user's config.json, or ctrl-p,ctrl-q", async () => {
  const keys = async (line: string, files = {}) => {
    const table = [{ name: 'detach-keys', type: 'string', help: '' }];
    const bytes = await detachKeysOf(parseFlags(table, line === '' ? [] : [line], true).flags, fakeIo({ files }));
    return [...bytes];
  };
  assert.deepEqual(await keys(''), [16, 17]);
  assert.deepEqual(await keys('--detach-keys=ctrl-a,x'), [1, 120]);
  assert.deepEqual(await keys('--detach-keys=ctrl-@,ctrl-[,ctrl-_'), [0, 27, 31]);
  assert.deepEqual(await keys('', { '/root/.docker/config.json': '{"detachKeys":"ctrl-z"}' }), [26]);
  await assert.rejects(keys('--detach-keys=shift-a'), { code: 'cli.detach_keys' });
});
