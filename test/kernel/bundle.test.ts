// The OCI specification, member by member, on this kernel: what a program in a bundle sees of its configuration.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { type Changes, makeBundle } from './bundle.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const mapped = {
  uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
  gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
};
const spaces = (...types: string[]) => types.map((type) => ({ type }));
const usual = ['mount', 'pid', 'ipc', 'uts', 'network'];

test('a bundle runs, with the devices and the identity that it asks for', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const { out, code } = await bundle.run('id -u; id -G; umask; hostname; cat /proc/self/oom_score_adj; exit 7', {
    process: { user: { uid: 5, gid: 6, additionalGids: [7], umask: 0o77 }, oomScoreAdj: 100 },
    hostname: 'box',
  });
  assert.equal(out, '5\n6 7\n0077\nbox\n100');
  assert.equal(code, 7);
});

test('a new user namespace: ids are mapped, powers end at its edge, device nodes are those of the host', {
  skip,
}, async (t) => {
  const bundle = makeBundle(t);
  const all = {
    bounding: ['CAP_SYS_ADMIN', 'CAP_MKNOD'],
    effective: ['CAP_SYS_ADMIN', 'CAP_MKNOD'],
    permitted: ['CAP_SYS_ADMIN', 'CAP_MKNOD'],
  };
  const { out } = await bundle.run(
    'cat /proc/self/oom_score_adj /proc/self/uid_map; id -u; echo x > /dev/null && echo null; mknod /tmp/x c 1 3 || echo no; mount -t tmpfs x /tmp && echo mounted',
    {
      process: { capabilities: all, oomScoreAdj: 200 },
      linux: {
        namespaces: spaces(...usual, 'user', 'cgroup'),
        ...mapped,
        devices: [{ path: '/dev/null', type: 'c', major: 1, minor: 3 }],
      },
    },
  );
  assert.match(out, /^200\n +0 +100000 +65536\n0\nnull\n.*(not permitted|denied)\nno\nmounted$/);
});

test('a user namespace beside a joined one: both', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const { out } = await bundle.run('cat /proc/self/uid_map; readlink /proc/self/ns/net; echo $$', {
    linux: {
      namespaces: [
        ...spaces('mount', 'pid', 'ipc', 'uts', 'user'),
        { type: 'network', path: `/proc/${process.pid}/ns/net` },
      ],
      ...mapped,
    },
  });
  assert.match(out, /^ +0 +100000 +65536\nnet:\[\d+\]\n1$/);
});

