import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { isHoistError } from '../base/errors.ts';
import type { SeccompProfile, SeccompRule } from '../spec/oci/seccomp.ts';
import { capabilityMask, containerCapabilities } from './capabilities.ts';
import { compileSeccomp } from './seccomp.ts';
import { defaultSeccompProfile } from './seccomp-policy.ts';
import { parseDockerSeccomp, resolveProfile, type SeccompFacts, seccompCompiler } from './seccomp-profile.ts';
import { type SyscallArch, syscallNumbers, x32Bit } from './syscalls.ts';

const audit = { x86_64: 0xc000003e, x86: 0x40000003, x32: 0xc000003e, aarch64: 0xc00000b7, arm: 0x40000028 };
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (value: number): number => 0x50000 | value;
const EPERM = errno(1);
const ENOSYS = errno(38);

/** A second reading of bpf(4): what the kernel does with a filter, on one seccomp_data. */
function interpret(filter: Uint8Array, data: DataView): number {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let a = 0;
  for (let pc = 0; pc * 8 < filter.length; pc++) {
    const code = view.getUint16(pc * 8, true);
    const k = view.getUint32(pc * 8 + 4, true);
    const jump = (yes: boolean): void => {
      pc += view.getUint8(pc * 8 + (yes ? 2 : 3));
    };
    if (code === 0x20) a = data.getUint32(k, true);
    else if (code === 0x05) pc += k;
    else if (code === 0x15) jump(a === k);
    else if (code === 0x25) jump(a > k);
    else if (code === 0x35) jump(a >= k);
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x06) return k;
    else assert.fail(`unknown instruction ${code}`);
  }
  assert.fail('fell off the end of the filter');
}

function run(
  filter: Uint8Array,
  arch: SyscallArch,
  call: string | number,
  args: readonly (number | bigint)[] = [],
): number {
  const number = typeof call === 'number' ? call : syscallNumbers(arch).get(call);
  assert.ok(number !== undefined, `${call} on ${arch}`);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, audit[arch], true);
  for (const [index, value] of args.entries())
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, BigInt(value)), true);
  return interpret(filter, data);
}

const facts: SeccompFacts = {
  arch: 'x86_64',
  kernel: '6.1.0-18-amd64',
  capabilities: containerCapabilities({ privileged: false, add: [], drop: [], host: (1n << 41n) - 1n }),
};
const standard = compileSeccomp(resolveProfile(defaultSeccompProfile(), facts), 'x86_64');
const withCaps = (...names: string[]): Uint8Array =>
  compileSeccomp(
    resolveProfile(defaultSeccompProfile(), { ...facts, capabilities: facts.capabilities | capabilityMask(names) }),
    'x86_64',
  );

test('every call of every architecture gets what the policy says, read the slow way', () => {
  for (const native of ['x86_64', 'aarch64'] as const) {
    const policy = resolveProfile(defaultSeccompProfile(), { ...facts, arch: native });
    const filter = compileSeccomp(policy, native);
    for (const arch of native === 'x86_64' ? (['x86_64', 'x86', 'x32'] as const) : (['aarch64', 'arm'] as const)) {
      for (const index of Array(600).keys()) {
        // Below 512, the calls of x32 are those of x86-64; where it has no such call, the kernel says ENOSYS itself
        const named = arch === 'x32' && index < 512 ? 'x86_64' : arch;
        const numbers = syscallNumbers(named);
        const base = named === 'x32' ? x32Bit : 0;
        const last = Math.max(
          ...policy.syscalls
            .flatMap((rule) => rule.names.map((name) => (numbers.get(name) ?? -1) - base))
            .filter((one) => one < 1000),
        );
        const name = [...numbers].find(([, number]) => number === index + base)?.[0] ?? '';
        const number = index + (arch === 'x32' ? x32Bit : 0);
        const rules = policy.syscalls.filter((rule) => rule.names.includes(name));
        if (rules.some((rule) => rule.args)) continue;
        const expected =
          index > last ? ENOSYS : rules[0]?.errnoRet ? errno(rules[0].errnoRet) : rules[0] ? ALLOW : EPERM;
        assert.equal(run(filter, arch, number), expected, `${arch} ${number} ${name}`);
      }
    }
  }
});

