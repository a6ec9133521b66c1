import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import { parseOciConfig } from '../spec/oci/config.ts';
import {
  capabilityMask,
  capabilityNames,
  containerCapabilities,
  defaultCapabilities,
  granted,
} from './capabilities.ts';

const everything = (1n << 41n) - 1n;
const none = { privileged: false, add: [], drop: [], host: everything };

test('the default set is the fourteen of Docker: the value that CapEff shows', () => {
  assert.equal(containerCapabilities(none).toString(16), 'a80425fb');
  assert.equal(defaultCapabilities.length, 14);
});

test('cap-add and cap-drop take names in any case, with and without CAP_', () => {
  const got = containerCapabilities({ ...none, add: ['net_admin'], drop: ['Cap_Chown', 'KILL'] });
  const expected = new Set(defaultCapabilities);
  expected.add('CAP_NET_ADMIN');
  expected.delete('CAP_CHOWN');
  expected.delete('CAP_KILL');
  assert.deepEqual(new Set(capabilityNames(got)), expected);
});

test('ALL on either side', () => {
  assert.equal(containerCapabilities({ ...none, drop: ['ALL'] }), 0n);
  assert.equal(containerCapabilities({ ...none, drop: ['all'], add: ['CHOWN'] }), 1n);
  assert.equal(containerCapabilities({ ...none, add: ['ALL'] }), everything);
  assert.equal(containerCapabilities({ ...none, add: ['ALL'], drop: ['SYS_ADMIN'] }), everything & ~(1n << 21n));
  assert.equal(containerCapabilities({ ...none, add: ['ALL'], drop: ['ALL'] }), everything);
});

test('a capability both dropped and added is there, as with Docker', () => {
  assert.ok(containerCapabilities({ ...none, add: ['KILL'], drop: ['KILL'] }) & (1n << 5n));
});

test('privileged means all that the host has, and no more', () => {
  const host = everything & ~(1n << 24n);
  assert.equal(containerCapabilities({ ...none, privileged: true, host }), host);
  assert.equal(containerCapabilities({ ...none, add: ['ALL'], host }), host);
  assert.equal(containerCapabilities({ ...none, host: 1n }), 1n);
});

test('unknown and unavailable names are refused in the words of Docker', () => {
  assert.throws(
    () => containerCapabilities({ ...none, add: ['foo'] }),
    (error) =>
      isHoistError(error, 'capability.unknown') && error.message === 'invalid CapAdd: unknown capability: "CAP_FOO"',
  );
  assert.throws(
    () => containerCapabilities({ ...none, drop: [''] }),
    (error) => isHoistError(error, 'capability.unknown'),
  );
  assert.throws(
    () => containerCapabilities({ ...none, add: ['SYS_RESOURCE'], host: 1n }),
    (error) => isHoistError(error, 'capability.unavailable'),
  );
});

test('the bits are those of linux/capability.h', (t) => {
  let header: string;
  try {
    header = readFileSync('/usr/include/linux/capability.h', 'utf8');
  } catch {
    t.skip('no kernel headers here');
    return;
  }
  const found = [...header.matchAll(/^#define (CAP_\w+)\s+(\d+)$/gm)].filter((m) => !m[1]?.startsWith('CAP_LAST'));
  assert.ok(found.length >= 41);
  for (const [, name, bit] of found) assert.equal(capabilityMask([name ?? '']), 1n << BigInt(bit ?? 0), name);
});

test('a bundle goes without what the machine cannot grant; in a user namespace everything can be', () => {
  const of = (linux: object) =>
    parseOciConfig(
      JSON.stringify({
        ociVersion: '1.2.0',
        process: { args: ['x'], cwd: '/', capabilities: { permitted: ['CAP_KILL', 'CAP_SYS_ADMIN'] } },
        root: { path: 'r' },
        linux,
      }),
    );
  const maps = [{ containerID: 0, hostID: 1, size: 1 }];
  const own = of({ namespaces: [{ type: 'user' }], uidMappings: maps, gidMappings: maps });
  const host = of({});
  const permitted = (config: typeof host) =>
    granted(config.process, config, capabilityMask(['CAP_KILL'])).capabilities.permitted;
  assert.deepEqual(permitted(host), ['CAP_KILL']);
  assert.deepEqual(permitted(own), ['CAP_KILL', 'CAP_SYS_ADMIN']);
});
