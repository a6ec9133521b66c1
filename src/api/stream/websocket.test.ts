import assert from 'node:assert/strict';
import test from 'node:test';
import { messageReader, opcodes, webFrame } from './websocket-frames.ts';

/** As a client sends it. */
function masked(opcode: number, bytes: Buffer, final = true): Buffer {
  const frame = webFrame(opcode, bytes);
  const head = frame.length - bytes.length;
  const mask = Buffer.from([1, 2, 3, 4]);
  frame[0] = (frame[0] ?? 0) & (final ? 0xff : 0x7f);
  frame[1] = (frame[1] ?? 0) | 0x80;
  const body = Buffer.from(bytes.map((byte, i) => byte ^ (mask[i & 3] ?? 0)));
  return Buffer.concat([frame.subarray(0, head), mask, body]);
}

function read(bytes: Buffer, size = bytes.length): { data: string; events: string[] } {
  let data = '';
  const events: string[] = [];
  const take = messageReader({
    onData: (part) => {
      data += part.toString('latin1');
    },
    onPing: (part) => void events.push(`ping ${part}`),
    onClose: () => void events.push('close'),
    onError: (code) => void events.push(`error ${code}`),
  });
  for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
  return { data, events };
}

test('messages of every length, in one frame or several, with pings between', () => {
  const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(70_000)];
  const bytes = Buffer.concat([
    ...texts.map((text) => masked(opcodes.binary, Buffer.from(text))),
    masked(opcodes.text, Buffer.from('x'), false),
    masked(opcodes.ping, Buffer.from('are you there')),
    masked(opcodes.more, Buffer.from('y')),
    masked(opcodes.close, Buffer.from([3, 232])),
    masked(opcodes.binary, Buffer.from('after the end')),
  ]);
  for (const size of [1, 7, 4096, bytes.length]) {
    assert.deepEqual(read(bytes, size), { data: `${texts.join('')}xy`, events: ['ping are you there', 'close'] });
  }
});

test('what breaks the rules ends the connection', () => {
  const bad: readonly (readonly [string, Buffer])[] = [
    ['not masked', webFrame(opcodes.binary, Buffer.from('x'))],
    ['a reserved bit', Buffer.from([0xc2, 0x80, 0, 0, 0, 0])],
    ['an unknown opcode', masked(5, Buffer.from('x'))],
    ['a long ping', masked(opcodes.ping, Buffer.alloc(126))],
    ['a ping in parts', masked(opcodes.ping, Buffer.from('x'), false)],
    ['a part of nothing', masked(opcodes.more, Buffer.from('x'))],
    ['a length beyond all numbers', Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])],
  ];
  for (const [what, bytes] of bad) assert.deepEqual(read(bytes), { data: '', events: ['error 1002'] }, what);
});
