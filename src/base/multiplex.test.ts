import assert from 'node:assert/strict';
import test from 'node:test';
import { demultiplexer, multiplexed } from './multiplex.ts';

test('frames come apart as they were put together, however the bytes are cut', () => {
  const frames: readonly (readonly [number, string])[] = [
    [1, 'out'],
    [2, ''],
    [2, 'err'.repeat(1000)],
    [88, 'end.'],
  ];
  const bytes = Buffer.concat(frames.map(([type, text]) => multiplexed(type, Buffer.from(text))));
  for (const size of [1, 3, 8, 9, 500, bytes.length]) {
    const got: [number, string][] = [];
    let open = false;
    const take = demultiplexer((type, part, left) => {
      const last = got.at(-1);
      if (open && last) last[1] += part.toString();
      else got.push([type, part.toString()]);
      open = left > 0;
    });
    for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
    assert.deepEqual(
      got,
      frames.filter(([, text]) => text !== ''),
    );
  }
});
