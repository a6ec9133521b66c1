import assert from 'node:assert/strict';
import test from 'node:test';
import { dnsType } from '../../network/dns-message.ts';
import type { EndpointRequest } from '../../spec/docker/container.ts';
import type { Connection, ContainerRecord } from '../containers/record.ts';
import { lookUpName } from './names.ts';

function connection(network: string, address: string, request: EndpointRequest = {}): Connection {
  const endpoint = {
    id: 'e',
    address,
    prefix: 16,
    gateway: '',
    host: '',
    mac: '',
    ports: [],
    veth: '',
    place: 0,
    isGateway: true,
  };
  return { name: network, network, request, ...(address === '' ? {} : { endpoint }) };
}

function container(name: string, ...connections: Connection[]): ContainerRecord {
  const id = name.repeat(64).slice(0, 64);
  return { id, name, config: { Hostname: `${name}-host` }, connections } as unknown as ContainerRecord;
}

const web = container('web', connection('red', '10.0.0.2', { Aliases: ['www'] }));
const twin = container('twin', connection('red', '10.0.0.3', { Aliases: ['www'] }), connection('blue', '10.1.0.3'));
const far = container('far', connection('blue', '10.1.0.4', { Links: ['twin:db'] }));
const plain = container('plain', connection('bridge', '172.17.0.2'));
const stopped = container('stopped', connection('red', ''));
const directory = {
  records: () => [web, twin, far, plain, stopped],
  isNamed: (network: string) => network !== 'bridge',
};

function ask(asker: ContainerRecord, name: string, type: number = dnsType.A): unknown {
  const question = { id: 1, name, type, class: 1, recursionDesired: true, bytes: new Uint8Array() };
  const found = lookUpName(directory, asker, question);
  return found && (found.names ?? (found.addresses ?? []).map((one) => one.join('.')).sort());
}

test('a container knows the names of its networks, of those that run, and no others', () => {
  assert.deepEqual(ask(twin, 'web'), ['10.0.0.2']);
  assert.deepEqual(ask(twin, 'web-host'), ['10.0.0.2']);
  assert.deepEqual(ask(twin, 'www'), ['10.0.0.2', '10.0.0.3']);
  assert.deepEqual(ask(twin, 'web.red'), ['10.0.0.2']);
  assert.deepEqual(ask(twin, 'far'), ['10.1.0.4']);
  assert.equal(ask(twin, 'web.blue'), undefined);
  assert.equal(ask(web, 'far'), undefined);
  assert.equal(ask(web, 'stopped'), undefined);
  assert.equal(ask(plain, 'plain'), undefined);
  assert.equal(ask(web, 'plain'), undefined);
});

test('a link is an alias for the one who has it', () => {
  assert.deepEqual(ask(far, 'db'), ['10.1.0.3']);
  assert.equal(ask(twin, 'db'), undefined);
});

test('other kinds of question about a known name: nothing, and not from others', () => {
  assert.deepEqual(ask(twin, 'web', dnsType.AAAA), []);
  assert.deepEqual(ask(twin, 'web', 65), []);
  assert.equal(ask(twin, 'unknown', dnsType.AAAA), undefined);
});

test('an address has the name of its container and network', () => {
  assert.deepEqual(ask(web, '3.0.0.10.in-addr.arpa', dnsType.PTR), ['twin.red']);
  assert.equal(ask(web, '4.0.1.10.in-addr.arpa', dnsType.PTR), undefined);
});
