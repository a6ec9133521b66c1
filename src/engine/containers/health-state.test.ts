import assert from 'node:assert/strict';
import test from 'node:test';
import type { Health, HealthResult } from '../../spec/docker/container.ts';
import { afterProbe, nextProbeIn, probingOf, second } from './health-state.ts';

const result = (ExitCode: number): HealthResult => ({ Start: '', End: '', ExitCode, Output: '' });
const fresh: Health = { Status: 'starting', FailingStreak: 0, Log: [] };

function probing(config: Parameters<typeof probingOf>[0] = {}) {
  const found = probingOf({ Test: ['CMD', 'true'], ...config });
  if (!found) assert.fail('no probing');
  return found;
}

test("Docker's defaults; NONE and nothing are none", () => {
  const { test: command, ...rest } = probing();
  assert.deepEqual(command, ['CMD', 'true']);
  assert.deepEqual(rest, { interval: 30000, timeout: 30000, startPeriod: 0, startInterval: 5000, retries: 3 });
  assert.equal(probingOf({ Test: ['NONE'] }), undefined);
  assert.equal(probingOf({ Interval: second }), undefined);
  assert.equal(probingOf(undefined), undefined);
});

test('so many failures in a row; one success mends all', () => {
  let health = fresh;
  const statuses = [1, 1, 1, 1, 0, 2, 0].map((code) => {
    health = afterProbe(health, result(code), probing(), 1000);
    return `${health.Status} ${health.FailingStreak}`;
  });
  assert.deepEqual(statuses, [
    'starting 1',
    'starting 2',
    'unhealthy 3',
    'unhealthy 4',
    'healthy 0',
    'healthy 1',
    'healthy 0',
  ]);
  assert.equal(health.Log?.length, 5);
});

test('failures within the start period do not count, until the first success', () => {
  const slow = probing({ StartPeriod: 10 * second, StartInterval: second, Interval: 20 * second, Retries: 1 });
  assert.equal(afterProbe(fresh, result(1), slow, 9999).FailingStreak, 0);
  assert.equal(afterProbe(fresh, result(1), slow, 10000).Status, 'unhealthy');
  const well = afterProbe(fresh, result(0), slow, 1000);
  assert.equal(afterProbe(well, result(1), slow, 2000).Status, 'unhealthy');
  assert.deepEqual(
    [nextProbeIn(fresh, slow, 500), nextProbeIn(well, slow, 500), nextProbeIn(fresh, slow, 10000)],
    [1000, 20000, 20000],
  );
});
