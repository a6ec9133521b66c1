import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import {
  contains,
  formatAddress,
  formatMac,
  macOf,
  networkOf,
  overlaps,
  parseAddress,
  parsePrefix,
} from './address.ts';
import { chooseSubnet, createPool, firstAddress } from './ipam.ts';

const code = (name: string) => (error: unknown) => isHoistError(error, name);

test('addresses between text and bytes', () => {
  const pairs = {
    '172.17.0.2': '172.17.0.2',
    '::': '::',
    '::1': '::1',
    'fd00:0:0::1': 'fd00::1',
    '2001:DB8:0:1:0:0:0:1': '2001:db8:0:1::1',
    '::ffff:10.0.0.1': '::ffff:a00:1',
    '1:2:3:4:5:6:7:8': '1:2:3:4:5:6:7:8',
    'fe80::': 'fe80::',
    '1:0:0:2:0:0:0:3': '1:0:0:2::3',
  };
  for (const [text, canonical] of Object.entries(pairs)) {
    const bytes = parseAddress(text);
    assert.ok(bytes, text);
    assert.equal(formatAddress(bytes), canonical);
    assert.deepEqual(parseAddress(formatAddress(bytes)), bytes);
  }
  for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', 'fe80::1%eth0', ':::', '1:2', 'localhost'])
    assert.equal(parseAddress(text), undefined, text);
  assert.equal(formatMac(macOf(Uint8Array.of(172, 17, 0, 2))), '02:42:ac:11:00:02');
});

test('subnets', () => {
  assert.deepEqual([...networkOf(parsePrefix('172.17.9.9/20')).address], [172, 17, 0, 0]);
  assert.ok(contains(parsePrefix('10.0.0.0/8'), Uint8Array.of(10, 255, 255, 255)));
  assert.ok(!contains(parsePrefix('10.0.0.0/9'), Uint8Array.of(10, 128, 0, 0)));
  assert.ok(overlaps(parsePrefix('172.16.0.0/12'), parsePrefix('172.17.0.0/16')));
  assert.ok(!overlaps(parsePrefix('172.18.0.0/16'), parsePrefix('172.17.0.0/16')));
  assert.ok(!overlaps(parsePrefix('fd00::/8'), parsePrefix('172.17.0.0/16')));
  for (const text of ['172.17.0.0', '172.17.0.0/33', 'x/8', '/8'])
    assert.throws(() => parsePrefix(text), code('network.bad_subnet'), text);
});

test('the first default subnet that collides with nothing here', () => {
  assert.deepEqual(chooseSubnet([]), parsePrefix('172.17.0.0/16'));
  assert.deepEqual(
    chooseSubnet([parsePrefix('172.17.5.0/24'), parsePrefix('172.18.0.1/32')]),
    parsePrefix('172.19.0.0/16'),
  );
  assert.deepEqual(chooseSubnet([parsePrefix('172.16.0.0/12')]), parsePrefix('192.168.0.0/20'));
  assert.throws(
    () => chooseSubnet([parsePrefix('172.16.0.0/12'), parsePrefix('192.168.0.0/16')]),
    code('network.no_subnet'),
  );
  assert.equal(formatAddress(firstAddress(parsePrefix('172.17.0.0/16'))), '172.17.0.1');
});

test('every address once, never the network, the broadcast or the gateway', () => {
  const pool = createPool({ subnet: parsePrefix('10.0.0.0/29'), gateway: '10.0.0.1', network: 'bridge' });
  const all = Array.from({ length: 5 }, () => pool.allocate());
  assert.deepEqual(all, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  assert.throws(() => pool.allocate(), code('network.no_addresses'));
  pool.release('10.0.0.4');
  assert.equal(pool.allocate(), '10.0.0.4');
  for (const address of ['10.0.0.0', '10.0.0.1', '10.0.0.7']) {
    pool.release(address);
    assert.throws(() => pool.allocate(), code('network.no_addresses'), `${address} stays kept`);
  }
});

test('an address that was just given back is not the next one', () => {
  const pool = createPool({ subnet: parsePrefix('172.17.0.1/16'), gateway: '172.17.0.1', network: 'bridge' });
  assert.equal(pool.allocate(), '172.17.0.2');
  pool.release('172.17.0.2');
  assert.equal(pool.allocate(), '172.17.0.3');
});

test('reserving: what a running container holds, or a user asks for', () => {
  const pool = createPool({ subnet: parsePrefix('172.17.0.0/16'), gateway: '172.17.0.1', network: 'bridge' });
  pool.reserve('172.17.0.2');
  assert.equal(pool.allocate(), '172.17.0.3');
  assert.throws(() => pool.reserve('172.17.0.2'), code('network.address_in_use'));
  assert.throws(() => pool.reserve('172.17.0.1'), code('network.address_in_use'));
  assert.throws(() => pool.reserve('172.18.0.2'), code('network.bad_address'));
  assert.throws(() => pool.reserve('fd00::2'), code('network.bad_address'));
});

test('an address that was looked at and not used is the next one again', () => {
  const pool = createPool({ subnet: parsePrefix('10.0.0.0/24'), gateway: '10.0.0.1', network: 'n' });
  const [first, second] = [pool.allocate(), pool.allocate()];
  pool.forget(second);
  assert.equal(pool.allocate(), second);
  pool.forget(first);
  assert.notEqual(pool.allocate(), first);
});
