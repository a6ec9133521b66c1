// logs: everything, in time, while it is written, across rotations.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { busybox, eventually, inWorld } from './world.ts';

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

inWorld('logs', { prepare: busybox }, (check) => {
  check('stdout to stdout, stderr to stderr, --tail, -n 0, after the end and the restart', async (world) => {
    await world.ok(['run', '--name', 'two', 'busybox', 'sh', '-c', 'seq 1 50; echo oops >&2; printf "no newline"']);
    const all = await world.hoist(['logs', 'two']);
    assert.deepEqual([all.stdout, all.stderr], [`${numbered(1, 50)}no newline`, 'oops\n']);
    const tail = await world.hoist(['logs', '--tail', '3', 'two']);
    assert.deepEqual([tail.stdout, tail.stderr], ['50\nno newline', 'oops\n']);
    assert.equal((await world.hoist(['logs', '-n', '0', 'two'])).stdout, '');
    await world.ok(['start', 'two']);
    await world.ok(['wait', 'two']);
    assert.equal((await world.hoist(['logs', 'two'])).stdout.match(/^25$/gm)?.length, 2);
    await world.ok(['rm', 'two']);
  });

  check('all 256 bytes, and lines of a megabyte', async (world) => {
    const script =
      'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %03o $i)"; i=$((i+1)); done; head -c 1000000 /dev/zero | tr "\\0" x; echo; echo end';
    const direct = await world.hoist(['run', '--name', 'bytes', 'busybox', 'sh', '-c', script]);
    assert.equal(direct.bytes.length, 256 + 1_000_000 + 5);
    const logged = await world.hoist(['logs', 'bytes']);
    assert.ok(logged.bytes.equals(direct.bytes));
    assert.equal((await world.hoist(['logs', '--tail', '1', 'bytes'])).stdout, 'end\n');
    assert.equal((await world.hoist(['logs', '--tail', '2', 'bytes'])).bytes.length, direct.bytes.length - 11);
    await world.ok(['rm', 'bytes']);
  });

  check('-t, --since, --until', async (world) => {
    await world.ok(['run', '--name', 'times', 'busybox', 'sh', '-c', 'echo a; sleep 1.2; echo b']);
    const stamped = (await world.ok(['logs', '-t', 'times'])).split('\n').map((line) => line.split(' '));
    assert.deepEqual(
      stamped.map(([, text]) => text),
      ['a', 'b'],
    );
    const times = stamped.map(([time]) => time ?? '');
    for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    assert.equal(await world.ok(['logs', '--since', times[1] ?? '', 'times']), 'b');
    assert.equal(await world.ok(['logs', '--until', times[0] ?? '', 'times']), 'a');
    assert.equal(await world.ok(['logs', '--since', '1h', 'times']), 'a\nb');
    await world.ok(['rm', 'times']);
  });

  check('-f: what was, what comes, and the end with the container', async (world) => {
    await world.ok(['run', '-di', '--name', 'live', 'busybox', 'cat']);
    const writer = world.startHoist(['attach', 'live']);
    writer.send('before\n');
    await eventually('the first line is logged', async () => (await world.ok(['logs', 'live'])) === 'before');
    const readers = [world.startHoist(['logs', '-f', 'live']), world.startHoist(['logs', '-f', '--tail', '0', 'live'])];
    await readers[0]?.until(/before\n/);
    await new Promise((resolve) => setTimeout(resolve, 300));
    writer.send('after\n');
    for (const reader of readers) await reader.until(/after\n/);
    await world.ok(['kill', 'live']);
    const [all, fresh] = await Promise.all(readers.map((reader) => reader.ended));
    assert.deepEqual([all?.stdout, fresh?.stdout], ['before\nafter\n', 'after\n']);
    await world.ok(['rm', 'live']);
  });

  check('-f of much that comes fast misses nothing and repeats nothing', async (world) => {
    await world.ok(['run', '-d', '--name', 'fast', 'busybox', 'sh', '-c', 'sleep 0.2; seq 1 100000']);
    const { stdout } = await world.hoist(['logs', '-f', 'fast']);
    assert.equal(stdout, numbered(1, 100_000));
    await world.ok(['rm', 'fast']);
  });

  check('rotation: --log-opt max-size and max-file bound what is kept; the newest is there, whole', async (world) => {
    const id = await world.ok([
      'run',
      '-d',
      '--name',
      'turn',
      '--log-opt',
      'max-size=100k',
      '--log-opt',
      'max-file=3',
      'busybox',
      'seq',
      '1',
      '20000',
    ]);
    await world.ok(['wait', 'turn']);
    const files = readdirSync(path.join(world.root, 'containers', id)).filter((name) => /^log/.test(name));
    assert.deepEqual(files.sort(), ['log', 'log.1', 'log.2']);
    const kept = (await world.ok(['logs', 'turn'])).split('\n').map(Number);
    assert.equal(kept.at(-1), 20_000);
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, i) => 20_000 - kept.length + 1 + i),
    );
    assert.ok(kept.length > 2000 && kept.length < 15_000, `${kept.length} lines`);
    await world.ok(['rm', 'turn']);
  });

  for (const files of [1, 2, 5]) {
    check(`-f goes on across rotations with ${files} file(s)`, async (world) => {
      const script = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; [ $((i % 100)) = 0 ] && sleep 0.02; done';
      await world.ok([
        'run',
        '-d',
        '--name',
        'on',
        '--log-opt',
        'max-size=20k',
        '--log-opt',
        `max-file=${files}`,
        'busybox',
        'sh',
        '-c',
        script,
      ]);
      const { stdout } = await world.hoist(['logs', '-f', 'on']);
      const lines = stdout.trim().split('\n').map(Number);
      assert.equal(lines.at(-1), 3000);
      for (let i = 1; i < lines.length; i++)
        assert.ok((lines[i] ?? 0) > (lines[i - 1] ?? 0), `${lines[i]} after ${lines[i - 1]}`);
      if (files > 1)
        assert.deepEqual(
          lines,
          Array.from({ length: 3000 }, (_, i) => i + 1),
        );
      await world.ok(['rm', 'on']);
    });
  }

  check('--log-driver none; a driver that is not built; options that mean nothing', async (world) => {
    await world.ok(['run', '--name', 'mute', '--log-driver', 'none', 'busybox', 'echo', 'x']);
    const unread = await world.hoist(['logs', 'mute']);
    assert.deepEqual([unread.code, /does not support reading/.test(unread.stderr)], [1, true]);
    await world.ok(['rm', 'mute']);
    for (const flags of [
      ['--log-driver', 'splunk'],
      ['--log-opt', 'max-size=lots'],
      ['--log-opt', 'max-file=0'],
    ]) {
      assert.equal((await world.hoist(['run', '--rm', ...flags, 'busybox', 'true'])).code, 125, flags.join(' '));
    }
  });
});
