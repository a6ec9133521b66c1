import assert from 'node:assert/strict';
import test from 'node:test';
import { tee } from './tee.ts';

async function* numbers(count: number, taken: { n: number } = { n: 0 }): AsyncGenerator<Uint8Array> {
  for (; taken.n < count; taken.n++) yield Buffer.alloc(1 << 20, taken.n);
}

async function firstBytes(source: AsyncIterable<Uint8Array>): Promise<readonly (number | undefined)[]> {
  const seen: (number | undefined)[] = [];
  for await (const chunk of source) seen.push(chunk[0]);
  return seen;
}

test('every branch gets every byte, in order', async () => {
  const branches = tee(numbers(20), 3);
  const all = await Promise.all(branches.map(firstBytes));
  for (const seen of all)
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => i),
    );
});

test('a slow reader holds the source back', async () => {
  const taken = { n: 0 };
  const [fast, slow] = tee(numbers(100, taken), 2);
  assert.ok(fast && slow);
  void firstBytes(fast);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(taken.n <= 5, `${taken.n} chunks were taken ahead`);
  assert.equal((await firstBytes(slow)).length, 100);
});

test('a branch that is closed, or never read, does not hold the others', async () => {
  const [read, left, never] = tee(numbers(30), 3);
  assert.ok(read && left && never);
  never.close();
  const leaving = (async () => {
    for await (const chunk of left) if (chunk[0] === 3) break;
  })();
  assert.equal((await firstBytes(read)).length, 30);
  await leaving;
});

test('a source that fails fails every reader', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1);
    throw new Error('broken');
  }
  const results = await Promise.allSettled(tee(broken(), 2).map(firstBytes));
  assert.ok(results.every((result) => result.status === 'rejected' && /broken/.test(String(result.reason))));
});