test('unknown architectures and calls: killed, refused, or not there', () => {
  assert.equal(run(standard, 'aarch64', 'read'), KILL);
  assert.equal(run(standard, 'x86_64', 'io_uring_setup'), EPERM);
  assert.equal(run(standard, 'x86_64', 'keyctl'), EPERM);
  assert.equal(run(standard, 'x86_64', 9999), ENOSYS);
  assert.equal(run(standard, 'x86_64', 0xffffffff), ENOSYS);
});

test('x32 call numbers do not get around a policy that denies by name', () => {
  const policy: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['unshare'], action: 'SCMP_ACT_ERRNO' }],
  };
  const filter = compileSeccomp(policy, 'x86_64');
  assert.equal(run(filter, 'x86_64', 'unshare'), EPERM);
  assert.equal(run(filter, 'x32', 'unshare'), KILL);
  assert.equal(run(filter, 'x86', 'unshare'), KILL);
});

test('i386 multiplexers do not get around a denied socket or shmat', () => {
  const filter = compileSeccomp(
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86'],
      syscalls: [{ names: ['socket', 'shmat'], action: 'SCMP_ACT_ERRNO' }],
    },
    'x86_64',
  );
  assert.equal(run(filter, 'x86', 'socketcall', [1]), EPERM);
  assert.equal(run(filter, 'x86', 'socketcall', [2]), ALLOW);
  assert.equal(run(filter, 'x86', 'ipc', [0x10015]), EPERM, 'the version in the upper half is no way out');
  assert.equal(run(filter, 'x86', 'ipc', [22]), ALLOW);
});

test('AF_VSOCK and AF_ALG stay closed, whatever the upper half of the argument says', () => {
  for (const arch of ['x86_64', 'x86', 'x32'] as const) {
    for (const family of [1, 2, 10, 11, 16, 17, 29, 39, 41, 45])
      assert.equal(run(standard, arch, 'socket', [family]), ALLOW, `${family}`);
    for (const family of [12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 255])
      assert.equal(run(standard, arch, 'socket', [family]), EPERM, `${family}`);
  }
  assert.equal(run(standard, 'x86_64', 'socket', [0x100000028n]), EPERM);
  assert.equal(run(standard, 'x86_64', 'socket', [0x100000002n]), EPERM);
});

test('clone makes no namespaces, clone3 is not there; with CAP_SYS_ADMIN both are', () => {
  assert.equal(run(standard, 'x86_64', 'clone', [0x1200011]), ALLOW);
  for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
    assert.equal(run(standard, 'x86_64', 'clone', [flag | 17]), EPERM);
    assert.equal(run(withCaps('CAP_SYS_ADMIN'), 'x86_64', 'clone', [flag | 17]), ALLOW);
  }
  assert.equal(run(standard, 'x86_64', 'clone3'), ENOSYS);
  assert.equal(run(withCaps('CAP_SYS_ADMIN'), 'x86_64', 'clone3'), ALLOW);
});

test('capabilities open what they stand for', () => {
  const pairs = {
    mount: 'CAP_SYS_ADMIN',
    init_module: 'CAP_SYS_MODULE',
    reboot: 'CAP_SYS_BOOT',
    settimeofday: 'CAP_SYS_TIME',
    bpf: 'CAP_BPF',
    mbind: 'CAP_SYS_NICE',
    syslog: 'CAP_SYSLOG',
    kcmp: 'CAP_SYS_PTRACE',
  };
  for (const [call, cap] of Object.entries(pairs)) {
    assert.equal(run(standard, 'x86_64', call), EPERM, call);
    assert.equal(run(withCaps(cap), 'x86_64', call), ALLOW, call);
  }
  assert.equal(run(standard, 'x86_64', 'ptrace'), ALLOW);
  const old = compileSeccomp(resolveProfile(defaultSeccompProfile(), { ...facts, kernel: '4.4.0' }), 'x86_64');
  assert.equal(run(old, 'x86_64', 'ptrace'), EPERM);
});

test('personality: only the harmless ones', () => {
  for (const value of [0, 8, 0x20000, 0x20008, 0xffffffff])
    assert.equal(run(standard, 'x86_64', 'personality', [value]), ALLOW);
  for (const value of [1, 7, 9, 0x40000, 0x20001, 0xfffffffe, 0x100000000n])
    assert.equal(run(standard, 'x86_64', 'personality', [value]), EPERM);
});

