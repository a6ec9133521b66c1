import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../../base/errors.ts';
import { parseOciConfig, parseOciProcess, parseOciResources } from './config.ts';

type Json = { [name: string]: unknown };

const plain = {
  ociVersion: '1.2.0',
  process: { args: ['sh'], cwd: '/', user: { uid: 0, gid: 0 }, env: ['PATH=/bin'] },
  root: { path: 'rootfs' },
  linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
};

/** A copy of `plain` where `path` (`linux.namespaces.0.type`) has another value; undefined takes it away. */
function changed(path: string, value: unknown): string {
  const document = structuredClone(plain) as unknown as Json;
  const names = path.split('.');
  let at: Json = document;
  for (const name of names.slice(0, -1)) {
    at[name] ??= {};
    at = at[name] as Json;
  }
  const last = names.at(-1) ?? '';
  if (value === undefined) delete at[last];
  else at[last] = value;
  return JSON.stringify(document);
}

const refusals: readonly [path: string, value: unknown, sentence: string][] = [
  ['ociVersion', undefined, 'ociVersion: is missing, it must be a string'],
  ['ociVersion', '2.0.0', 'ociVersion: version 2.0.0 of the specification is not known; 1.0 to 1.2 are'],
  ['ociVersion', '0.9.0', 'ociVersion: version 0.9.0 of the specification is not known; 1.0 to 1.2 are'],
  ['ociVersion', 'one', 'ociVersion: must be a version like 1.2.0, not "one"'],
  ['process', undefined, 'process: is missing, it must be an object'],
  ['process.args', [], 'process.args: must name a program'],
  ['process.args', ['a', 1], 'process.args[1]: must be a string, not a number'],
  ['process.args', ['a\0b'], 'process.args[0]: must not hold a NUL'],
  ['process.cwd', 'here', 'process.cwd: must be absolute'],
  ['process.cwd', undefined, 'process.cwd: is missing, it must be a string'],
  ['process.env', ['A=1', 'B'], 'process.env[1]: must be NAME=VALUE, not "B"'],
  ['process.terminal', 'yes', 'process.terminal: must be true or false, not a string'],
  ['process.user.uid', -1, 'process.user.uid: must be from 0 to 4294967295, not -1'],
  ['process.user.uid', 1.5, 'process.user.uid: must be a whole number of 64 bits'],
  ['process.user.additionalGids', [1, '2'], 'process.user.additionalGids[1]: must be a whole number, not a string'],
  ['process.user.umask', 512, 'process.user.umask: must be from 0 to 511, not 512'],
  [
    'process.capabilities',
    { bounding: ['CAP_KILL', 'CAP_X'] },
    'process.capabilities.bounding[1]: unknown capability "CAP_X"',
  ],
  ['process.capabilities', { ambient: ['KILL'] }, 'process.capabilities.ambient[0]: unknown capability "KILL"'],
  [
    'process.rlimits',
    [{ type: 'RLIMIT_NOFILES', soft: 1, hard: 1 }],
    'process.rlimits[0].type: unknown resource limit "RLIMIT_NOFILES"',
  ],
  [
    'process.rlimits',
    [{ type: 'RLIMIT_NOFILE', soft: 2, hard: 1 }],
    'process.rlimits[0].soft: must not be above the hard limit',
  ],
  [
    'process.rlimits',
    [
      { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
      { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
    ],
    'process.rlimits[1]: RLIMIT_CPU is there twice',
  ],
  ['process.oomScoreAdj', 1001, 'process.oomScoreAdj: must be from -1000 to 1000, not 1001'],
  ['process.scheduler', { policy: 'SCHED_X' }, 'process.scheduler.policy: unknown scheduling policy "SCHED_X"'],
  [
    'process.scheduler',
    { policy: 'SCHED_BATCH', priority: 5 },
    'process.scheduler.priority: is for SCHED_FIFO and SCHED_RR alone, not SCHED_BATCH',
  ],
  ['process.ioPriority', { class: 'RT' }, 'process.ioPriority.class: unknown I/O class "RT"'],
  ['process.execCPUAffinity', { initial: '3-1' }, 'process.execCPUAffinity.initial: "3-1" is no list of numbers'],
  ['root', undefined, 'root: is missing, it must be an object'],
  ['root.path', '', 'root.path: must not be empty'],
  ['root.readonly', 1, 'root.readonly: must be true or false, not a number'],
  ['hostname', 'box', 'hostname: needs a uts namespace in linux.namespaces'],
  ['mounts', [{ type: 'tmpfs' }], 'mounts[0].destination: is missing, it must be a string'],
  ['mounts', {}, 'mounts: must be a list, not an object'],
  ['mounts', [{ destination: '/a', options: ['bind'] }], 'mounts[0].source: is missing'],
  [
    'mounts',
    [{ destination: '/a', source: '/b', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }],
    'mounts[0]: uidMappings and gidMappings must be given together',
  ],
  ['hooks', { prestart: [{ path: 'x' }] }, 'hooks.prestart[0].path: must be absolute'],
  ['hooks', { poststop: [{ path: '/x', timeout: 0 }] }, 'hooks.poststop[0].timeout: must be greater than zero'],
  ['annotations', { a: 1 }, 'annotations.a: must be a string, not a number'],
  ['annotations', { 'a.b': 1 }, 'annotations["a.b"]: must be a string, not a number'],
  ['linux', [], 'linux: must be an object, not a list'],
  ['linux.namespaces', [{ type: 'net' }], 'linux.namespaces[0].type: unknown type of namespace "net"'],
  [
    'linux.namespaces',
    [{ type: 'pid' }, { type: 'pid', path: '/x' }],
    'linux.namespaces[1]: a pid namespace is there twice',
  ],
  ['linux.namespaces', [{ type: 'pid', path: 'x' }], 'linux.namespaces[0].path: must be absolute'],
  [
    'linux.namespaces',
    [{ type: 'user' }],
    'linux.uidMappings: must map something: linux.namespaces has a new user namespace',
  ],
  [
    'linux.uidMappings',
    [{ containerID: 0, hostID: 0, size: 1 }],
    'linux.uidMappings: needs a user namespace in linux.namespaces',
  ],
  [
    'linux.uidMappings',
    [
      { containerID: 0, hostID: 1, size: 10 },
      { containerID: 5, hostID: 100, size: 1 },
    ],
    'linux.uidMappings[1]: overlaps with linux.uidMappings[0]',
  ],
  [
    'linux.timeOffsets',
    { monotonic: { secs: 1 } },
    'linux.timeOffsets: needs a new time namespace in linux.namespaces',
  ],
  ['linux.timeOffsets', { realtime: {} }, 'linux.timeOffsets.realtime: unknown clock "realtime"'],
  [
    'linux.devices',
    [{ path: '/dev/x', type: 'c', major: 1 }],
    'linux.devices[0].minor: is missing, it must be a whole number',
  ],
  ['linux.devices', [{ path: '/dev/x', type: 'x' }], 'linux.devices[0].type: unknown type of device "x"'],
  ['linux.resources', { pids: {} }, 'linux.resources.pids.limit: is missing, it must be a whole number'],
  [
    'linux.resources',
    { devices: [{ allow: 1 }] },
    'linux.resources.devices[0].allow: must be true or false, not a number',
  ],
  [
    'linux.resources',
    { devices: [{ allow: true, access: 'rx' }] },
    'linux.resources.devices[0].access: must be made of r, w and m, not "rx"',
  ],
  [
    'linux.resources',
    { memory: { swappiness: 101 } },
    'linux.resources.memory.swappiness: must be from 0 to 100, not 101',
  ],
  ['linux.resources', { blockIO: { weight: 5 } }, 'linux.resources.blockIO.weight: must be from 10 to 1000, not 5'],
  [
    'linux.resources',
    { hugepageLimits: [{ pageSize: '2M', limit: 1 }] },
    'linux.resources.hugepageLimits[0].pageSize: must be a size like 64KB, 2MB or 1GB, not "2M"',
  ],
  [
    'linux.resources',
    { unified: { '../x.y': '1' } },
    'linux.resources.unified["../x.y"]: "../x.y" is no file of a cgroup',
  ],
  [
    'linux.sysctl',
    { 'net.core.somaxconn': '1' },
    'linux.sysctl["net.core.somaxconn"]: would change the whole host: it needs a network namespace in linux.namespaces',
  ],
  [
    'linux.sysctl',
    { 'vm.swappiness': '1' },
    'linux.sysctl["vm.swappiness"]: would change the whole host: no namespace keeps it',
  ],
  ['linux.sysctl', { 'a..b': '1' }, 'linux.sysctl["a..b"]: "a..b" is no sysctl'],
  ['linux.rootfsPropagation', 'all', 'linux.rootfsPropagation: unknown propagation "all"'],
  ['linux.maskedPaths', ['/a', 'b'], 'linux.maskedPaths[1]: must be absolute'],
  ['linux.personality', { domain: 'BSD' }, 'linux.personality.domain: unknown domain "BSD"'],
  ['linux.intelRdt', { closID: '../x' }, 'linux.intelRdt.closID: "../x" is no name of a directory'],
  ['linux.seccomp', { defaultAction: 'ALLOW' }, 'linux.seccomp.defaultAction: unknown action "ALLOW"'],
  [
    'linux.seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['x'], action: 'SCMP_ACT_NOTIFY' }] },
    'linux.seccomp.listenerPath: is missing: syscalls[0] has the action SCMP_ACT_NOTIFY',
  ],
  [
    'linux.seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_LOG' }] },
    'linux.seccomp.syscalls[0].names: must name a system call',
  ],
  [
    'linux.seccomp',
    { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['amd64'] },
    'linux.seccomp.architectures[0]: unknown architecture "amd64"',
  ],
];

