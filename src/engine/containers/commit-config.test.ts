import assert from 'node:assert/strict';
import test from 'node:test';
import { mergeRunConfig } from './commit-config.ts';

test('what was asked for wins, the container gives the rest', () => {
  const own = { Env: ['A=1', 'B=2'], Cmd: ['run'], Entrypoint: ['/e'], Labels: { x: '1', y: '1' }, User: 'u' };
  const merged = mergeRunConfig({ Env: ['B=3'], Cmd: ['other'], Labels: { y: '2' }, WorkingDir: '/w' }, own);
  assert.deepEqual(merged, {
    Env: ['B=3', 'A=1'],
    Cmd: ['other'],
    Entrypoint: ['/e'],
    Labels: { x: '1', y: '2' },
    User: 'u',
    WorkingDir: '/w',
  });
});

test('an entrypoint of its own takes the container’s command away', () => {
  const own = { Cmd: ['run'], Entrypoint: ['/e'] };
  assert.deepEqual(mergeRunConfig({ Entrypoint: ['/other'] }, own), { Cmd: [], Entrypoint: ['/other'] });
  assert.deepEqual(mergeRunConfig({}, own), own);
});
