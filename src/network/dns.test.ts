import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { addressOfReverse, answers, dnsCode, dnsType, readQuestion, writeAnswer, writeRefusal } from './dns-message.ts';

/** A query as resolvers send it. */
function query(name: string, type: number = dnsType.A, id = 0x1234): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from('000001000001000000000000', 'hex');
  header.writeUInt16BE(id, 0);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

const asked = (message: Uint8Array) => readQuestion(message) ?? assert.fail('no question');

test('the question of a query, whatever its capitals', () => {
  const { id, name, type, recursionDesired } = asked(query('Web.Example', dnsType.AAAA));
  assert.deepEqual([id, name, type, recursionDesired], [0x1234, 'web.example', dnsType.AAAA, true]);
});

test('an answer repeats the question as it came, and points at its name', () => {
  const question = asked(query('WeB'));
  const answer = writeAnswer(question, { code: dnsCode.ok, addresses: [Uint8Array.of(172, 18, 0, 2)] });
  const head = '123481800001000100000000';
  const record = 'c00c0001000100000258' + '0004ac120002';
  assert.equal(Buffer.from(answer).toString('hex'), `${head}03576542000001` + `0001${record}`);
  const pointer = writeAnswer(asked(query('2.0.18.172.in-addr.arpa', dnsType.PTR)), { code: 0, names: ['web.net'] });
  assert.match(Buffer.from(pointer).toString('hex'), /c00c000c000100000258000903776562036e657400$/);
  const empty = writeAnswer(asked(query('web', dnsType.AAAA)), { code: dnsCode.ok });
  assert.equal(Buffer.from(empty).readUInt16BE(6), 0);
});

test('the name of an address', () => {
  assert.equal(addressOfReverse('2.0.18.172.in-addr.arpa'), '172.18.0.2');
  for (const name of ['0.18.172.in-addr.arpa', 'web', '2.0.18.172.in-addr.arpa.x', 'x.0.18.172.in-addr.arpa'])
    assert.equal(addressOfReverse(name), undefined);
});

test('what is no question is none, and no bytes make the reader fail', () => {
  const good = query('web.example');
  const answer = Buffer.from(good).fill(0x80, 2, 3);
  const pointer = Buffer.concat([good.subarray(0, 12), Buffer.from('c00c00010001', 'hex')]);
  const two = Buffer.from(good).fill(2, 5, 6);
  const endless = Buffer.concat([good.subarray(0, 12), Buffer.alloc(600, 1)]);
  for (const bad of [answer, pointer, two, endless, good.subarray(0, 20), good.subarray(0, -1), Buffer.alloc(0)])
    assert.equal(readQuestion(bad), undefined);
  assert.equal(writeRefusal(Buffer.alloc(3), dnsCode.formatError), undefined);
  assert.equal(
    writeRefusal(answer, dnsCode.formatError),
    undefined,
    'an answer is never answered: two servers would talk for ever',
  );
  assert.equal(Buffer.from(writeRefusal(two, dnsCode.formatError) ?? []).toString('hex'), '123480810000000000000000');
  for (let round = 0; round < 2000; round++) {
    const bytes = randomBytes(round % 80);
    const mixed = Buffer.concat([good.subarray(0, round % 20), bytes]);
    const question = readQuestion(mixed);
    if (question) writeAnswer(question, { code: dnsCode.ok });
  }
});

test('an answer that somebody else sent is not taken for ours', () => {
  const question = asked(query('web.example'));
  const real = Buffer.from(writeAnswer({ ...question, id: 7 }, { code: dnsCode.ok }));
  assert.ok(answers(real, 7, question));
  assert.ok(!answers(real, 8, question));
  assert.ok(!answers(query('web.example', dnsType.A, 7), 7, question));
  assert.ok(!answers(Buffer.from(writeAnswer({ ...asked(query('bad.example')), id: 7 }, { code: 0 })), 7, question));
});
