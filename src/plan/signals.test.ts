import assert from 'node:assert/strict';
import { constants } from 'node:os';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import { parseSignal, signalName } from './signals.ts';

test('names agree with this machine', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    if (name === 'SIGUNUSED') continue;
    assert.equal(parseSignal(name), number, name);
  }
});

test('every spelling', () => {
  for (const text of ['SIGKILL', 'sigkill', 'KILL', 'kill', '9']) assert.equal(parseSignal(text), 9);
  assert.equal(parseSignal('RTMIN'), 34);
  assert.equal(parseSignal('SIGRTMIN+3'), 37);
  assert.equal(parseSignal('rtmax-1'), 63);
  assert.equal(parseSignal('SIGRTMAX'), 64);
});

test('what is no signal is refused', () => {
  for (const text of [
    '',
    '0',
    '65',
    '-9',
    'SIG',
    'FOO',
    'RTMIN-1',
    'RTMAX+1',
    'RTMIN+31',
    'constructor',
    '9 ',
    '1e1',
  ]) {
    assert.throws(
      () => parseSignal(text),
      (error) => isHoistError(error, 'signal.invalid'),
      text,
    );
  }
});

test('numbers back to names', () => {
  for (let number = 1; number <= 64; number++) {
    const name = signalName(number);
    assert.equal(parseSignal(name), number);
    if (number !== 32 && number !== 33) assert.match(name, /^SIG/);
  }
});
