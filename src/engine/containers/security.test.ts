import assert from 'node:assert/strict';
import test from 'node:test';
import type { HostConfig } from '../../spec/docker/container.ts';
import { hiddenPaths, labelsOf, requireModules, securityOptions } from './security.ts';

const host = (SecurityOpt: string[], more: Partial<HostConfig> = {}): HostConfig =>
  ({ SecurityOpt, Privileged: false, ...more }) as HostConfig;

test('every spelling of an option; the last word counts', () => {
  assert.equal(securityOptions(['no-new-privileges']).noNewPrivileges, true);
  assert.equal(securityOptions(['no-new-privileges:true', 'no-new-privileges=false']).noNewPrivileges, false);
  assert.equal(securityOptions(['writable-cgroups=1']).writableCgroups, true);
  assert.equal(securityOptions(['seccomp:unconfined']).seccomp, 'unconfined');
  assert.deepEqual(securityOptions(['label=type:a_t', 'label=level:s0:c1']).label, { type: 'a_t', level: 's0:c1' });
  assert.deepEqual(securityOptions(['label=type:a_t', 'label=disable']).label, {});
  for (const wrong of ['foo=bar', 'no-new-privileges=x', 'mask=etc', 'mask=', 'label=x:y', 'systempaths=confined'])
    assert.throws(() => securityOptions([wrong]), { message: `invalid --security-opt 2: "${wrong}"` });
  assert.throws(() => securityOptions(['nonsense']), { message: 'invalid --security-opt 1: "nonsense"' });
});

test('mask and unmask', () => {
  const usual = hiddenPaths(host([]));
  assert.ok(usual.MaskedPaths.includes('/proc/kcore') && usual.ReadonlyPaths.includes('/proc/sys'));
  assert.deepEqual(hiddenPaths(host(['unmask=ALL'])), { MaskedPaths: [], ReadonlyPaths: [] });
  assert.deepEqual(hiddenPaths(host(['systempaths=unconfined'])), { MaskedPaths: [], ReadonlyPaths: [] });
  const some = hiddenPaths(host(['unmask=/proc/kcore:/proc/sys', 'mask=/proc/cmdline:/proc/kallsyms']));
  assert.ok(!some.MaskedPaths.includes('/proc/kcore') && !some.ReadonlyPaths.includes('/proc/sys'));
  assert.deepEqual(some.MaskedPaths.slice(-2), ['/proc/cmdline', '/proc/kallsyms']);
  assert.deepEqual(
    hiddenPaths(host(['unmask=/proc/*'])).MaskedPaths.filter((path) => path.startsWith('/proc')),
    [],
  );
  assert.deepEqual(hiddenPaths(host([], { Privileged: true })).MaskedPaths, []);
});

test('labels are for the security module that is there, and refused where none is', () => {
  assert.deepEqual(labelsOf(host(['apparmor=mine'])), { apparmorProfile: 'mine' });
  assert.deepEqual(labelsOf(host(['apparmor=unconfined', 'label=disable'])), {});
  assert.deepEqual(labelsOf(host(['label=type:a_t'])), { selinuxLabel: 'system_u:system_r:a_t:s0' });
  requireModules(host(['apparmor=mine']), { lsm: 'apparmor' });
  requireModules(host(['apparmor=unconfined', 'label=disable']), {});
  assert.throws(() => requireModules(host(['apparmor=mine']), {}), {
    message: '--security-opt apparmor=mine cannot hold: this machine has no AppArmor',
  });
  assert.throws(() => requireModules(host(['label=type:a_t']), { lsm: 'apparmor' }), /no SELinux/);
});
