import assert from 'node:assert/strict';
import test from 'node:test';
import { rowsOf } from './top.ts';

test('rows of these processes alone; what the last column has of blanks stays in it', () => {
  const text =
    'UID   PID  PPID CMD\nroot    1     0 /sbin/init a\nroot   77     1 sh -c  sleep 5\nroot   78    77 sleep 5\n';
  assert.deepEqual(rowsOf(text, new Set([77, 78])), {
    Titles: ['UID', 'PID', 'PPID', 'CMD'],
    Processes: [
      ['root', '77', '1', 'sh -c sleep 5'],
      ['root', '78', '77', 'sleep 5'],
    ],
  });
});

test('threads, where ps was asked for them: rows that follow their process', () => {
  const text = 'PID LWP CMD\n7 - a\n- 7 -\n- 8 -\n9 - b\n- 9 -\n';
  assert.deepEqual(rowsOf(text, new Set([7])).Processes, [
    ['7', '-', 'a'],
    ['-', '7', '-'],
    ['-', '8', '-'],
  ]);
});

test('without a PID nobody can tell whose rows they are', () => {
  assert.throws(() => rowsOf('COMMAND\nsh\n', new Set([1])), { code: 'top.no_pid' });
});
