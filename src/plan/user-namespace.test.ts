import assert from 'node:assert/strict';
import test from 'node:test';
import { op } from './ops.ts';
import { adaptPlan } from './user-namespace.ts';

const facts = { uids: 65537, gids: 65537, groups: true, network: undefined };

test('what root alone may do is left out, and failures still name the op that was planned', () => {
  const close = op('close', { slot: 'cgroup' }, '');
  const filter = op('deviceFilter', { cgroup: 'cgroup', program: new Uint8Array() }, '');
  const { plan, origin } = adaptPlan({ setup: [filter, close], child: [], cleanup: [] }, facts);
  assert.deepEqual(plan.setup, [close]);
  assert.deepEqual(origin.setup, [1]);
});
