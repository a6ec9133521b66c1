import assert from 'node:assert/strict';
import test from 'node:test';
import {
  addAddress,
  addVeth,
  dumpLinks,
  loopbackUp,
  readAddresses,
  readLinks,
  routeOp,
  setDefaultRoute,
} from './netlink.ts';
import { attr, be16, be32, netlinkOp, readAttributes, readMessages, readU32, text, u32 } from './netlink-wire.ts';
import { publish, readPublications, setUpFirewall, unpublish } from './nftables.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ip = (text: string): Uint8Array => Uint8Array.from(text.split('.').map(Number));

test('numbers and attributes: byte order and padding', () => {
  assert.equal(hex(u32(0x01020304)), '04030201');
  assert.equal(hex(be32(0x01020304)), '01020304');
  assert.equal(hex(be16(0x1f90)), '1f90');
  const { data } = netlinkOp(0, [{ type: 16, flags: 4, body: [attr(3, text('lo'))] }], '');
  // nlmsghdr {len 24, type 16, flags REQUEST|ACK, seq 1, pid 0}, nlattr {len 7, type 3} "lo\0" and one byte of padding
  assert.equal(hex(data), '18000000100005000100000000000000' + '07000300' + '6c6f0000');
});

test('what a container does in its namespace: four messages, four acknowledgements, these bytes', () => {
  const { data, acks, patches } = routeOp(
    [loopbackUp(), addAddress(2, { address: ip('172.17.0.2'), bits: 16 }), setDefaultRoute(ip('172.17.0.1'))],
    '',
  );
  assert.equal(acks, 3);
  assert.deepEqual(patches, []);
  assert.equal(
    hex(data),
    '20000000' +
      '1000' +
      '0500' +
      '01000000' +
      '00000000' +
      '00000000' +
      '01000000' +
      '01000000' +
      '01000000' +
      '30000000' +
      '1400' +
      '0506' +
      '02000000' +
      '00000000' +
      '02100000' +
      '02000000' +
      '08000200ac110002' +
      '08000100ac110002' +
      '08000400ac11ffff' +
      '24000000' +
      '1800' +
      '0505' +
      '03000000' +
      '00000000' +
      '02000000fe030001' +
      '00000000' +
      '08000500ac110001',
  );
});

test('a veth pair is one message, with the child as a patch where the kernel reads IFLA_NET_NS_PID', () => {
  const { data, acks, patches } = routeOp(
    [addVeth({ name: 'hv0', master: 7, mtu: 1500, peer: { name: 'eth0', index: 2, mac: ip('2.66.172.17.0.2') } })],
    '',
  );
  assert.equal(acks, 1);
  const [patch] = patches;
  assert.ok(patch);
  assert.equal(patch.slot, '@child');
  assert.equal(
    hex(data.subarray(patch.offset - 4, patch.offset)),
    '08001300',
    'just behind the header of IFLA_NET_NS_PID (19)',
  );
  const [message] = readMessages(data);
  const outer = readAttributes(message?.body ?? new Uint8Array(), 16);
  assert.equal(readU32(outer.get(10)), 7);
  const peer =
    readAttributes(readAttributes(outer.get(18) ?? new Uint8Array()).get(2) ?? new Uint8Array()).get(1) ??
    new Uint8Array();
  assert.equal(readU32(peer.subarray(4)), 2, 'the index of eth0, chosen');
  assert.equal(readU32(peer.subarray(8)), 0, 'a peer that is up at once is refused by the kernel');
  assert.equal(hex(readAttributes(peer, 16).get(1) ?? new Uint8Array()), '0242ac110002');
});

test('a dump asks for no acknowledgement, and hostile answers are read without harm', () => {
  assert.equal(dumpLinks('').acks, 0);
  for (const bytes of [
    '',
    '00',
    '10000000100000000000000000000000',
    'ffffffff100000000000000000000000',
    '1400000010000000000000000000000000000000',
    '00000000100000000000000000000000',
  ]) {
    const data = Buffer.from(bytes, 'hex');
    assert.deepEqual([...readLinks(data), ...readAddresses(data), ...readPublications(data)], [], bytes);
  }
});

test('a batch: begin, work, end; the last message of the work alone is acknowledged', () => {
  const one = {
    protocol: 'tcp',
    hostAddress: undefined,
    hostPort: 8080,
    containerAddress: ip('172.17.0.2'),
    containerPort: 80,
  } as const;
  for (const op of [
    setUpFirewall('hoist'),
    publish('hoist', [one, { ...one, hostAddress: ip('127.0.0.1') }], ''),
    unpublish('hoist', [one], ''),
  ]) {
    const view = new DataView(op.data.buffer);
    const kinds: [type: number, flags: number][] = [];
    for (let at = 0; at < op.data.length; at += view.getUint32(at, true))
      kinds.push([view.getUint16(at + 4, true), view.getUint16(at + 6, true)]);
    assert.equal(kinds[0]?.[0], 16);
    assert.equal(kinds.at(-1)?.[0], 17);
    assert.deepEqual(
      kinds.map(([, flags]) => flags & 4),
      kinds.map((_, index) => (index === kinds.length - 2 ? 4 : 0)),
    );
    assert.equal(op.acks, 1);
    assert.equal(op.protocol, 12);
  }
});

test('publishing is one element: protocol, port in network order -> address, port', () => {
  const { data } = publish(
    't',
    [
      {
        protocol: 'udp',
        hostAddress: undefined,
        hostPort: 8080,
        containerAddress: ip('172.17.0.2'),
        containerPort: 53,
      },
    ],
    '',
  );
  assert.ok(hex(data).includes('11000000' + '1f900000'), 'key');
  assert.ok(hex(data).includes('ac110002' + '00350000'), 'data');
  assert.ok(Buffer.from(data).includes('anywhere4\0'));
});
