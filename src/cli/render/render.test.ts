// Tables, sizes, times, ports and bars.

import assert from 'node:assert/strict';
import test from 'node:test';
import { humanDuration } from '../../base/duration.ts';
import { displayPorts } from './ports.ts';
import { bar } from './progress.ts';
import { bytesSize, humanSize } from './size.ts';
import { alignTable } from './table.ts';
import { ellipsis, shortId } from './text.ts';
import { localTime } from './time.ts';

test('columns are ten wide at least, three apart, and a last cell is in none', () => {
  assert.equal(
    alignTable(['A\tB\tC', 'a\tlonger than ten\tc']),
    'A         B                 C\na         longer than ten   c\n',
  );
  assert.equal(alignTable(['é\tx', 'ab\ty']), 'é         x\nab        y\n');
  assert.equal(alignTable(['a', '']), 'a\n\n');
});

test('a line without a column ends the block that shares its width', () => {
  assert.equal(alignTable(['aaaaaaaaaaaaaaa\tb', 'plain', 'c\td']), 'aaaaaaaaaaaaaaa   b\nplain\nc         d\n');
});

test('sizes are decimal for what is stored and binary for what is limited', () => {
  const sizes = { 0: '0B', 999: '999B', 1000: '1kB', 1234567: '1.235MB', 192345678: '192.3MB', 5e12: '5TB' };
  for (const [bytes, text] of Object.entries(sizes)) assert.equal(humanSize(Number(bytes)), text);
  assert.equal(humanSize(192345678, 3), '192MB');
  assert.equal(humanSize(4261550, 3), '4.26MB');
  assert.equal(bytesSize(536870912), '512MiB');
});

test('durations get rounder with age', () => {
  const ages = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [119, 'About a minute'],
    [120, '2 minutes'],
    [3599, '59 minutes'],
    [3600, 'About an hour'],
    [5400, '2 hours'],
    [47 * 3600, '47 hours'],
    [48 * 3600, '2 days'],
    [13 * 86400, '13 days'],
    [14 * 86400, '2 weeks'],
    [60 * 86400, '2 months'],
    [729 * 86400, '24 months'],
    [730 * 86400, '2 years'],
  ] as const;
  for (const [seconds, text] of ages) assert.equal(humanDuration(seconds), text, String(seconds));
});

test("times print as Go's do", () => {
  assert.match(localTime(1700000000), /^2023-11-1[45] \d\d:\d\d:20 [+-]\d{4} \S+$/);
});

test('ports that follow each other are told as a range', () => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
    PrivatePort,
    Type: 'tcp',
    ...(PublicPort === undefined ? {} : { PublicPort }),
    ...(IP === undefined ? {} : { IP }),
  });
  assert.equal(displayPorts([port(82), port(80), port(81), port(90)]), '80-82/tcp, 90/tcp');
  assert.equal(displayPorts([port(80, 80, '0.0.0.0'), port(81, 81, '0.0.0.0')]), '0.0.0.0:80-81->80-81/tcp');
  assert.equal(displayPorts([port(80, 8080, '::')]), '[::]:8080->80/tcp');
  assert.equal(displayPorts([]), '');
});

test('bars fill with the work, and give way on a narrow terminal', () => {
  assert.equal(bar(0, 10, 120), '');
  assert.equal(bar(5e6, 10e6, 120), `[${'='.repeat(25)}>${' '.repeat(25)}]      5MB/10MB`);
  assert.equal(bar(10e6, 10e6, 120), `[${'='.repeat(50)}>]     10MB/10MB`);
  assert.equal(bar(5e6, 10e6, 60), '     5MB/10MB');
  assert.equal(bar(5e6, undefined, 120), '     5MB');
});

test('long texts end in an ellipsis, ids have twelve digits', () => {
  assert.deepEqual(
    [ellipsis('abcdef', 4), ellipsis('abcd', 4), shortId(`sha256:${'a'.repeat(64)}`)],
    ['abc…', 'abcd', 'aaaaaaaaaaaa'],
  );
});
