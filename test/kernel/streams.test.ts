// Bytes between the user and the container: apart, unchanged, all of them, and no more than the reader takes.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { binary, busybox, eventually, inWorld } from './world.ts';

const allBytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
const every = Buffer.concat(Array.from({ length: 64 }, () => allBytes));
const run = ['run', '--rm', 'busybox'];
const runIn = ['run', '--rm', '-i', 'busybox'];

const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

inWorld('streams', { prepare: busybox }, (check) => {
  check('stdout and stderr stay apart, and in order each', async (world) => {
    const script = 'i=0; while [ $i -lt 200 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done';
    const result = await world.hoist([...run, 'sh', '-c', script]);
    const lines = (name: string): string => Array.from({ length: 200 }, (_, i) => `${name}${i}\n`).join('');
    assert.equal(result.stdout, lines('out'));
    assert.equal(result.stderr, lines('err'));
  });

  check('all 256 bytes come back as they went in, through run and exec', async (world) => {
    const through = await world.hoist([...runIn, 'cat'], { input: every });
    assert.ok(through.bytes.equals(every));
    await world.ok(['run', '-d', '--name', 'cat', 'busybox', 'sleep', '100']);
    const exec = await world.hoist(['exec', '-i', 'cat', 'cat'], { input: every });
    assert.ok(exec.bytes.equals(every));
    await world.ok(['rm', '-f', 'cat']);
  });

  check('echo | run -i cat; a closed stdin; no stdin without -i', async (world) => {
    assert.equal((await world.hoist([...runIn, 'cat'], { input: 'hi\n' })).stdout, 'hi\n');
    assert.equal((await world.hoist([...runIn, 'cat'])).stdout, '');
    const closed = await world.hoist([...runIn, 'sh', '-c', 'cat; echo end'], { input: 'closed' });
    assert.deepEqual([closed.code, closed.stdout], [0, 'end\n']);
    assert.equal((await world.hoist([...run, 'cat'], { input: 'not read' })).stdout, '');
  });

  check('files as stdin and stdout, and what they already hold', async (world) => {
    const script = `printf in >in; printf before >out; ${binary} run --rm -i busybox cat <in >>out; ${binary} run --rm -i busybox sh -c 'cat; echo e >&2' <in >>out 2>>out; cat out`;
    assert.equal((await world.program(['sh', '-c', script])).stdout, 'beforeinine\n');
  });

  check('200 MB through a pipe, in and out', async (world) => {
    const script = `head -c 200000000 /dev/urandom >data; sha256sum <data
      cat data | ${binary} run --rm -i busybox cat | sha256sum
      cat data | ${binary} run --rm -i busybox sha256sum; rm data`;
    const [there, back, inside] = (await world.program(['sh', '-c', script])).stdout.split('\n');
    assert.deepEqual([back, inside], [there, there]);
  });

  check('64 MB to stderr while stdout says something else', async (world) => {
    const result = await world.program([
      'sh',
      '-c',
      `${binary} run --rm busybox sh -c 'head -c 67108864 /dev/zero >&2; echo out' 2>&1 >out | wc -c; cat out`,
    ]);
    assert.equal(result.stdout, '67108864\nout\n');
  });

  check('| head -1: the command dies of SIGPIPE at once; the container goes on, as with Docker', async (world) => {
    const script = `${binary} run --name yes --log-driver none busybox yes | head -1; echo "\${PIPESTATUS[0]}"`;
    const result = await world.program(['bash', '-c', script], { timeout: 20 });
    assert.equal(result.stdout, 'y\n141\n');
    assert.equal((await world.inspect('yes')).State.Status, 'running');
    await world.ok(['rm', '-f', 'yes']);
    const finite = `${binary} run --rm --name some busybox seq 1 100000 | head -1; echo "\${PIPESTATUS[0]}"`;
    assert.match((await world.program(['bash', '-c', finite], { timeout: 20 })).stdout, /^1\n(141|0)\n$/);
    await eventually('that one has ended and is gone', async () => (await world.ok(['ps', '-aq'])) === '');
  });

  check('a slow reader gets everything, and nothing piles up in memory meanwhile', async (world) => {
    const running = world.startHoist([
      'run',
      '--rm',
      '--name',
      'slow',
      '--log-driver',
      'none',
      'busybox',
      'head',
      '-c',
      '50000000',
      '/dev/zero',
    ]);
    running.child.stdout?.pause();
    await new Promise((resolve) => setTimeout(resolve, 700));
    const keeper = await world.program([
      'sh',
      '-c',
      'for p in /proc/[0-9]*; do if tr "\\0" " " <$p/cmdline 2>/dev/null | grep -q "hoist-keeper $1"; then grep VmRSS $p/status; fi; done',
      'sh',
      (await world.inspect('slow')).Id.slice(0, 12),
    ]);
    const memory = Number(/VmRSS:\s+(\d+) kB/.exec(keeper.stdout)?.[1] ?? assert.fail('no keeper'));
    assert.ok(memory < 20_000, `${memory} kB`);
    running.child.stdout?.resume();
    assert.equal((await running.ended).bytes.length, 50_000_000);
  });

  check('a program that does not read its stdin', async (world) => {
    const result = await world.hoist([...runIn, 'true'], { input: Buffer.alloc(5_000_000) });
    assert.equal(result.code, 0);
    const some = await world.hoist([...runIn, 'head', '-c', '10'], { input: Buffer.alloc(5_000_000, 'x') });
    assert.deepEqual([some.code, some.stdout], [0, 'xxxxxxxxxx']);
  });

  check('a program that outlives its last output, or leaves a child that holds the pipe', async (world) => {
    const closing = await world.hoist([...run, 'sh', '-c', 'echo first; exec >&- 2>&-; sleep 0.3; exit 4']);
    assert.deepEqual([closing.code, closing.stdout], [4, 'first\n']);
    const before = Date.now();
    const leaving = await world.hoist([...run, 'sh', '-c', 'sleep 50 & echo gone']);
    assert.deepEqual([leaving.code, leaving.stdout], [0, 'gone\n']);
    assert.ok(Date.now() - before < 20_000);
  });

  check('-a selects the streams', async (world) => {
    const script = ['busybox', 'sh', '-c', 'echo out; echo err >&2'];
    const only = async (...flags: string[]) => {
      const { stdout, stderr } = await world.hoist(['run', '--rm', ...flags, ...script]);
      return [stdout, stderr];
    };
    assert.deepEqual(await only('-a', 'stdout'), ['out\n', '']);
    assert.deepEqual(await only('-a', 'stderr'), ['', 'err\n']);
    assert.deepEqual(await only('-a', 'stdout', '-a', 'stderr'), ['out\n', 'err\n']);
    const fed = await world.hoist(['run', '--rm', '-i', '-a', 'stdin', '-a', 'stdout', 'busybox', 'cat'], {
      input: 'fed',
    });
    assert.equal(fed.stdout, 'fed');
  });

  check('attach: to what runs, by several at once; the exit code', async (world) => {
    await world.ok([
      'run',
      '-di',
      '--name',
      'echo',
      'busybox',
      'sh',
      '-c',
      'while read line; do echo "got $line"; [ "$line" = end ] && exit 6; done',
    ]);
    const watcher = world.startHoist(['attach', '--no-stdin', 'echo']);
    const writer = world.startHoist(['attach', 'echo']);
    await eventually('both are there', async () => {
      writer.send('x\n');
      await new Promise((resolve) => setTimeout(resolve, 50));
      return watcher.said().includes('got x') && writer.said().includes('got x');
    });
    writer.send('one\nend\n');
    const ends = await Promise.all([watcher.ended, writer.ended]);
    for (const { code, stdout } of ends) {
      assert.equal(code, 6);
      assert.match(stdout, /got one\ngot end\n$/);
    }
    await world.ok(['rm', 'echo']);
  });

  check('the same without an engine: HOIST_NO_ENGINE=1 carries bytes too', async (world) => {
    await world.ok(['engine', 'stop']);
    const alone = { env: { HOIST_NO_ENGINE: '1' } };
    const data = randomBytes(8_000_000);
    const back = await world.hoist([...runIn, 'sh', '-c', 'cat; echo err >&2; exit 5'], { ...alone, input: data });
    assert.deepEqual([back.code, back.stderr, hash(back.bytes)], [5, 'err\n', hash(data)]);
    assert.equal((await world.hoist(['engine', 'status'])).code, 3);
  });
});
