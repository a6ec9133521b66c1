// What the flags of run promise, seen from inside the container.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { busybox, inWorld, type World } from './world.ts';

/** What a shell script prints in a container with these flags. */
function inside(world: World, flags: readonly string[], script: string): Promise<string> {
  return world.ok(['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
}

inWorld('flags of run', { prepare: busybox }, (check) => {
  check('-e and --env-file: set, passed through, removed; later words win', async (world) => {
    const file = path.join(world.dir, 'env');
    writeFileSync(file, '# comment\nA=from file\nTHROUGH\n\nB=2\n');
    const env = { THROUGH: 'of the user', ALSO: 'me', ABSENT_IS: '' };
    const text = await world.ok(
      ['run', '--rm', '--env-file', file, '-e', 'B=3', '-e', 'ALSO', '-e', 'NOT_SET', '-e', 'EMPTY=', 'busybox', 'env'],
      { env },
    );
    const lines = text.split('\n');
    for (const line of ['A=from file', 'THROUGH=of the user', 'ALSO=me', 'B=3', 'EMPTY=', 'HOME=/root'])
      assert.ok(lines.includes(line), `${line} in ${text}`);
    assert.ok(!/NOT_SET|HOIST_|LC_ALL|B=2/.test(text), text);
    assert.match(text, /^PATH=\/usr\/local\/sbin:/m);
    assert.match(text, /^HOSTNAME=[0-9a-f]{12}$/m);
    assert.doesNotMatch(text, /^TERM=/m);
  });

  check('-w makes the directory; -u by number and name; --group-add', async (world) => {
    assert.equal(await inside(world, ['-w', '/new/place'], 'pwd'), '/new/place');
    assert.equal(await inside(world, ['-u', '1234:99'], 'id -u; id -g; echo $HOME'), '1234\n99\n/');
    assert.equal(await inside(world, ['-u', 'root'], 'id -u; echo $HOME'), '0\n/root');
    assert.equal(
      await inside(
        world,
        ['-u', '7', '--group-add', '20', '--group-add', '30'],
        'grep Groups /proc/self/status | tr -d "\t "',
      ),
      'Groups:02030',
    );
    const bad = await world.hoist(['run', '--rm', '--group-add', 'nobodys', 'busybox', 'true']);
    assert.deepEqual([bad.code, /unable to find group nobodys/.test(bad.stderr)], [125, true]);
    const relative = await world.hoist(['run', '--rm', '-w', 'not/absolute', 'busybox', 'true']);
    assert.equal(relative.code, 125);
  });

  check('a user that is not root can open /dev/stdin, /dev/stdout and /dev/stderr', async (world) => {
    const args = ['-u', '1000', 'busybox', 'sh', '-c', 'cat /dev/stdin >/dev/stdout; echo e >/dev/stderr'];
    const ran = await world.hoist(['run', '--rm', '-i', ...args], { input: 'in' });
    assert.deepEqual([ran.code, ran.stdout, ran.stderr], [0, 'in', 'e\n']);
  });

  check('a user that the container itself added is found', async (world) => {
    await world.ok(['run', '-d', '--name', 'adds', 'busybox', 'sleep', '100']);
    await world.ok([
      'exec',
      'adds',
      'sh',
      '-c',
      'mkdir -p /etc; echo ada:x:500:600::/home/ada:/bin/sh >>/etc/passwd; echo lab:x:700:ada >>/etc/group',
    ]);
    assert.equal(
      await world.ok(['exec', '-u', 'ada', 'adds', 'sh', '-c', 'id -u; id -g; id -G; echo $HOME']),
      '500\n600\n600 700\n/home/ada',
    );
    await world.ok(['rm', '-f', 'adds']);
  });

  check('--entrypoint, and the command behind it', async (world) => {
    assert.equal(await world.ok(['run', '--rm', '--entrypoint', 'echo', 'busybox', 'a', 'b']), 'a b');
    assert.equal(await world.ok(['run', '--rm', '--entrypoint', '', 'busybox', 'echo', 'c']), 'c');
  });

  check('-h, --domainname, --add-host, --dns, --dns-search, --dns-option', async (world) => {
    const text = await inside(
      world,
      [
        '-h',
        'box',
        '--domainname',
        'lab.test',
        '--add-host',
        'far:10.1.2.3',
        '--add-host',
        'up=host-gateway',
        '--dns',
        '192.0.2.53',
        '--dns-search',
        'lab.test',
        '--dns-option',
        'ndots:3',
      ],
      'hostname; cat /etc/hostname /etc/hosts /etc/resolv.conf; cat /proc/sys/kernel/domainname',
    );
    assert.match(text, /^box\nbox\n/);
    assert.match(text, /^10\.1\.2\.3\s+far$/m);
    assert.match(text, /^172\.\d+\.0\.1\s+up$/m);
    assert.match(text, /^127\.0\.0\.1\s+localhost/m);
    assert.match(text, /^172\.[\d.]+\s+box\.lab\.test box$/m);
    assert.match(text, /^nameserver 192\.0\.2\.53$/m);
    assert.match(text, /^search lab\.test$/m);
    assert.match(text, /^options ndots:3$/m);
    assert.match(text, /^lab\.test$/m);
  });

  check('--read-only, and the places that stay writable', async (world) => {
    const script =
      'touch /x; touch /etc/hosts2; touch /tmp/ok && echo tmp; touch /dev/shm/ok && echo shm; echo >/etc/hosts';
    const result = await world.hoist(['run', '--rm', '--read-only', '--tmpfs', '/tmp', 'busybox', 'sh', '-c', script]);
    assert.equal(result.stdout, 'tmp\nshm\n');
    assert.equal(result.stderr.match(/Read-only file system/g)?.length, 3);
  });

  check('--tmpfs with size, mode, exec; --mount type=tmpfs; --shm-size', async (world) => {
    const text = await inside(
      world,
      ['--tmpfs', '/a:size=1m,mode=700', '--mount', 'type=tmpfs,target=/b,tmpfs-size=2097152', '--shm-size', '3m'],
      'grep -E " /a | /b | /dev/shm " /proc/mounts; stat -c %a /a',
    );
    assert.match(text, /\/a tmpfs .*nosuid,nodev,noexec.*size=1024k,mode=700/);
    assert.match(text, /\/b tmpfs .*size=2048k/);
    assert.match(text, /\/dev\/shm tmpfs .*size=3072k/);
    assert.match(text, /^700$/m);
    const full = await world.hoist([
      'run',
      '--rm',
      '--tmpfs',
      '/a:size=1m',
      'busybox',
      'dd',
      'if=/dev/zero',
      'of=/a/f',
      'bs=1M',
      'count=2',
    ]);
    assert.match(full.stderr, /No space left/);
  });

  check('-v and --mount: directories, single files, read-only, made where missing', async (world) => {
    const data = path.join(world.dir, 'data');
    mkdirSync(data);
    writeFileSync(path.join(data, 'in'), 'from the host');
    const text = await inside(
      world,
      [
        '-v',
        `${data}:/data`,
        '-v',
        `${data}/in:/one/file:ro`,
        '--mount',
        `type=bind,source=${data},target=/again,readonly`,
      ],
      'cat /data/in /one/file /again/in; echo new >/data/out; touch /again/x; echo >/one/file; true',
    );
    assert.equal(text, 'from the hostfrom the hostfrom the host');
    assert.equal(readFileSync(path.join(data, 'out'), 'utf8'), 'new\n');
    await inside(world, ['-v', `${world.dir}/made/deep:/d`], 'touch /d/x');
    assert.ok(statSync(path.join(world.dir, 'made/deep/x')).isFile());
    const missing = await world.hoist([
      'run',
      '--rm',
      '--mount',
      `type=bind,source=${world.dir}/none,target=/d`,
      'busybox',
      'true',
    ]);
    assert.deepEqual([missing.code, /bind source path does not exist/.test(missing.stderr)], [125, true]);
    const twice = await world.hoist(['run', '--rm', '-v', `${data}:/d`, '-v', `${world.dir}:/d`, 'busybox', 'true']);
    assert.deepEqual([twice.code, /Duplicate mount point: \/d/.test(twice.stderr)], [125, true]);
  });

  check('a read-only volume is read-only in what is mounted below it, too', async (world) => {
    const top = path.join(world.dir, 'top');
    mkdirSync(path.join(top, 'sub'), { recursive: true });
    const mounted = await world.program(['mount', '-t', 'tmpfs', 'none', path.join(top, 'sub')]);
    assert.equal(mounted.code, 0);
    const result = await world.hoist(['run', '--rm', '-v', `${top}:/top:ro`, 'busybox', 'touch', '/top/sub/x']);
    assert.match(result.stderr, /Read-only file system/);
    await world.program(['umount', path.join(top, 'sub')]);
  });

  check('a volume over a symlink of the host is what the link names', async (world) => {
    mkdirSync(path.join(world.dir, 'real'));
    symlinkSync('real', path.join(world.dir, 'link'));
    await inside(world, ['-v', `${world.dir}/link:/d`], 'touch /d/through');
    assert.ok(statSync(path.join(world.dir, 'real/through')).isFile());
  });

  check('--init: pid 1 reaps orphans and passes signals on', async (world) => {
    await world.ok([
      'run',
      '-d',
      '--init',
      '--name',
      'init',
      'busybox',
      'sh',
      '-c',
      'trap "exit 5" TERM; (sleep 0.1 &) ; echo ready; while :; do sleep 0.05; done',
    ]);
    assert.equal(await world.ok(['exec', 'init', 'sh', '-c', 'sleep 0.3; ps -o pid,stat | grep -c " Z" || true']), '0');
    await world.ok(['stop', 'init']);
    assert.equal((await world.inspect('init')).State.ExitCode, 5);
    await world.ok(['rm', 'init']);
  });

  check('--ulimit, --sysctl, --oom-score-adj', async (world) => {
    assert.equal(await inside(world, ['--ulimit', 'nofile=123:456'], 'ulimit -Sn; ulimit -Hn'), '123\n456');
    assert.equal(await inside(world, ['--ulimit', 'core=0'], 'ulimit -c'), '0');
    assert.equal(
      await inside(
        world,
        ['--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'kernel.msgmax=4096'],
        'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax',
      ),
      '1\n4096',
    );
    assert.equal(await inside(world, ['--oom-score-adj', '500'], 'cat /proc/self/oom_score_adj'), '500');
    const host = await world.hoist(['run', '--rm', '--sysctl', 'kernel.panic=1', 'busybox', 'true']);
    assert.equal(host.code, 125);
  });

  check('-l and --label-file come back in inspect and filters', async (world) => {
    const file = path.join(world.dir, 'labels');
    writeFileSync(file, 'a=1\nb=two words\n');
    await world.ok(['create', '--name', 'labels', '--label-file', file, '-l', 'c', 'busybox']);
    assert.deepEqual((await world.inspect('labels')).Config['Labels'], { a: '1', b: 'two words', c: '' });
    assert.equal(await world.ok(['ps', '-a', '-f', 'label=b=two words', '--format', '{{.Names}}']), 'labels');
    await world.ok(['rm', 'labels']);
  });

  check('--network none, --pid, --ipc, --uts of the host or another container', async (world) => {
    assert.equal(await inside(world, ['--network', 'none'], 'ls /sys/class/net'), 'lo');
    assert.match(await inside(world, ['--pid', 'host'], 'ps -o args'), /hoist-engine/);
    await world.ok(['run', '-d', '--name', 'peer', '--ipc', 'shareable', '-h', 'peer', 'busybox', 'sleep', '77']);
    assert.match(await inside(world, ['--pid', 'container:peer'], 'ps -o args'), /sleep 77/);
    const spaces = 'readlink /proc/self/ns/ipc /proc/self/ns/net; hostname';
    const own = await world.ok(['exec', 'peer', 'sh', '-c', spaces]);
    assert.equal(await inside(world, ['--ipc', 'container:peer', '--network', 'container:peer'], spaces), own);
    assert.equal(await inside(world, ['--uts', 'host'], 'hostname'), (await world.program(['hostname'])).stdout.trim());
    await world.ok(['rm', '-f', 'peer']);
  });

  check('what is not built is refused with a sentence, never ignored', async (world) => {
    for (const flag of [
      '--blkio-weight=5',
      '--device-read-bps=/dev/null:1mb',
      '--gpus=all',
      '--device=vendor.com/net=card',
      '--runtime=other',
      '--security-opt=apparmor=profile',
      '--storage-opt=size=1g',
      '--use-api-socket',
    ]) {
      const result = await world.hoist(['run', '--rm', flag, 'busybox', 'true']);
      assert.equal(result.code, 125, flag);
      assert.match(result.stderr, /^hoist: .+/, flag);
    }
  });
});