test('a user namespace that is there already: the rest is made inside it', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const holder = spawn('unshare', ['--user', 'sleep', '60']);
  t.after(() => holder.kill());
  const own = () => readlinkSync(`/proc/${holder.pid}/ns/user`) !== readlinkSync('/proc/self/ns/user');
  for (let tries = 0; tries < 100 && !own(); tries++) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${file}`, '0 100000 65536');
  const linux = { namespaces: [...spaces(...usual), { type: 'user', path: `/proc/${holder.pid}/ns/user` }] };
  const { out } = await bundle.run('cat /proc/self/uid_map; id -u; echo $$; mount -t tmpfs x /tmp 2>&1 || echo no', {
    linux,
  });
  assert.match(out, /^ +0 +100000 +65536\n0\n1\n.*\nno$/);
});

test('an idmapped mount: files have other owners there', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const source = path.join(bundle.dir, 'source');
  mkdirSync(source);
  writeFileSync(path.join(source, 'file'), 'x');
  chownSync(path.join(source, 'file'), 1000, 1000);
  const maps = {
    uidMappings: [{ containerID: 1000, hostID: 0, size: 1 }],
    gidMappings: [{ containerID: 1000, hostID: 0, size: 1 }],
  };
  const mounts = [{ destination: '/data', source, options: ['bind'], ...maps }];
  let out: string;
  try {
    ({ out } = await bundle.run('stat -c %u:%g /data/file', { mounts }));
  } catch (error) {
    if (!/EINVAL/.test(String(error))) throw error;
    return t.skip('the file system of the temporary directory has no idmapped mounts');
  }
  assert.equal(out, '0:0');
});

test('what the machine does not have is refused, with the place', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const refused = (changes: Changes, words: RegExp): Promise<void> =>
    assert.rejects(bundle.run('true', changes), words);
  await refused(
    { process: { selinuxLabel: 'a:b:c' } },
    /^HoistError: process\.selinuxLabel: .* this machine has no SELinux$/,
  );
  await refused({ process: { apparmorProfile: 'mine' } }, /^HoistError: process\.apparmorProfile: .* has no AppArmor$/);
  const linux = { intelRdt: { closID: 'x' } };
  await refused({ linux }, /^HoistError: linux\.intelRdt: this machine has no resctrl file system mounted$/);
});

test('clocks of its own, with offsets', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const { out } = await bundle.run('cut -d. -f1 /proc/uptime', {
    linux: { namespaces: spaces(...usual, 'time'), timeOffsets: { boottime: { secs: 1_000_000 } } },
  });
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split('.')[0]);
  assert.ok(Math.abs(Number(out) - uptime - 1_000_000) < 60, `${out}, here ${uptime}`);
});

test('scheduler, I/O priority, personality, recursive options, tmpcopyup', { skip }, async (t) => {
  const bundle = makeBundle(t);
  writeFileSync(path.join(bundle.dir, 'rootfs/data/below'), 'kept\n');
  const { out } = await bundle.run(
    'uname -m; cut -d" " -f19,41 /proc/self/stat; cat /data/below; grep " /tmp " /proc/mounts; ionice',
    {
      process: { scheduler: { policy: 'SCHED_BATCH', nice: 5 }, ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 } },
      linux: { namespaces: spaces(...usual), personality: { domain: 'LINUX32' } },
      mounts: [
        { destination: '/data', type: 'tmpfs', options: ['tmpcopyup', 'nosymfollow'] },
        { destination: '/tmp', source: '/proc', options: ['rbind', 'rnoexec', 'rro', 'rnosuid'] },
      ],
    },
  );
  assert.match(out, /^i686\n5 3\nkept\nproc \/tmp proc ro,nosuid,noexec.*\nbest-effort: prio 6$/);
});

test('masked and read-only paths, known or not', { skip }, async (t) => {
  const bundle = makeBundle(t);
  writeFileSync(path.join(bundle.dir, 'rootfs/data/secret'), 'secret');
  const { out } = await bundle.run(
    'cat /data/secret; ls /bin | wc -l; touch /tmp/x || echo no; cat /proc/version | wc -c',
    {
      linux: {
        maskedPaths: ['/data/secret', '/not/there', '/proc/version', '/proc/not/there'],
        readonlyPaths: ['/tmp', '/nor/this'],
      },
    },
  );
  assert.equal(out, '1\ntouch: /tmp/x: Read-only file system\nno\n0');
});

test('hooks: in their order, in their namespaces, with the state; after the end too', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const log = path.join(bundle.dir, 'hooks');
  const hook = (name: string) => ({
    path: '/bin/busybox',
    args: ['sh', '-c', `echo "${name} $(hostname) $(cat)" >> ${log}; echo ${name}`],
    env: ['PATH=/bin'],
  });
  writeFileSync(path.join(bundle.dir, 'rootfs/bin/sh'), '');
  const inside = { path: '/bin/busybox', args: ['sh', '-c', 'cat > /data/state'], env: ['A=b'] };
  const { out } = await bundle.run('cat /data/state', {
    hostname: 'box',
    annotations: { a: 'b' },
    hooks: {
      prestart: [hook('prestart')],
      createRuntime: [hook('createRuntime')],
      createContainer: [hook('createContainer')],
      startContainer: [inside],
      poststart: [{ path: '/bin/false' }, hook('poststart')],
      poststop: [{ path: '/not/there' }, hook('poststop')],
    },
  });
  const lines = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  assert.deepEqual(
    lines.map(([name]) => name),
    ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'],
  );
  assert.deepEqual(
    lines.map(([, host]) => host === 'box'),
    [false, false, false, false, false], // the name is set later
  );
  const states = lines.map(([, , text]) => JSON.parse(text ?? ''));
  assert.deepEqual(
    states.map(({ status }) => status),
    ['creating', 'creating', 'creating', 'running', 'stopped'],
  );
  assert.ok(states[0].pid > 1);
  assert.deepEqual(
    { ...states[0], pid: 0 },
    { ociVersion: '1.2.0', id: 'test', status: 'creating', pid: 0, bundle: bundle.dir, annotations: { a: 'b' } },
  );
  assert.equal(JSON.parse(out).status, 'created');
});

test('a hook that fails, or takes too long, ends the start and undoes it; poststop hooks still run', {
  skip,
}, async (t) => {
  const bundle = makeBundle(t);
  const mark = path.join(bundle.dir, 'mark');
  const sh = (script: string) => ({ path: '/bin/busybox', args: ['sh', '-c', script] });
  const poststop = [sh(`echo x >> ${mark}`)];
  for (const [hooks, words] of [
    [{ createRuntime: [sh('exit 3')] }, /cannot run the hook \/bin\/busybox: it ended with exit code 3/],
    [{ createContainer: [sh('kill -9 $$')] }, /it was killed by signal 9/],
    [{ prestart: [{ ...sh('sleep 100'), timeout: 1 }] }, /ETIMEDOUT/],
    [{ startContainer: [{ path: '/not/there' }] }, /cannot run the hook \/not\/there: ENOENT/],
  ] as const)
    await assert.rejects(bundle.run('echo never', { hooks: { ...hooks, poststop } }), words);
  assert.equal(readFileSync(mark, 'utf8'), 'x\nx\nx\nx\n');
  for (const group of ['1', '2', '3', '4'])
    assert.ok(!existsSync(`/sys/fs/cgroup/pids/${path.basename(bundle.dir)}-${group}`));
});

test('seccomp: an agent gets the listener with the state of the process', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const listenerPath = path.join(bundle.dir, 'agent');
  const heard = new Promise<string>((resolve) => {
    const server = createServer((socket) => {
      let text = '';
      socket.on('data', (chunk) => (text += chunk));
      socket.on('close', () => {
        resolve(text);
        server.close();
      });
    }).listen(listenerPath);
  });
  const rules = [{ names: ['sethostname'], action: 'SCMP_ACT_NOTIFY' }];
  // nobody takes the descriptor: the kernel answers ENOSYS for an agent that is gone
  const { out } = await bundle.run('hostname other 2>&1', {
    linux: {
      namespaces: spaces(...usual),
      seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath, listenerMetadata: 'words', syscalls: rules },
    },
  });
  assert.match(out, /Function not implemented|not permitted/);
  const state = JSON.parse(await heard);
  assert.deepEqual([state.fds, state.metadata, state.state.id], [['seccompFd'], 'words', 'test']);
  assert.ok(state.pid > 1 && state.pid === state.state.pid);
});

test('a shared root, and mounts of the host that are slaves', { skip }, async (t) => {
  const bundle = makeBundle(t);
  const { out } = await bundle.run('grep " / / " /proc/self/mountinfo || cat /proc/self/mountinfo', {
    linux: { namespaces: spaces(...usual), rootfsPropagation: 'shared' },
  });
  assert.match(out, / \/ .*shared:\d+/);
});