for (const [path, value, sentence] of refusals) {
  test(`refused: ${sentence}`, () => {
    assert.throws(
      () => parseOciConfig(changed(path, value)),
      (error) => {
        assert.ok(isHoistError(error, 'config.invalid'), String(error));
        assert.equal(error.message, sentence);
        return true;
      },
    );
  });
}

test('what is no JSON, and what is no object, is refused', () => {
  assert.throws(() => parseOciConfig('{'), { message: 'config.json is not JSON' });
  assert.throws(() => parseOciConfig('[]'), { message: 'must be an object, not a list' });
});

test('what may be left out is empty, and unknown members are passed over', () => {
  const { process, linux, mounts, annotations } = parseOciConfig(changed('linux.somethingNew', { a: 1 }));
  assert.deepEqual(process.capabilities, { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] });
  assert.deepEqual(linux, {
    namespaces: [{ type: 'mount' }, { type: 'pid' }],
    devices: [],
    cgroupsPath: '',
    resources: { devices: [] },
    sysctl: {},
    maskedPaths: [],
    readonlyPaths: [],
    rootfsPropagation: '',
  });
  assert.deepEqual([mounts, annotations], [[], {}]);
});

test('numbers of 64 bits keep their digits, in strings nothing changes', () => {
  const text = changed('process.rlimits', [{ type: 'RLIMIT_NOFILE', soft: 7, hard: 8 }]).replace(
    '"hard":8',
    '"hard":18446744073709551615',
  );
  const { process } = parseOciConfig(text.replace('PATH=/bin', 'A=12345678901234567890 \\"12345678901234567890'));
  assert.deepEqual(process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 7, hard: -1 }]);
  assert.deepEqual(process.env, ['A=12345678901234567890 "12345678901234567890']);
  assert.throws(() => parseOciConfig(changed('root.path', 1).replace('"path":1', '"path":12345678901234567890')), {
    message: 'root.path: must be a string, not a number',
  });
  assert.deepEqual(parseOciResources('{"memory":{"limit":9223372036854771712}}').memory, {
    limit: 9223372036854771712n,
  });
  assert.throws(() => parseOciResources('{"memory":{"limit":9223372036854775808}}'), {
    message: /^resources\.memory\.limit: must be from -9223372036854775808 to 9223372036854775807, not/,
  });
});

test('a process and its resources by themselves', () => {
  assert.equal(parseOciProcess('{"args":["x"],"cwd":"/"}').user.uid, 0);
  assert.throws(() => parseOciProcess('{"args":["x"],"cwd":""}'), { message: 'process.cwd: must not be empty' });
  assert.deepEqual(parseOciResources('{"devices":[{"allow":false}],"cpu":{"cpus":""}}'), {
    devices: [{ allow: false, type: 'a', access: 'rwm' }],
    cpu: {},
  });
});
