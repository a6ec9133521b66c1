import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import { assignPorts, hostPorts, type PortsInUse, type PublishedPort } from './ports.ts';

const free: PortsInUse = { held: [], host: () => new Set() };
const request = { bindings: {}, exposed: {}, publishAll: false, ipv6: false };
const bind = (HostPort: string, HostIp = ''): { HostIp: string; HostPort: string }[] => [{ HostIp, HostPort }];
const tcp = (hostPort: number, hostIp = '0.0.0.0'): PublishedPort => ({
  containerPort: 1,
  protocol: 'tcp',
  hostIp,
  hostPort,
});
const refused = (code: string, message: string | RegExp) => (error: unknown) =>
  isHoistError(error, code) && (typeof message === 'string' ? error.message === message : message.test(error.message));

test('exact ports, with address and protocol', () => {
  assert.deepEqual(
    assignPorts({ ...request, bindings: { '80/tcp': bind('8080'), '53/udp': bind('5353', '127.0.0.1') } }, free),
    [
      { containerPort: 53, protocol: 'udp', hostIp: '127.0.0.1', hostPort: 5353 },
      { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
    ],
  );
});

test('a port that another container has is refused in the words of Docker', () => {
  const held = { ...free, held: [tcp(8080)] };
  const ask = (binding: { HostIp: string; HostPort: string }[], spec = '80/tcp') =>
    assignPorts({ ...request, bindings: { [spec]: binding } }, held);
  assert.throws(
    () => ask(bind('8080')),
    refused('port.allocated', 'Bind for 0.0.0.0:8080 failed: port is already allocated'),
  );
  assert.throws(
    () => ask(bind('8080', '127.0.0.1')),
    refused('port.allocated', 'Bind for 127.0.0.1:8080 failed: port is already allocated'),
  );
  assert.equal(ask(bind('8080'), '80/udp').length, 1, 'another protocol');
  const elsewhere = { ...free, held: [tcp(8080, '127.0.0.1')] };
  assert.equal(
    assignPorts({ ...request, bindings: { '80/tcp': bind('8080', '127.0.0.2') } }, elsewhere).length,
    1,
    'another address',
  );
  assert.throws(
    () => assignPorts({ ...request, bindings: { '80/tcp': bind('8080') } }, elsewhere),
    refused('port.allocated', /0\.0\.0\.0:8080/),
  );
});

test('one request cannot have one port twice', () => {
  const bindings = { '80/tcp': bind('8080'), '81/tcp': bind('8080') };
  assert.throws(
    () => assignPorts({ ...request, bindings }, free),
    refused('port.allocated', /port is already allocated/),
  );
});

test('a range gives its first free port; what is asked for exactly goes first', () => {
  const inUse: PortsInUse = { held: [tcp(8000)], host: (protocol) => new Set(protocol === 'tcp' ? [8001] : []) };
  const got = assignPorts({ ...request, bindings: { '80/tcp': bind('8000-8003'), '81/tcp': bind('8002') } }, inUse);
  assert.deepEqual(
    got.map((one) => one.hostPort),
    [8003, 8002],
  );
  assert.throws(
    () => assignPorts({ ...request, bindings: { '80/tcp': bind('8000-8001') } }, inUse),
    refused('port.allocated', 'Bind for 0.0.0.0:8000-8001 failed: all ports are allocated'),
  );
});

test('-P publishes what is exposed and not bound, on dynamic ports that nobody has', () => {
  const inUse: PortsInUse = { held: [tcp(49153)], host: () => new Set([49154]) };
  const got = assignPorts(
    {
      ...request,
      bindings: { '80/tcp': bind('8080') },
      exposed: { '80/tcp': {}, '443/tcp': {}, '444/tcp': {} },
      publishAll: true,
    },
    inUse,
  );
  assert.deepEqual(
    got.map((one) => [one.containerPort, one.hostPort]),
    [
      [80, 8080],
      [443, 49155],
      [444, 49156],
    ],
  );
  assert.deepEqual(assignPorts({ ...request, exposed: { '80/tcp': {} } }, free), []);
  for (const any of ['', '0'])
    assert.equal(assignPorts({ ...request, bindings: { '80': bind(any) } }, free)[0]?.hostPort, 49153);
});

test('what is no port is refused', () => {
  for (const port of ['65536', '-1', 'http', '1-', '9-8', '80/tcp', '1.5', '99999999']) {
    assert.throws(
      () => assignPorts({ ...request, bindings: { '80/tcp': bind(port) } }, free),
      refused('port.invalid', /invalid host port/),
      port,
    );
  }
  for (const spec of ['', '0/tcp', '65536/tcp', 'x/tcp', '80/']) {
    assert.throws(
      () => assignPorts({ ...request, bindings: { [spec]: bind('80') } }, free),
      refused('port.invalid', /invalid container port/),
      spec,
    );
  }
  assert.throws(
    () => assignPorts({ ...request, bindings: { '80/icmp': bind('80') } }, free),
    refused('port.invalid', 'invalid proto: icmp'),
  );
  assert.throws(
    () => assignPorts({ ...request, bindings: { '80/tcp': bind('80', 'localhost') } }, free),
    refused('port.invalid', 'invalid IP address: localhost'),
  );
  assert.throws(
    () => assignPorts({ ...request, bindings: { '80/tcp': bind('80', '::') } }, free),
    refused('port.no_ipv6', /has no IPv6 address/),
  );
});

test('ports that programs of the host have, from /proc/net', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
  10: 00000000000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000`;
  assert.deepEqual(hostPorts(table), new Set([8080, 53]));
});
