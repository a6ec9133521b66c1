import assert from 'node:assert/strict';
import test from 'node:test';
import { type EndedRun, restartDelay } from './restart-policy.ts';

const failed: EndedRun = { exitCode: 1, restartCount: 0, manuallyStopped: false, ranMs: 5, lastDelay: 0 };
const policy = (Name: string, MaximumRetryCount = 0) => ({ Name, MaximumRetryCount });

test('who is started again', () => {
  const wants = (name: string, run: Partial<EndedRun>, max = 0): boolean =>
    restartDelay(policy(name, max), { ...failed, ...run }) !== undefined;
  assert.equal(wants('', {}), false);
  assert.equal(wants('no', {}), false);
  assert.equal(wants('always', { exitCode: 0, manuallyStopped: true }), true);
  assert.equal(wants('unless-stopped', { exitCode: 0 }), true);
  assert.equal(wants('unless-stopped', { manuallyStopped: true }), false);
  assert.equal(wants('on-failure', {}), true);
  assert.equal(wants('on-failure', { exitCode: 0 }), false);
  assert.equal(wants('on-failure', { restartCount: 1000 }), true);
  assert.equal(wants('on-failure', { restartCount: 2 }, 3), true);
  assert.equal(wants('on-failure', { restartCount: 3 }, 3), false);
});

test('100 ms, doubled each time up to a minute, and anew after ten seconds of running', () => {
  const delays: number[] = [];
  for (let lastDelay = 0; delays.length < 12; ) {
    lastDelay = restartDelay(policy('always'), { ...failed, lastDelay }) ?? 0;
    delays.push(lastDelay);
  }
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  assert.equal(restartDelay(policy('always'), { ...failed, lastDelay: 60000, ranMs: 10_000 }), 100);
});
