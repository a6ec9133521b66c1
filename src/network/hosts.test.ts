import assert from 'node:assert/strict';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import { hostnameFile, hostsFile, hostsFileOfHost, resolvFile, resolvFileOfHost } from './hosts.ts';

const plain = { addresses: ['172.17.0.2'], hostname: 'abc', domainname: '', extraHosts: [], hostGateway: '172.17.0.1' };
const head =
  '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n';

test('/etc/hosts: the usual names, --add-host, and the container itself', () => {
  assert.equal(hostsFile(plain), `${head}172.17.0.2\tabc\n`);
  assert.equal(hostsFile({ ...plain, addresses: [] }), head);
  assert.equal(
    hostsFile({
      ...plain,
      domainname: 'lab.example',
      extraHosts: ['db:10.0.0.5', 'v6=[fd00::1]', 'other:fd00::2', 'host.docker.internal:host-gateway'],
    }),
    `${head}10.0.0.5\tdb\nfd00::1\tv6\nfd00::2\tother\n172.17.0.1\thost.docker.internal\n172.17.0.2\tabc.lab.example abc\n`,
  );
  assert.equal(hostsFileOfHost('127.0.0.1 localhost', ['db:10.0.0.5']), '127.0.0.1 localhost\n10.0.0.5\tdb\n');
  assert.equal(hostnameFile('abc'), 'abc\n');
});

test('an --add-host cannot smuggle in a line of its own, or be none', () => {
  for (const entry of [
    'db',
    'db:',
    ':10.0.0.1',
    'db:nowhere',
    'a\nb:10.0.0.1',
    'a b:10.0.0.1',
    'db:10.0.0.1\n6.6.6.6 bank.example',
  ]) {
    assert.throws(
      () => hostsFile({ ...plain, extraHosts: [entry] }),
      (error) => isHoistError(error, 'network.bad_host'),
      entry,
    );
  }
  assert.throws(
    () => hostsFile({ ...plain, extraHosts: ['h:host-gateway'], hostGateway: undefined }),
    (error) => isHoistError(error, 'network.bad_host'),
  );
});

const resolv = { host: '', resolved: undefined, dns: [], search: [], options: [], ipv6: false };
const lines = (text: string): string[] => text.trim().split('\n').slice(1);

test('resolv.conf: the host without its loopback and unreachable nameservers', () => {
  const host =
    '# made by hand\nnameserver 127.0.0.1\nnameserver 10.0.0.1 # office\nnameserver fd00::1\nsearch a.example b.example\noptions ndots:2 timeout:1\n';
  assert.deepEqual(lines(resolvFile({ ...resolv, host })), [
    'nameserver 10.0.0.1',
    'search a.example b.example',
    'options ndots:2 timeout:1',
  ]);
  assert.deepEqual(lines(resolvFile({ ...resolv, host, ipv6: true })).slice(0, 2), [
    'nameserver 10.0.0.1',
    'nameserver fd00::1',
  ]);
});

test('resolv.conf: behind the stub of systemd-resolved are the real servers; with nothing to offer, public ones', () => {
  const host = 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n';
  const resolved = 'nameserver 192.168.1.1\nsearch home.example\n';
  assert.deepEqual(lines(resolvFile({ ...resolv, host, resolved })), ['nameserver 192.168.1.1', 'search home.example']);
  assert.deepEqual(lines(resolvFile({ ...resolv, host: 'nameserver 10.0.0.1', resolved })), ['nameserver 10.0.0.1']);
  assert.deepEqual(lines(resolvFile(resolv)), ['nameserver 8.8.8.8', 'nameserver 8.8.4.4']);
});

test('resolv.conf: --dns, --dns-search and --dns-option each replace their part', () => {
  const host = 'nameserver 10.0.0.1\nsearch a.example\noptions ndots:2\n';
  assert.deepEqual(
    lines(resolvFile({ ...resolv, host, dns: ['127.0.0.1'], search: ['x.example'], options: ['ndots:1'] })),
    ['nameserver 127.0.0.1', 'search x.example', 'options ndots:1'],
  );
  assert.deepEqual(lines(resolvFile({ ...resolv, host, search: ['.'] })), ['nameserver 10.0.0.1', 'options ndots:2']);
});

test('resolv.conf with --network host is that of the host', () => {
  const host = 'nameserver 127.0.0.53\n';
  assert.equal(resolvFileOfHost({ host, dns: [], search: [], options: [] }), host);
  assert.deepEqual(lines(resolvFileOfHost({ host, dns: [], search: ['x.example'], options: [] })), [
    'nameserver 127.0.0.53',
    'search x.example',
  ]);
});