test('every comparison, on 64 bits', () => {
  const edges = [
    0n,
    1n,
    5n,
    0xfffffffen,
    0xffffffffn,
    0x100000000n,
    0x100000001n,
    0x500000005n,
    0x500000004n,
    0x500000006n,
    0x400000006n,
    0x600000004n,
    (1n << 64n) - 1n,
  ];
  const means: Record<string, (a: bigint, v: bigint, w: bigint) => boolean> = {
    EQ: (a, v) => a === v,
    NE: (a, v) => a !== v,
    LT: (a, v) => a < v,
    LE: (a, v) => a <= v,
    GT: (a, v) => a > v,
    GE: (a, v) => a >= v,
    MASKED_EQ: (a, v, w) => (a & v) === w,
  };
  for (const [name, holds] of Object.entries(means)) {
    for (const value of edges) {
      const valueTwo = name === 'MASKED_EQ' ? value & 0x500000005n : 0n;
      const rule: SeccompRule = {
        names: ['read'],
        action: 'SCMP_ACT_ALLOW',
        args: [{ index: 2, op: `SCMP_CMP_${name}`, value, valueTwo }],
      };
      const filter = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [rule] }, 'x86_64');
      for (const actual of edges) {
        assert.equal(
          run(filter, 'x86_64', 'read', [0, 0, actual]) === ALLOW,
          holds(actual, value, valueTwo),
          `${actual} ${name} ${value}`,
        );
      }
    }
  }
});

test('several arguments are all needed; the same argument twice is either; rules are tried in order', () => {
  const eq = (index: number, value: number) => ({ index, op: 'SCMP_CMP_EQ', value });
  const filter = compileSeccomp(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        { names: ['read'], action: 'SCMP_ACT_ALLOW', args: [eq(0, 1), eq(1, 2), eq(5, 3)] },
        { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 5, args: [eq(0, 1)] },
        { names: ['write'], action: 'SCMP_ACT_ALLOW', args: [eq(0, 1), eq(0, 2)] },
        { names: ['open'], action: 'SCMP_ACT_ALLOW', args: [eq(0, 1)] },
        { names: ['open', 'no_such_call'], action: 'SCMP_ACT_KILL_PROCESS' },
      ],
    },
    'x86_64',
  );
  assert.equal(run(filter, 'x86_64', 'read', [1, 2, 0, 0, 0, 3]), ALLOW);
  assert.equal(run(filter, 'x86_64', 'read', [1, 2, 0, 0, 0, 4]), errno(5));
  assert.equal(run(filter, 'x86_64', 'read', [2, 2, 0, 0, 0, 3]), EPERM);
  assert.deepEqual(
    [1, 2, 3].map((value) => run(filter, 'x86_64', 'write', [value])),
    [ALLOW, ALLOW, EPERM],
  );
  assert.equal(run(filter, 'x86_64', 'open', [1]), KILL, 'an unconditional rule wins');
});

test('a policy too large for the kernel, an action unknown', () => {
  const syscalls = [...Array(1500).keys()].map((value) => ({
    names: ['read'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, op: 'SCMP_CMP_NE', value }],
  }));
  assert.throws(
    () => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x86_64'),
    (e) => isHoistError(e, 'seccomp.too_large'),
  );
  assert.throws(
    () => compileSeccomp({ defaultAction: 'ALLOW', syscalls: [] }, 'x86_64'),
    (e) => isHoistError(e, 'seccomp.invalid'),
  );
});

