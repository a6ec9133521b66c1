// The device rules of a container as an eBPF program for cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE), bytes only.
// Context (uapi linux/bpf.h, struct bpf_cgroup_dev_ctx): u32 access_type (access << 16 | type), u32 major, u32 minor.
// As in v1 the last rule that matches decides, so the rules are tried from the end; returns 1 to allow, 0 to deny.

import type { OciDeviceRule } from '../spec/oci/runtime.ts';

const accessBit: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const typeNumber = { b: 1, c: 2 } as const;

/** One instruction: code, dst | src << 4, offset, immediate. */
function instruction(code: number, dst: number, src: number, offset: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = code;
  bytes[1] = dst | (src << 4);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate | 0, 4);
  return bytes;
}

const LDX_W = 0x61;
const MOV32_IMM = 0xb4;
const MOV32_REG = 0xbc;
const AND32_IMM = 0x54;
const RSH32_IMM = 0x74;
const JNE32_IMM = 0x56;
const EXIT = 0x95;

/** struct bpf_insn[] */
export function deviceFilter(rules: readonly OciDeviceRule[]): Uint8Array {
  const code: Buffer[] = [
    instruction(LDX_W, 2, 1, 0, 0), // r2 = access_type
    instruction(MOV32_REG, 3, 2, 0, 0),
    instruction(RSH32_IMM, 3, 0, 0, 16), // r3 = access
    instruction(AND32_IMM, 2, 0, 0, 0xffff), // r2 = type
    instruction(LDX_W, 4, 1, 4, 0), // r4 = major
    instruction(LDX_W, 5, 1, 8, 0), // r5 = minor
  ];
  for (const rule of [...rules].reverse()) {
    const body = ruleBody(rule);
    code.push(...body);
    if (rule.type === 'a') return Buffer.concat(code); // matches everything: what comes before it cannot matter
  }
  code.push(instruction(MOV32_IMM, 0, 0, 0, 0), instruction(EXIT, 0, 0, 0, 0));
  return Buffer.concat(code);
}

function ruleBody(rule: OciDeviceRule): Buffer[] {
  const tests: [register: number, value: number][] = [];
  if (rule.type !== 'a') tests.push([2, typeNumber[rule.type]]);
  if (rule.major !== undefined && rule.type !== 'a') tests.push([4, rule.major]);
  if (rule.minor !== undefined && rule.type !== 'a') tests.push([5, rule.minor]);
  const bits = [...rule.access].reduce((mask, letter) => mask | (accessBit[letter] ?? 0), 0);
  // an allow rule matches where nothing is asked for beyond it; r1 is free, the context was read
  const access =
    rule.type === 'a' || bits === 7
      ? []
      : [instruction(MOV32_REG, 1, 3, 0, 0), instruction(AND32_IMM, 1, 0, 0, ~bits & 7)];
  const length = tests.length + (access.length > 0 ? 3 : 0) + 2;
  const code: Buffer[] = [];
  for (const [register, value] of tests)
    code.push(instruction(JNE32_IMM, register, 0, length - code.length - 1, value));
  if (access.length > 0) code.push(...access, instruction(JNE32_IMM, 1, 0, 2, 0));
  code.push(instruction(MOV32_IMM, 0, 0, 0, rule.allow ? 1 : 0), instruction(EXIT, 0, 0, 0, 0));
  return code;
}