test('far jumps: a long row of conditions in one call leaves its neighbours right', () => {
  const many = [...Array(300).keys()].map((value) => ({
    names: ['close'],
    action: 'SCMP_ACT_ALLOW',
    args: [
      { index: 0, op: 'SCMP_CMP_NE', value: value + 5 },
      { index: 1, op: 'SCMP_CMP_EQ', value },
    ],
  }));
  const filter = compileSeccomp(
    { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read', 'fstat'], action: 'SCMP_ACT_ALLOW' }, ...many] },
    'x86_64',
  );
  assert.deepEqual(
    ['read', 'write', 'fstat'].map((name) => run(filter, 'x86_64', name)),
    [ALLOW, EPERM, ALLOW],
  );
  assert.equal(run(filter, 'x86_64', 'close', [0, 299]), ALLOW);
  assert.equal(run(filter, 'x86_64', 'close', [304, 299]), EPERM);
});

test('a user profile: read exactly, or refused naming the place', () => {
  const profile = parseDockerSeccomp(
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"chmod","action":"SCMP_ACT_ERRNO"},{"names":["read"],"action":"SCMP_ACT_KILL","args":[{"index":0,"value":18446744073709551615,"valueTwo":0,"op":"SCMP_CMP_EQ"}],"comment":": 12345678901234567890","includes":{},"excludes":{"caps":["CAP_KILL"]}}]}',
    'p.json',
  );
  assert.equal(profile.syscalls[1]?.args?.[0]?.value, (1n << 64n) - 1n);
  const filter = compileSeccomp(resolveProfile(profile, { ...facts, capabilities: 0n }), 'x86_64');
  assert.equal(run(filter, 'x86_64', 'chmod'), EPERM);
  assert.equal(run(filter, 'x86_64', 'read', [-1]), 0);
  assert.equal(run(filter, 'x86_64', 'read', [0xffffffff]), ALLOW);
  assert.equal(run(compileSeccomp(resolveProfile(profile, facts), 'x86_64'), 'x86_64', 'read', [-1]), ALLOW);
  const bad: [string, RegExp][] = [
    ['{', /p\.json is not JSON/],
    ['[]', /p\.json: the document must be an object/],
    ['{"defaultAction":"SCMP_ACT_FOO"}', /unknown seccomp action "SCMP_ACT_FOO"/],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ALLOW"}]}',
      /syscalls\[0\]\.names must be a list/,
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ERRNO","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}',
      /args\[0\]\.index must be a number from 0 to 5/,
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"=="}]}]}',
      /args\[0\]\.op must be one of SCMP_CMP_EQ/,
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_NOTIFY"}]}',
      /listenerPath must be given/,
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/a","syscalls":[{"names":["sendmsg"],"action":"SCMP_ACT_NOTIFY"}]}',
      /cannot be asked about/,
    ],
  ];
  for (const [text, message] of bad) assert.throws(() => parseDockerSeccomp(text, 'p.json'), message);
});

test('the default profile survives the way through JSON, and compiles in time, once', () => {
  const again = parseDockerSeccomp(JSON.stringify(defaultSeccompProfile()), 'default');
  assert.deepEqual(compileSeccomp(resolveProfile(again, facts), 'x86_64'), standard);
  const compile = seccompCompiler('x86_64');
  const first = compile(resolveProfile(defaultSeccompProfile(), facts));
  assert.equal(compile(resolveProfile(defaultSeccompProfile(), facts)), first);
  const began = performance.now();
  compileSeccomp(resolveProfile(defaultSeccompProfile(), facts), 'x86_64');
  assert.ok(performance.now() - began < 50, 'budget 5 ms, with room for a busy machine');
});

const probe = `
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
static long try(long n, long a) { errno = 0; return syscall(n, a, 0, 0, 0, 0, 0) < 0 ? errno : 0; }
int main(int argc, char **argv) {
	static struct sock_filter code[4096];
	FILE *f = fopen(argv[1], "r");
	struct sock_fprog prog = { fread(code, 8, 4096, f), code };
	(void)argc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog)) return 77;
	printf("%ld %ld %ld %ld %ld %ld %ld\\n", try(SYS_getpid, 0), try(SYS_unshare, 0x04000000), try(SYS_clone3, 0), try(SYS_personality, 1),
		try(SYS_personality, 0xffffffff), try(SYS_socket, 40), try(700, 0));
	return 0;
}
`;

test('the kernel takes the filter and does the same', {
  skip: process.arch !== 'x64' && process.arch !== 'arm64',
}, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'seccomp-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64';
  writeFileSync(join(directory, 'probe.c'), probe);
  writeFileSync(
    join(directory, 'filter'),
    compileSeccomp(resolveProfile(defaultSeccompProfile(), { ...facts, arch }), arch),
  );
  const built = spawnSync('cc', ['-o', join(directory, 'probe'), join(directory, 'probe.c')]);
  if (built.error) return t.skip('no C compiler here');
  assert.equal(built.status, 0, String(built.stderr));
  const ran = spawnSync(join(directory, 'probe'), [join(directory, 'filter')], { encoding: 'utf8' });
  if (ran.status === 77) return t.skip('seccomp is not available here');
  assert.equal(ran.stdout, '0 1 38 1 0 1 38\n');
});
